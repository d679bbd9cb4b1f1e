import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { readTree } from "../../scripts/check_layers.ts";
import { checkLayers, formatViolation, MAX_LINES } from "../../scripts/layer_rules.ts";

const script = fileURLToPath(new URL("../../scripts/check_layers.ts", import.meta.url));

/** A tree that keeps every rule, with one file of each layer. */
const CLEAN = {
  "deno.json": `{ "imports": { "zod": "npm:zod@4.6.7" } }`,
  "main.ts":
    `import { createPryx } from "./core/pryx.ts"; import "./core/program.ts"; import "./repl/cli.ts";\ncreatePryx;`,
  "core/domain/need.ts": `export interface Need { kind: string }`,
  "core/domain/event.ts": `import type { Need } from "./need.ts"; export type Event = Need;`,
  "core/api.ts":
    `import type { Need } from "./domain/need.ts"; import type { Command } from "./commands/command.ts";
export type Api = [Need, Command];`,
  "core/commands/command.ts":
    `import type { Api } from "../api.ts"; import type { Store } from "../store/store.ts";
export type Command = () => [Api, Store];`,
  "core/store/store.ts": `import type { Need } from "../domain/need.ts"; export type Store = Need;`,
  "core/store/sqlite.ts":
    `import type { Store } from "./store.ts"; import { rows } from "./_rows.ts"; import { z } from "zod";
export const open = (): Store | undefined => (rows, z, undefined);`,
  "core/store/_rows.ts": `import { DatabaseSync } from "node:sqlite"; export const rows = DatabaseSync;`,
  "core/tools/tool.ts": `import type { Need } from "../domain/need.ts"; export type Tool = Need;`,
  "core/tools/shell.ts":
    `import type { Tool } from "./tool.ts"; import type { Store } from "../store/store.ts";
export const shell = (): [Tool, Store] | undefined => undefined;`,
  "core/policy/policy.ts": `import type { Need } from "../domain/need.ts"; export type Policy = Need;`,
  "core/policy/evaluate.ts":
    `import type { Policy } from "./policy.ts"; export const evaluate = (p: Policy) => p;`,
  "core/agent/turn.ts":
    `import { evaluate } from "../policy/evaluate.ts"; import type { Tool } from "../tools/tool.ts";
export const turn = (t: Tool) => (evaluate, t);`,
  "core/pryx.ts": `import { turn } from "./agent/turn.ts"; export const createPryx = turn;`,
  "core/builtins.ts": `export { open } from "./store/sqlite.ts";`,
  "core/command_index.ts": `export const COMMANDS = [() => import("./commands/list.ts")];`,
  "core/part_index.ts": `export const runPart = () => import("./store/sqlite.ts");`,
  "core/program.ts": `import { COMMANDS } from "./command_index.ts";
export const program = async () => [COMMANDS, (await import("./builtins.ts")).open];`,
  "repl/cli.ts":
    `import type { Api } from "../core/api.ts"; import type { Command } from "../core/commands/command.ts";
export type Cli = [Api, Command];`,
  "web/server.ts": `import type { Api } from "../core/api.ts"; export type Server = Api;`,
  "workers/auth.ts": `import type { Need } from "../core/domain/need.ts"; // Deno.env is not here
export type Auth = Need;`,
  "tests/store_test.ts": `import { open } from "../core/store/sqlite.ts"; open();`,
};

