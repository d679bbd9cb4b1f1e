import { LineReader, MAX_LINE_CHARS } from "./_line_reader.ts";
import { failed, suggestNames } from "./_paths.ts";
import { count, decodeText, encodeText, fileType, formatSize, isBinary, isImage, markOf } from "./_text.ts";
import { defineTool, MAX_RESULT_CHARS, type ToolContext, type ToolResult } from "./tool.ts";

const DEFAULT_LIMIT = 2_000;
const CHUNK_BYTES = 1024 * 1024;
/** How far into a file a line is looked for. */
const MAX_SCAN_BYTES = 256 * 1024 * 1024;
/** How much more is read, after the last line shown, only to say how many lines there are. */
const MAX_COUNT_BYTES = 32 * 1024 * 1024;
/** Text in UTF-16 is decoded whole. */
const MAX_UTF16_BYTES = 16 * 1024 * 1024;
const NOTE_CHARS = 1_000;

export const readFile = defineTool({
  name: "read_file",
  description:
    `Reads a text file. Each line is shown as its number, a tab, its text. Reads up to ${DEFAULT_LIMIT} lines from the ` +
    "start; for longer files go on with offset. Several files can be read in parallel. Not for folders (list_dir), " +
    "images or other binary files.",
  parameters: {
    type: "object",
    properties: {
      path: { type: "string", minLength: 1, description: "Absolute, or relative to the workspace" },
      offset: { type: "integer", minimum: 1, description: "First line to read, counted from 1" },
      limit: {
        type: "integer",
        minimum: 1,
        description: `How many lines to read; ${DEFAULT_LIMIT} by default`,
      },
    },
    required: ["path"],
  },
  async needs({ path }, ctx) {
    return [{ kind: "read", target: await ctx.resolve(path) }];
  },
  title: ({ path, offset }) => offset === undefined ? `read ${path}` : `read ${path} from line ${offset}`,
  async run({ path, offset = 1, limit = DEFAULT_LIMIT }, ctx) {
    const real = await ctx.resolve(path);
    const info = await ctx.files.stat(real);
    if (info === null) {
      return failed(`Cannot read ${path}: it does not exist${await suggestNames(real, ctx)}`);
    }
    if (info.kind === "folder") return failed(`Cannot read ${path}: it is a folder. Use list_dir`);
    if (info.kind === "other") {
      return failed(`Cannot read ${path}: it is a device, a pipe or a socket, not a file`);
    }
    const first = await ctx.files.read(real, { maxBytes: CHUNK_BYTES });
    if (first.bytes.length === 0) return { text: `${path} is empty` };
    const refusal = refuse(path, first.bytes, Math.max(info.size, first.bytes.length));
    if (refusal) return failed(refusal);
    return await readLines(real, path, first.bytes, { offset, limit, size: info.size }, ctx);
  },
});

function refuse(path: string, bytes: Uint8Array, size: number): string | undefined {
  const type = fileType(bytes);
  if (isImage(bytes)) {
    return `Cannot read ${path}: it is a ${type} (${formatSize(size)}), and images cannot be shown as text`;
  }
  if (!isBinary(bytes)) return undefined;
  return `Cannot read ${path}: it is a binary file (${formatSize(size)}${type ? `, ${type}` : ""})`;
}

interface Range {
  readonly offset: number;
  readonly limit: number;
  readonly size: number;
}

async function readLines(
  real: string,
  path: string,
  first: Uint8Array,
  range: Range,
  ctx: ToolContext,
): Promise<ToolResult> {
  const reader = new LineReader(range.offset, range.limit, MAX_RESULT_CHARS - NOTE_CHARS);
  const mark = markOf(first);
  if (mark && mark.encoding !== "utf-8") {
    const { bytes } = await ctx.files.read(real, { maxBytes: MAX_UTF16_BYTES });
    const decoded = decodeText(bytes);
    reader.push(encodeText(decoded.text, { encoding: "utf-8", bom: false }));
    reader.end(range.size <= MAX_UTF16_BYTES);
    return answer(reader, path, range, [
      `the file is in ${mark.encoding.toUpperCase()}`,
      ...(range.size > MAX_UTF16_BYTES ? [`only its first ${formatSize(MAX_UTF16_BYTES)} were read`] : []),
      ...(decoded.invalid ? [INVALID] : []),
    ]);
  }
  const notes: string[] = [];
  let at = first.length;
  let chunk = mark ? first.subarray(mark.length) : first;
  let complete = false;
  let doneAt: number | undefined;
  for (;;) {
    ctx.signal.throwIfAborted();
    if (chunk.includes(0)) {
      notes.push("the file holds NUL characters: it may be binary");
    }
    reader.push(chunk);
    if (reader.full) doneAt ??= at;
    if (doneAt === undefined ? at >= MAX_SCAN_BYTES : at - doneAt >= MAX_COUNT_BYTES) break;
    const { bytes } = await ctx.files.read(real, { maxBytes: CHUNK_BYTES, offset: at });
    // Files that say they are empty (/proc) are whole after the first read: their offset cannot be set.
    if (bytes.length === 0 || range.size === 0) {
      complete = true;
      break;
    }
    at += bytes.length;
    chunk = bytes;
  }
  reader.end(complete);
  if (!complete && !reader.full) {
    notes.push(`only the first ${formatSize(at)} of ${formatSize(range.size)} were looked through`);
  }
  return answer(reader, path, range, [...new Set(notes)]);
}

const INVALID = "bytes that are not valid UTF-8 are shown as \ufffd";

function answer(reader: LineReader, path: string, range: Range, notes: string[]): ToolResult {
  const { lines, offset, total, complete } = reader;
  if (lines.length === 0) {
    return failed(
      complete
        ? `Cannot read ${path} from line ${range.offset}: it has ${count(total, "line")}`
        : `Cannot read ${path} from line ${range.offset}: ${
          notes.join("; ")
        }. Use shell (tail, sed) to read further`,
    );
  }
  const last = offset + lines.length - 1;
  const numbered = lines.map((line, i) => `${String(offset + i).padStart(6)}\t${line}`).join("\n");
  if (reader.invalid) notes.push(INVALID);
  if (reader.cut) {
    notes.push(`lines longer than ${MAX_LINE_CHARS} characters are cut`);
  }
  if (!complete || last < total) {
    const of = complete ? ` of ${total}` : ` of more than ${total}`;
    notes.unshift(
      `lines ${offset}-${last}${of} shown (${formatSize(range.size)} in all); go on with offset ${last + 1}`,
    );
  } else if (reader.noFinalNewline) notes.push("no newline at the end of the file");
  return { text: notes.length === 0 ? numbered : `${numbered}\n\n[${notes.join("; ")}]` };
}
