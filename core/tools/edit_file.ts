import { findExact, findTolerant, lineNumbers, type Replacement } from "./_match.ts";
import { failed, showPath, suggestNames } from "./_paths.ts";
import { mostSimilarLines } from "./_similar.ts";
import { clip, count, decodeText, encodeText, fileType, formatSize, isBinary } from "./_text.ts";
import { defineTool, type ToolContext, type ToolResult } from "./tool.ts";

const MAX_BYTES = 5 * 1024 * 1024;
const MAX_DIFF_CHARS = 6_000;
const DIFF_LIMIT_MS = 1_000;

export const editFile = defineTool({
  name: "edit_file",
  description:
    "Replaces old_text by new_text in a file. old_text must be the file's own text (as read_file shows it, without line " +
    "numbers) and stand there once: add lines around it until it does, or set replace_all. Differences in indentation and " +
    "trailing white space are forgiven; line endings are kept. To make a file, use write_file.",
  parameters: {
    type: "object",
    properties: {
      path: { type: "string", minLength: 1, description: "Absolute, or relative to the workspace" },
      old_text: { type: "string", description: "The text to replace" },
      new_text: { type: "string", description: "What stands there afterwards" },
      replace_all: { type: "boolean", description: "Replace every occurrence; false by default" },
    },
    required: ["path", "old_text", "new_text"],
  },
  async needs({ path }, ctx) {
    const target = await ctx.resolve(path);
    return [{ kind: "read", target }, { kind: "write", target }];
  },
  title: ({ path }) => `edit ${path}`,
  async run({ path, old_text, new_text, replace_all = false }, ctx) {
    if (old_text === "") {
      return failed("old_text is empty: name the text to replace, or make a file with write_file");
    }
    if (old_text === new_text) {
      return failed("old_text and new_text are the same: there is nothing to change");
    }
    const wanted = toLf(old_text);
    const replacement = toLf(new_text);
    if (wanted === replacement) {
      return failed(
        "old_text and new_text differ in their line endings only, and edit_file keeps a file's line endings",
      );
    }
    const real = await ctx.resolve(path);
    const source = await readSource(real, path, ctx);
    if ("failure" in source) return source.failure;

    const { text } = source;
    const plain = toLf(text);
    const exact = findExact(plain, wanted, replacement);
    const found = exact.length > 0 ? exact : findTolerant(plain, wanted, replacement);
    if (found.length === 0) return notFound(path, plain, wanted, replacement);
    if (found.length > 1 && !replace_all) return ambiguous(path, plain, found);

    const edited = applyKeepingLineEnds(text, plain, found);
    if (edited === text) return failed(`Nothing to change in ${path}: it already reads like that`);
    await ctx.files.write(real, encodeText(edited, source), { expect: await sha256(source.bytes) });
    const shown = showPath(real, ctx.cwd);
    const times = found.length === 1 ? "" : `, ${found.length} places`;
    const how = exact.length > 0 ? "" : " (matched apart from white space; indentation adapted)";
    const diff = await smallDiff(shown, plain, toLf(edited));
    return {
      text: `Edited ${shown}${times}${how}\n\n${diff}`,
      data: { path: real, replaced: found.length, exact: exact.length > 0 },
    };
  },
});

type Source =
  | { readonly failure: ToolResult }
  | (ReturnType<typeof decodeText> & { readonly bytes: Uint8Array });

async function readSource(real: string, path: string, ctx: ToolContext): Promise<Source> {
  const refused = (why: string) => ({ failure: failed(`Cannot edit ${path}: ${why}`) });
  const info = await ctx.files.stat(real);
  if (info === null) return refused(`it does not exist${await suggestNames(real, ctx)}`);
  if (info.kind !== "file") return refused(info.kind === "folder" ? "it is a folder" : "it is not a file");
  if (info.size > MAX_BYTES) {
    return refused(
      `it has ${formatSize(info.size)}, and edit_file takes ${formatSize(MAX_BYTES)} at most. Use shell`,
    );
  }
  const { bytes } = await ctx.files.read(real, { maxBytes: MAX_BYTES + 1 });
  if (bytes.length > MAX_BYTES) return refused("it grew too large while it was read");
  if (isBinary(bytes)) return refused(`it is a binary file (${fileType(bytes) ?? formatSize(bytes.length)})`);
  const decoded = decodeText(bytes);
  if (decoded.invalid) {
    return refused(
      `it is not valid ${decoded.encoding.toUpperCase()}, and an edit would damage other parts of it`,
    );
  }
  return { ...decoded, bytes };
}

