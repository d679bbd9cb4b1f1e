import { dirname, join, relative, resolve } from "node:path";
import { escapeForDisplay } from "../domain/display.ts";
import { messageOf, PryxError } from "../domain/error.ts";
import { VERSION } from "../domain/version.ts";
import type { Json } from "../domain/schema.ts";
import { FIRST_AUTOMATION, TSCONFIG, TYPES_HEADER, writtenBy } from "./_init_files.ts";
import { type Command, defineCommand } from "./command.ts";

type Outcome = "written" | "updated" | "current" | "kept";

interface Wanted {
  /** From the project's folder. */
  readonly path: string;
  readonly text: string;
  /** Permission bits. */
  readonly mode: number;
  /** pryx's own: replaced when this pryx is not older than the one that wrote it. */
  readonly own: boolean;
}

export const commands: readonly Command[] = [defineCommand({
  name: "init",
  summary: "Set a project up for automations and editors",
  description:
    "Writes what VS Code, Zed and Neovim need to complete and check automations without a plug-in, and a first automation that runs without a key: .pryx/types, automations/tsconfig.json, automations/hello.pryx.ts. What is there stays as it is, but for .pryx/types, which is written anew when pryx is newer. The folder becomes the root that an automation's paths are relative to.",
  input: {
    type: "object",
    properties: { folder: { type: "string", description: "The project's folder; this one by default" } },
  },
  positionals: ["folder"],
  complete: { folder: "folders" },
  examples: [
    { line: "pryx init", note: "Set up the project in this folder" },
    { line: "pryx init tools", note: "Another folder, made when it is not there" },
  ],
  async run({ folder = "." }, ctx) {
    const automations = await ctx.automations();
    const root = resolve(ctx.cwd, folder);
    const types = await automations.typeFiles();
    const wanted: Wanted[] = [
      ...Object.entries(types).map(([name, text]) => ({
        path: `.pryx/types/${name}`,
        text: TYPES_HEADER + text,
        mode: 0o644,
        own: true,
      })),
      { path: "automations/tsconfig.json", text: TSCONFIG, mode: 0o644, own: false },
      { path: "automations/hello.pryx.ts", text: FIRST_AUTOMATION, mode: 0o755, own: false },
    ];
    for (const path of [".pryx", ".pryx/types", "automations"]) await makeFolder(join(root, path));
    const files: { path: string; outcome: Outcome }[] = [];
    for (const one of wanted) files.push({ path: one.path, outcome: await put(root, one) });
    return {
      data: { root, files } as unknown as Json,
      text: escapeForDisplay(textOf(files, relative(ctx.cwd, root))),
    };
  },
})];

/** A folder that is one: through a link, files would be written somewhere else. */
async function makeFolder(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true });
    if ((await Deno.lstat(path)).isDirectory) return;
  } catch (error) {
    throw new PryxError("io", `Cannot make the folder ${path}: ${messageOf(error)}`, { cause: error });
  }
  throw new PryxError("io", `Cannot write into ${path}: it is a link`, {
    fix: "remove the link, or run pryx init where it leads",
  });
}

async function put(root: string, { path, text, mode, own }: Wanted): Promise<Outcome> {
  const full = join(root, path);
  try {
    if (await create(full, text, mode)) return "written";
    if (!own) return "kept";
    const info = await Deno.lstat(full);
    const before = info.isFile ? await Deno.readTextFile(full) : "";
    if (before === text) return "current";
    const version = writtenBy(before);
    if (version === undefined || isNewer(version, VERSION)) return "kept";
    const temporary = join(dirname(full), `.${crypto.randomUUID().slice(0, 8)}.tmp`);
    await create(temporary, text, mode);
    await Deno.rename(temporary, full);
    return "updated";
  } catch (error) {
    throw new PryxError("io", `Cannot write ${full}: ${messageOf(error)}`, { cause: error });
  }
}

/** False when there is something already. */
async function create(path: string, text: string, mode: number): Promise<boolean> {
  try {
    await Deno.writeTextFile(path, text, { createNew: true, mode });
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    throw error;
  }
}

/** By the three numbers of a version; what stands behind them does not count. */
function isNewer(a: string, b: string): boolean {
  const numbers = (version: string) => version.split(/[.+-]/, 3).map(Number);
  const [left, right] = [numbers(a), numbers(b)];
  const differs = left.findIndex((number, index) => number !== right[index]);
  return differs >= 0 && (left[differs] ?? 0) > (right[differs] ?? 0);
}

const SAYS: Readonly<Record<Outcome, string>> = {
  written: "Written",
  updated: "Written anew: pryx has changed",
  current: "As this pryx writes it",
  kept: "Left alone: it was there",
};

function textOf(files: readonly { path: string; outcome: Outcome }[], folder: string): string {
  const groups = (Object.keys(SAYS) as Outcome[]).flatMap((outcome) => {
    const paths = files.filter((one) => one.outcome === outcome).map(({ path }) => `  ${join(folder, path)}`);
    return paths.length === 0 ? [] : [SAYS[outcome], ...paths, ""];
  });
  return [
    ...groups,
    "Next",
    ...(folder === "" ? [] : [`  cd ${folder}`]),
    "  pryx run automations/hello.pryx.ts   run the first one",
    "  pryx check                           check types and permissions of all automations",
    "  pryx check --update                  write pryx.lock, which CI holds them to",
  ].join("\n");
}
