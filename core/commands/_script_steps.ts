import type { Json } from "../domain/schema.ts";
import type { RecordedCall } from "./_script_calls.ts";

/** A call as a line of an automation, and what answers it when it is run with the session's results. */
export interface ScriptLine {
  /** Code, without its end of line. */
  readonly code: string;
  /** What it takes from the module `pryx`. */
  readonly uses: string;
  /** The call that it makes of its host. */
  readonly expects: string;
  readonly answer: Json;
}

/** A recorded call in the words of the API; as a plain call of its tool where the API, or the recording, does not fit. */
export function translate(call: RecordedCall): ScriptLine {
  return TRANSLATIONS[call.tool]?.(call) ?? plainCall(call);
}

const TRANSLATIONS: Readonly<Record<string, (call: RecordedCall) => ScriptLine | undefined>> = {
  shell({ args, text, exitCode, ms }) {
    const { command, cwd, timeout, stop_background } = args;
    const template = typeof command === "string" ? shellTemplate(command) : undefined;
    if (template === undefined || exitCode === null || stop_background === true) return undefined;
    const where = typeof cwd === "string" && cwd !== "." ? `.cwd(${literal(cwd)})` : "";
    const limit = typeof timeout === "number" ? `.timeout(${timeout * 1000})` : "";
    const stdout = outputOf(text, exitCode);
    return {
      code: `await sh\`${template}\`${where}${limit}${exitCode === 0 ? "" : ".result()"};`,
      uses: "sh",
      expects: "sh",
      answer: {
        text: `exit code ${exitCode}`,
        data: {
          code: exitCode,
          signal: null,
          timedOut: false,
          stdout: stdout === "" ? "" : `${stdout}\n`,
          stderr: "",
          ms,
        },
        exitCode,
      },
    };
  },
  read_file({ args, text, failed }) {
    const content = failed || args.offset !== undefined || args.limit !== undefined
      ? undefined
      : contentOf(text);
    if (content === undefined) return undefined;
    const data = { text: content };
    return line(`fs.read(${literal(args.path)})`, "fs", "fs_read", { text: "read", data });
  },
  write_file({ args, text, failed }) {
    if (failed) return undefined;
    const bytes = new TextEncoder().encode(String(args.content ?? "")).length;
    const code = `fs.write(${literal(args.path)}, ${literal(args.content)})`;
    return line(code, "fs", "fs_write", { text, data: { bytes } });
  },
  edit_file({ args, text, failed }) {
    if (failed) return undefined;
    const all = args.replace_all === true ? ", { all: true }" : "";
    const code = `fs.edit(${literal(args.path)}, ${literal(args.old_text)}, ${literal(args.new_text)}${all})`;
    return line(code, "fs", "edit_file", { text });
  },
  list_dir({ args, text, failed, whole }) {
    const entries = failed || !whole ? undefined : entriesOf(text);
    if (!entries) return undefined;
    return line(`fs.list(${literal(args.path)})`, "fs", "fs_list", { text, data: { entries } });
  },
  glob({ args, text, failed, whole }) {
    if (failed || !whole || /\n\n\[/u.test(text)) return undefined;
    const paths = text.startsWith("No file matches ") ? [] : text.split("\n");
    const where = args.path === undefined ? "" : `, { cwd: ${literal(args.path)} }`;
    const answer = { text, data: { paths, more: false } };
    return line(`fs.glob(${literal(args.pattern)}${where})`, "fs", "fs_glob", answer);
  },
  grep({ args, text, failed, whole }) {
    const matches = failed || !whole ? undefined : matchesOf(text);
    if (!matches) return undefined;
    const where = args.path === undefined ? "" : `, { path: ${literal(args.path)} }`;
    const answer = { text, data: { matches, more: false } };
    return line(`fs.grep(${literal(args.pattern)}${where})`, "fs", "fs_grep", answer);
  },
  fetch({ args, text, failed, whole }) {
    const head = /^HTTP (?<status>\d{3})[^\n·]* · (?<url>\S+) · (?<type>[^\n]*)\n/u.exec(text)?.groups;
    if (failed || !whole || !head) return undefined;
    const { status, url = "", type = "" } = head;
    const body = text.slice(text.indexOf("\n\n") + 2);
    const data = { status: Number(status), url, headers: { "content-type": type }, text: body };
    const careless = Number(status) >= 400 ? ", { throws: false }" : "";
    return line(`http.get(${literal(args.url)}${careless})`, "http", "http", { text, data });
  },
  ask_user({ args, text, failed }) {
    if (failed || typeof args.question !== "string") return undefined;
    const name = args.question.toLowerCase().match(/[a-z0-9]+/gu)?.slice(0, 4).join("-") ?? "answer";
    const code = `await ui.input(${literal(name)}, ${literal(args.question)});`;
    return { code, uses: "ui", expects: "question", answer: text };
  },
};

function line(code: string, uses: string, expects: string, answer: Json): ScriptLine {
  return { code: `await ${code};`, uses, expects, answer };
}

function plainCall({ tool, args, text }: RecordedCall): ScriptLine {
  const given = Object.keys(args).length === 0 ? "" : `, ${literal(args)}`;
  return {
    code: `await tools.call(${literal(tool)}${given});`,
    uses: "tools",
    expects: tool,
    answer: { text },
  };
}

/** A value as TypeScript; what has several lines, as a template. */
export function literal(value: Json | undefined): string {
  if (typeof value === "string" && value.includes("\n") && !value.includes("\r")) {
    return `\`${value.replaceAll("\\", "\\\\").replaceAll("`", "\\`").replaceAll("${", "\\${")}\``;
  }
  return JSON.stringify(value ?? null);
}

/** The text of a command as the template of `sh` has it, where it can; undefined where no text between backticks means it. */
export function shellTemplate(command: string): string | undefined {
  const wanted = command.trim();
  const source = wanted.replaceAll("`", "\\`").replaceAll("${", "\\${");
  // What the language ends, and what `sh` makes of the raw text, must come to the same.
  const ends = /^(?:[^\\`$]|\\[^]|\$(?!\{))*$/u.test(source);
  const read = source.replaceAll("\\`", "`").replaceAll(/\\\$\{|\$\\\{/gu, "${");
  return wanted !== "" && ends && read === wanted && !wanted.includes("\r") ? source : undefined;
}

/** The output of a command without what pryx said behind it, in brackets. */
function outputOf(text: string, exitCode: number): string {
  if (text === "[no output]") return "";
  const notes = exitCode === 0
    ? /(?:^|\n\n)\[(?:processes it started|run again|the sandbox)[^\n]*\]$/u
    : /(?:^|\n\n)\[[^\n]*\]$/u;
  return text.replace(notes, "");
}

const LINE = /^ *\d+\t(?<text>.*)$/u;

/** What stood in a file, from its numbered lines; undefined where that is not all of it. */
function contentOf(text: string): string | undefined {
  if (/^[^\n]* is empty$/u.test(text)) return "";
  const [body = "", notes] = text.split(/\n\n(?=\[[^\n]*\]$)/u);
  if (notes !== undefined && notes !== "[no newline at the end of the file]") return undefined;
  const lines: string[] = [];
  for (const numbered of body.split("\n")) {
    const found = LINE.exec(numbered)?.groups?.text;
    if (found === undefined) return undefined;
    lines.push(found);
  }
  return lines.join("\n") + (notes === undefined ? "\n" : "");
}

type Entry = { readonly name: string; readonly path: string; readonly kind: string; readonly size: number };

/** The entries of a folder. Sizes are as exact as they were shown. */
function entriesOf(text: string): Entry[] | undefined {
  if (/^[^\n]* is empty$/u.test(text)) return [];
  const entries: Entry[] = [];
  for (const shown of text.split("\n")) {
    const { folder, link, file, size } = ENTRY.exec(shown)?.groups ?? {};
    const name = folder ?? link ?? file;
    if (name === undefined) return undefined;
    const kind = folder !== undefined ? "folder" : link !== undefined ? "link" : "file";
    entries.push({ name, path: name, kind, size: size === undefined ? 0 : bytesOf(size) });
  }
  return entries;
}

const ENTRY =
  /^(?:(?<folder>.+)\/|(?<link>.+) -> \(link\)|(?<file>.+?) {2}(?<size>[\d.,]+ ?(?:bytes?|[KMGT]B)))$/u;
const UNITS: Readonly<Record<string, number>> = { K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 };

function bytesOf(size: string): number {
  const amount = Number.parseFloat(size.replaceAll(",", ""));
  return Math.round(amount * (UNITS[/[KMGT]/u.exec(size)?.[0] ?? ""] ?? 1));
}

type Match = { readonly path: string; readonly line: number; readonly text: string };

/** Matches of a search, from what was shown of them. */
function matchesOf(text: string): Match[] | undefined {
  if (/^No match for [^\n]*$/u.test(text)) return [];
  const [head = "", ...groups] = text.split("\n\n");
  if (!/^[\d,]+ matching lines? in [\d,]+ files?$/u.test(head)) return undefined;
  const matches: Match[] = [];
  for (const group of groups) {
    const [path = "", ...lines] = group.split("\n");
    for (const shown of lines) {
      const found = /^\s*(?<line>\d+)[:\t] ?(?<text>.*)$/u.exec(shown)?.groups;
      if (!found) return undefined;
      matches.push({ path, line: Number(found.line), text: found.text ?? "" });
    }
  }
  return matches;
}