async function plant(files: Record<string, string>): Promise<string[]> {
  const root = await Deno.realPath(await Deno.makeTempDir({ prefix: "pryx layers " }));
  try {
    for (const [path, text] of Object.entries({ ...CLEAN, ...files })) {
      await Deno.mkdir(dirname(join(root, path)), { recursive: true });
      await Deno.writeTextFile(join(root, path), text);
    }
    return checkLayers(await readTree(root)).map(formatViolation);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("checkLayers() finds nothing in a clean tree", async () => {
  assert.deepEqual(await plant({}), []);
});

const PLANTED: [name: string, path: string, source: string, expected: RegExp][] = [
  [
    "a type-only import between adapters",
    "core/tools/grep.ts",
    `// first\nimport type { rows } from "../store/_rows.ts"; export type R = typeof rows;`,
    /^core\/tools\/grep\.ts:2: imports core\/store\/_rows\.ts: adapters never import each other/,
  ],
  [
    "a dynamic import between adapters",
    "core/tools/grep.ts",
    `export const f = () => import("../store/sqlite.ts");`,
    /^core\/tools\/grep\.ts:1: imports core\/store\/sqlite\.ts/,
  ],
  [
    "an inline type import",
    "core/tools/grep.ts",
    `export type R = import("../policy/evaluate.ts").Nothing;`,
    /^core\/tools\/grep\.ts:1: imports core\/policy\/evaluate\.ts/,
  ],
  [
    "a library in the domain",
    "core/domain/a.ts",
    `import { z } from "zod"; export const a = z;`,
    /^core\/domain\/a\.ts:1: imports zod: core\/domain imports nothing/,
  ],
  [
    "node in the domain",
    "core/domain/a.ts",
    `import { join } from "node:path"; export const a = join;`,
    /^core\/domain\/a\.ts:1: imports node:path/,
  ],
  [
    "the domain reaching up",
    "core/domain/a.ts",
    `import type { Api } from "../api.ts"; export type A = Api;`,
    /^core\/domain\/a\.ts:1: imports core\/api\.ts/,
  ],
  [
    "a library in the API",
    "core/api.ts",
    `import type { z } from "zod"; export type Api = typeof z;`,
    /^core\/api\.ts:1: imports zod: core\/api\.ts is types only/,
  ],
  [
    "a port other than commands in the API",
    "core/api.ts",
    `import type { Store } from "./store/store.ts"; export type Api = Store;`,
    /^core\/api\.ts:1: imports core\/store\/store\.ts/,
  ],
  [
    "a port that knows its adapter",
    "core/store/store.ts",
    `import type { open } from "./sqlite.ts"; export type Store = typeof open;`,
    /^core\/store\/store\.ts:1: imports core\/store\/sqlite\.ts: a port is only a shape/,
  ],
  [
    "policy that knows a store",
    "core/policy/grants.ts",
    `import type { Store } from "../store/store.ts"; export type G = Store;`,
    /^core\/policy\/grants\.ts:1: imports core\/store\/store\.ts: policy judges values/,
  ],
  [
    "an agent that knows an adapter",
    "core/agent/loop.ts",
    `import { shell } from "../tools/shell.ts"; export const l = shell;`,
    /^core\/agent\/loop\.ts:1: imports core\/tools\/shell\.ts: the agent works with what it is given/,
  ],
  [
    "an adapter constructed in pryx.ts",
    "core/pryx.ts",
    `import { open } from "./store/sqlite.ts"; export const createPryx = open;`,
    /^core\/pryx\.ts:1: imports core\/store\/sqlite\.ts/,
  ],
  [
    "an adapter loaded at start",
    "core/program.ts",
    `import { open } from "./builtins.ts"; export const store = open;`,
    /^core\/program\.ts:1: imports core\/builtins\.ts: built-in adapters are loaded when the first of them is used/,
  ],
  [
    "a command loaded before its word is typed",
    "core/command_index.ts",
    `import { list } from "./commands/list.ts"; export const COMMANDS = [list];`,
    /^core\/command_index\.ts:1: imports core\/commands\/list\.ts: a command is loaded when its word is typed/,
  ],
  [
    "a part loaded before its process begins",
    "core/part_index.ts",
    `import { open } from "./store/sqlite.ts"; export const runPart = open;`,
    /^core\/part_index\.ts:1: imports core\/store\/sqlite\.ts: a part is loaded when its process begins/,
  ],
  [
    "a part that knows a surface",
    "core/part_index.ts",
    `export const runPart = () => import("../repl/cli.ts");`,
    /^core\/part_index\.ts:1: imports repl\/cli\.ts: core\/part_index\.ts lists what runs as a process of its own/,
  ],
  [
    "a surface that looks behind the API",
    "repl/cli.ts",
    `import type { Store } from "../core/store/store.ts"; export type C = Store;`,
    /^repl\/cli\.ts:1: imports core\/store\/store\.ts: surfaces speak to/,
  ],
  [
    "a surface in the program",
    "core/program.ts",
    `import type { Cli } from "../repl/cli.ts"; export type P = Cli;`,
    /^core\/program\.ts:1: imports repl\/cli\.ts: core\/program\.ts composes/,
  ],
  [
    "pryx.ts with the program",
    "core/pryx.ts",
    `import type { P } from "./program.ts"; export type Q = P; export const createPryx = 1;`,
    /^core\/pryx\.ts:1: imports core\/program\.ts/,
  ],
  [
    "a surface that uses another",
    "web/server.ts",
    `import type { Cli } from "../repl/cli.ts"; export type C = Cli;`,
    /^web\/server\.ts:1: imports repl\/cli\.ts/,
  ],
  [
    "main.ts with an adapter",
    "main.ts",
    `import { open } from "./core/store/sqlite.ts"; open();`,
    /^main\.ts:1: imports core\/store\/sqlite\.ts: main\.ts puts/,
  ],
  [
    "a test that imports main.ts",
    "tests/main_test.ts",
    `import "../main.ts";`,
    /^tests\/main_test\.ts:1: imports main\.ts: nobody imports main\.ts/,
  ],
  [
    "the program importing a script",
    "core/tools/grep.ts",
    `import "../../scripts/build.ts";`,
    /^core\/tools\/grep\.ts:1: imports scripts\/build\.ts/,
  ],
  [
    "Deno in a worker",
    "workers/auth.ts",
    `/* Deno.env */\nexport const key = Deno.env.get("K");`,
    /^workers\/auth\.ts:2: uses Deno/,
  ],
  [
    "more of core than the domain in a worker",
    "workers/auth.ts",
    `import type { Api } from "../core/api.ts"; export type A = Api;`,
    /^workers\/auth\.ts:1: imports core\/api\.ts: workers run elsewhere/,
  ],
  [
    "a folder without an owner",
    "core/tools/utils/a.ts",
    `export const a = 1;`,
    /^core\/tools\/utils\/a\.ts:1: .*"utils"/,
  ],
  ["a folder outside the layout", "core/stuff/a.ts", `export const a = 1;`, /^core\/stuff\/a\.ts:1: is here/],
  [
    "a barrel file",
    "core/tools/all.ts",
    `// export * from "./no.ts";\nexport * from "./shell.ts";`,
    /^core\/tools\/all\.ts:2: re-exports everything/,
  ],
  [
    "a file that is too long",
    "core/tools/long.ts",
    "// x\n".repeat(MAX_LINES + 1),
    /^core\/tools\/long\.ts:601: has 601 lines/,
  ],
];

Deno.test("checkLayers() finds each planted violation, and nothing else", async (t) => {
  for (const [name, path, source, expected] of PLANTED) {
    await t.step(name, async () => {
      const found = await plant({ [path]: source });
      assert.equal(found.length, 1, found.join("\n"));
      assert.match(found[0] ?? "", expected);
    });
  }
});

Deno.test("checkLayers() leaves long tests and generated files alone", async () => {
  const long = "// x\n".repeat(MAX_LINES + 1);
  assert.deepEqual(
    await plant({ "tests/long_test.ts": long, "core/tools/table.ts": `// Generated by x.ts\n${long}` }),
    [],
  );
});

Deno.test("check_layers.ts exits 1 and prints file and line when a violation is planted", async () => {
  const root = await Deno.makeTempDir();
  try {
    await Deno.mkdir(join(root, "core/domain"), { recursive: true });
    await Deno.writeTextFile(join(root, "core/domain/a.ts"), `import "node:fs";`);
    const args = ["run", "-A", "--no-lock", script, root];
    const bad = await new Deno.Command(Deno.execPath(), { args }).output();
    assert.equal(bad.code, 1);
    assert.match(new TextDecoder().decode(bad.stdout), /^core\/domain\/a\.ts:1: imports node:fs/);
    await Deno.writeTextFile(join(root, "core/domain/a.ts"), `export const a = 1;`);
    const good = await new Deno.Command(Deno.execPath(), { args }).output();
    assert.equal(good.code, 0, new TextDecoder().decode(good.stdout));
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
