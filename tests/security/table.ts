import { escapeForDisplay } from "../../core/domain/display.ts";
import type { Call, Case, Family, Mode, Place } from "./_case.ts";

/** Where the table begins and ends in docs/security.md. */
export const BEGIN = "<!-- cases: generated from tests/security/ by `deno task docs` -->";
export const END = "<!-- /cases -->";

const MAX_INPUT = 110;
const TAIL = 35;

/** Places by short names, as the table shows them. */
const PLACE: Place = {
  workspace: "/work",
  home: "~",
  outside: "/outside",
  at: (path) => path,
  web: "GRANTED:80",
  inner: "SERVICE:80",
  udp: "SERVICE:53",
  secret: "tangerine-0-harbour",
};

const MODES: Readonly<Record<Mode, string>> = {
  "bubblewrap": "",
  "landlock": "without bubblewrap",
  "stubbed": "policy stubbed",
  "stubbed-landlock": "policy stubbed, without bubblewrap",
  "planted": "path check broken",
  "fallen": "outside the context",
};

/** `text` with the table put anew between its marks. Throws when they are not there. */
export function withTable(text: string, families: readonly Family[]): string {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin) {
    throw new Error(`docs/security.md has no place for the table: ${BEGIN} … ${END}`);
  }
  return `${text.slice(0, begin + BEGIN.length)}\n${renderTable(families)}${text.slice(end)}`;
}

export function renderTable(families: readonly Family[]): string {
  return families.map(({ title, cases }) => {
    const rows = cases.map((one) =>
      `| \`${one.id}\` | ${cell(one.title)}<br>${input(one)} | ${refusals(one)} | ${cell(one.answers)} | ${
        twin(one)
      } |`
    );
    return [
      `\n### ${title}\n`,
      "| case | hostile input | refused by | answers | benign twin, which works |",
      "|---|---|---|---|---|",
      ...rows,
      "",
    ].join("\n");
  }).join("");
}

function input(one: Case): string {
  if (one.kind === "program") return cell(one.input);
  return one.input === undefined ? code(describe(one.attack(PLACE))) : code(one.input);
}

function twin(one: Case): string {
  return one.kind === "program" ? cell(one.twin) : code(describe(one.twin(PLACE)));
}

/** The same refusal in several modes is said once. */
function refusals(one: Case): string {
  const said = new Map<string, string[]>();
  for (const [mode, { layer, how }] of Object.entries(one.refused)) {
    const what = `**${layer}**: ${how}`;
    said.set(what, [...said.get(what) ?? [], MODES[mode as Mode]]);
  }
  return [...said].map(([what, modes]) => {
    const named = modes.filter((mode) => mode !== "");
    const also = modes.includes("") ? named.map((mode) => `also ${mode}`) : named;
    return also.length === 0 ? cell(what) : cell(`${what} *(${also.join("; ")})*`);
  }).join("<br>");
}

function describe({ tool, args }: Call): string {
  const { command, path, url } = args;
  if (tool !== "shell") return `${tool} ${path ?? url ?? ""}`.trim();
  const text = String(command).replace(
    /^python3 -c '([^]*)'$/,
    (_, program: string) =>
      `python3: ${
        program.split(/;\s*|\n/).filter((line) => !/^import |^c = ctypes/.test(line)).join("; ").trim()
      }`,
  );
  return typeof args.cwd === "string" ? `${text}   (in ${args.cwd})` : text;
}

function code(text: string): string {
  // Of what is long, the beginning and the end: that is where it matters.
  const short = text.length > MAX_INPUT ? `${text.slice(0, MAX_INPUT - TAIL)} … ${text.slice(-TAIL)}` : text;
  const line = escapeForDisplay(short).replaceAll("\n", " ⏎ ").replaceAll("|", "\\|");
  return line.includes("`") ? `\`\` ${line} \`\`` : `\`${line}\``;
}

function cell(text: string): string {
  return text.replaceAll("\n", " ").replaceAll("|", "\\|");
}