function notFound(path: string, text: string, wanted: string, replacement: string): ToolResult {
  if (replacement.trim() !== "" && text.includes(replacement)) {
    return failed(`old_text is not in ${path}, but new_text is: the change may have been made already`);
  }
  const similar = mostSimilarLines(text, wanted);
  if (!similar) return failed(`old_text is not in ${path}, nor anything like it. Read the file first`);
  const lines = similar.lines.map((line, i) => `${String(similar.from + i).padStart(6)}\t${clip(line, 500)}`);
  return failed(
    `old_text is not in ${path}. The most similar lines are:\n\n${
      lines.join("\n")
    }\n\nCopy them exactly, or read the file again`,
  );
}

function ambiguous(path: string, text: string, found: readonly Replacement[]): ToolResult {
  const lines = lineNumbers(text, found.map(({ start }) => start));
  const shown = lines.slice(0, 20).join(", ") + (lines.length > 20 ? ", …" : "");
  return failed(
    `old_text stands ${found.length} times in ${path} (lines ${shown}). Add lines around it until it is unique, or set replace_all`,
  );
}

function toLf(text: string): string {
  return text.replaceAll("\r\n", "\n");
}

/**
 * Applies replacements found in `plain` (line ends as `\n`) to `text`: every byte outside of them stays, and inside the
 * line ends are those of the place, or else the file's own.
 */
function applyKeepingLineEnds(text: string, plain: string, found: readonly Replacement[]): string {
  // Offsets in `plain` of the newlines that are CRLF in `text`.
  const pairs: number[] = [];
  for (let at = text.indexOf("\r\n"); at >= 0; at = text.indexOf("\r\n", at + 2)) {
    pairs.push(at - pairs.length);
  }
  let newlines = 0;
  for (let at = plain.indexOf("\n"); at >= 0; at = plain.indexOf("\n", at + 1)) newlines++;
  const usual = pairs.length * 2 > newlines ? "\r\n" : "\n";
  let passed = 0;
  const rawOffset = (offset: number) => {
    while (passed < pairs.length && (pairs[passed] ?? 0) < offset) passed++;
    return offset + passed;
  };
  let out = "";
  let done = 0;
  for (const { start, end, text: replacement } of found) {
    const from = rawOffset(start);
    const to = rawOffset(end);
    const old = text.slice(from, to);
    const newline = old.includes("\n") ? from + old.indexOf("\n") : text.indexOf("\n", to);
    const lineEnd = newline < 0 ? usual : text[newline - 1] === "\r" ? "\r\n" : "\n";
    out += text.slice(done, from) + (lineEnd === "\n" ? replacement : replacement.replaceAll("\n", lineEnd));
    done = to;
  }
  return out + text.slice(done);
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function smallDiff(path: string, before: string, after: string): Promise<string> {
  const { createTwoFilesPatch, FILE_HEADERS_ONLY } = await import("diff");
  const patch = createTwoFilesPatch(path, path, before, after, undefined, undefined, {
    context: 3,
    timeout: DIFF_LIMIT_MS,
    headerOptions: FILE_HEADERS_ONLY,
  });
  if (patch === undefined) return `[${count(after.length, "character")} now; too many changes to show]`;
  if (patch.length <= MAX_DIFF_CHARS) return patch.trimEnd();
  const head = patch.slice(0, patch.lastIndexOf("\n", MAX_DIFF_CHARS));
  return `${head}\n[${
    count(patch.slice(head.length + 1).split("\n").length, "more line")
  } of this diff left out]`;
}
