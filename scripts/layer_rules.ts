/**
 * The dependency rule (README, "Layout"): which part of the tree may import which, and a few rules of shape that keep
 * it readable. Pure: a graph goes in, violations come out. scripts/check_layers.ts reads the graph.
 */

export interface Import {
  /** Path from the root of the tree, or the bare specifier (`zod`, `node:path`) of what is not in the tree. */
  readonly target: string;
  /** From 1. */
  readonly line: number;
  readonly typeOnly: boolean;
  /** `import()`: loaded when it is reached, not at start. */
  readonly dynamic: boolean;
}

export interface SourceFile {
  /** Path from the root of the tree, with `/`. */
  readonly path: string;
  readonly source: string;
  readonly imports: readonly Import[];
}

export interface Violation {
  readonly path: string;
  readonly line: number;
  /** What stands there: `imports core/tools/shell.ts`. */
  readonly what: string;
  readonly reason: string;
}

export const MAX_LINES = 600;

/** The interfaces that adapters implement and everything else is written against. */
const PORTS = new Set([
  "core/automation/automation.ts",
  "core/channels/channel.ts",
  "core/commands/command.ts",
  "core/config/config.ts",
  "core/policy/policy.ts",
  "core/providers/provider.ts",
  "core/sandbox/sandbox.ts",
  "core/secrets/secret_store.ts",
  "core/store/store.ts",
  "core/tools/tool.ts",
]);

const ADAPTER_FOLDERS = new Set([
  "automation",
  "channels",
  "commands",
  "config",
  "lifecycle",
  "mcp",
  "observe",
  "providers",
  "sandbox",
  "secrets",
  "store",
  "tools",
]);

type Layer =
  | "main"
  | "program"
  | "builtins"
  | "index"
  | "parts"
  | "pryx"
  | "api"
  | "port"
  | "domain"
  | "agent"
  | "policy"
  | "adapter"
  | "surface"
  | "workers"
  | "scripts"
  | "tests"
  | "external"
  | "unknown";

interface Place {
  readonly layer: Layer;
  /** The folder that counts as "its own": `core/tools`, `repl`. */
  readonly folder: string;
}

function placeOf(path: string): Place {
  const [top = "", second = ""] = path.split("/");
  if (path === "main.ts") return { layer: "main", folder: "" };
  if (top === "repl" || top === "web") return { layer: "surface", folder: top };
  if (top === "workers") return { layer: "workers", folder: top };
  if (top === "scripts" || top === "tests") return { layer: top, folder: top };
  if (top !== "core") return { layer: path.includes(".") ? "unknown" : "external", folder: "" };
  const folder = `core/${second}`;
  if (path === "core/program.ts") return { layer: "program", folder: "core" };
  if (path === "core/command_index.ts") return { layer: "index", folder: "core" };
  if (path === "core/part_index.ts") return { layer: "parts", folder: "core" };
  if (path === "core/builtins.ts") return { layer: "builtins", folder: "core" };
  if (path === "core/pryx.ts") return { layer: "pryx", folder: "core" };
  if (path === "core/api.ts") return { layer: "api", folder: "core" };
  if (PORTS.has(path)) return { layer: "port", folder };
  if (second === "domain" || second === "agent" || second === "policy") return { layer: second, folder };
  if (ADAPTER_FOLDERS.has(second)) return { layer: "adapter", folder };
  return { layer: "unknown", folder };
}

/** What each layer may import beside files of its own folder. */
const MAY_IMPORT: Readonly<Partial<Record<Layer, readonly Layer[]>>> = {
  main: ["program", "parts", "pryx", "api", "domain", "surface"],
  program: ["index", "builtins", "pryx", "agent", "adapter", "policy", "port", "api", "domain"],
  builtins: ["adapter", "port", "api", "domain", "policy"],
  index: ["adapter", "port"],
  parts: ["adapter", "agent"],
  pryx: ["agent", "policy", "port", "api", "domain"],
  agent: ["policy", "port", "api", "domain"],
  policy: ["domain"],
  adapter: ["port", "api", "domain"],
  port: ["port", "api", "domain"],
  surface: ["api", "domain"],
  workers: ["domain"],
  domain: [],
};

/** Single files that a layer may import although its layer may not. */
const ALSO: Readonly<Record<string, readonly string[]>> = {
  // The process of an automation starts before the program is read.
  main: ["core/config/paths.ts", "core/commands/command.ts", "core/sandbox/cell_process.ts"],
  surface: ["core/commands/command.ts"],
  api: ["core/commands/command.ts"],
};

const SAYS: Readonly<Partial<Record<Layer, string>>> = {
  main:
    "main.ts puts the program and its surfaces together; what the program is made of, core/program.ts knows",
  program: "core/program.ts composes what commands work with; surfaces are main.ts's",
  builtins: "core/builtins.ts lists adapters; it imports adapters, ports and core/domain",
  index: "core/command_index.ts lists commands; it imports them, when their word is typed",
  parts: "core/part_index.ts lists what runs as a process of its own; it imports it, when its process begins",
  pryx: "core/pryx.ts wires ports and constructs no adapter: it is given its parts",
  agent: "the agent works with what it is given: policy, ports and core/domain",
  policy: "policy judges values: it imports core/domain and its port",
  adapter: "adapters never import each other: what one needs of another it is given through that one's port",
  port: "a port is only a shape: it imports core/domain, core/api.ts and other ports",
  surface: "surfaces speak to core/api.ts, core/domain and commands, never to what is behind them",
  workers: "workers run elsewhere: they import core/domain only",
  domain: "core/domain imports nothing",
  api: "core/api.ts is types only: it imports core/domain and core/commands/command.ts",
};

/** Every violation in the tree, in the order of files. */
export function checkLayers(files: readonly SourceFile[]): Violation[] {
  return files.flatMap((file) => [...checkImports(file), ...checkShape(file)]);
}

function checkImports(file: SourceFile): Violation[] {
  const from = placeOf(file.path);
  if (from.layer === "unknown") {
    const reason = "it stands in no folder of the layout: put it where its kind belongs";
    return [{ path: file.path, line: 1, what: "is here", reason }];
  }
  const found: Violation[] = [];
  for (const one of file.imports) {
    const reason = whyNot(file.path, from, one);
    if (reason) found.push({ path: file.path, line: one.line, what: `imports ${one.target}`, reason });
  }
  return found;
}

/** Why `from` may not import `one`; undefined when it may. */
function whyNot(path: string, from: Place, one: Import): string | undefined {
  if (one.target === "main.ts") return "nobody imports main.ts: it runs on import";
  if (from.layer === "tests" || from.layer === "scripts") return undefined;
  const external = !/^(core|repl|web|workers|scripts|tests)\/|^main\.ts$|^deno\.json$/.test(one.target);
  if (external || one.target === "deno.json") {
    if (from.layer === "domain" || from.layer === "api") return SAYS[from.layer];
    return undefined;
  }
  const to = placeOf(one.target);
  if (to.layer === "tests" || to.layer === "scripts") {
    return "the program does not import its tests and scripts";
  }
  if (ALSO[from.layer]?.includes(one.target)) return undefined;
  if (from.layer === "api") return to.layer === "domain" ? undefined : SAYS.api;
  // A port stands in its adapters' folder and is theirs to implement, not the other way round.
  if (
    from.folder === to.folder && from.layer !== "port" &&
    !["builtins", "index", "parts", "program", "pryx"].includes(from.layer)
  ) {
    return undefined;
  }
  if (!MAY_IMPORT[from.layer]?.includes(to.layer)) return SAYS[from.layer] ?? `${path} may not import it`;
  if (from.layer === "index" && to.layer === "adapter" && !one.dynamic && !one.typeOnly) {
    return "a command is loaded when its word is typed: write `import()`";
  }
  if (from.layer === "parts" && !one.dynamic && !one.typeOnly) {
    return "a part is loaded when its process begins: write `import()`";
  }
  if (from.layer === "program" && to.layer === "builtins" && !one.dynamic && !one.typeOnly) {
    return "built-in adapters are loaded when the first of them is used: write `await import()`";
  }
  return undefined;
}

function checkShape(file: SourceFile): Violation[] {
  const found: Violation[] = [];
  const { path, source } = file;
  const { layer } = placeOf(path);
  const banned = path.split("/").slice(0, -1).find((part) => /^(utils?|helpers?|common)$/.test(part));
  if (banned) {
    const reason = "name a folder for what it owns; code without an owner gathers under such a name";
    found.push({ path, line: 1, what: `stands in "${banned}"`, reason });
  }
  const lines = source.split("\n").length - (source.endsWith("\n") ? 1 : 0);
  // A public API's declarations are one document, which is read from its index.
  const document = path.endsWith(".d.ts");
  if (lines > MAX_LINES && layer !== "tests" && !document && !isGenerated(source)) {
    found.push({
      path,
      line: MAX_LINES + 1,
      what: `has ${lines} lines`,
      reason: `a file has ${MAX_LINES} at most`,
    });
  }
  const code = blankComments(source).split("\n");
  code.forEach((text, index) => {
    const line = index + 1;
    if (path.startsWith("core/") && /^\s*export\s+(type\s+)?\*/.test(text)) {
      found.push({
        path,
        line,
        what: "re-exports everything",
        reason: "no barrel files in core: import the file",
      });
    }
    if (layer === "workers" && /\bDeno\s*[.[]/.test(text)) {
      found.push({ path, line, what: "uses Deno", reason: "workers run where there is no Deno" });
    }
  });
  return found;
}

function isGenerated(source: string): boolean {
  return /^\/[/*].*\bgenerated\b/i.test(source.slice(0, 400).split("\n", 1)[0] ?? "");
}

/** The source with comments and the inside of strings as spaces, lines kept, so that words in them do not count. */
function blankComments(source: string): string {
  const token = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g;
  return source.replace(token, (text) => text.replace(/[^\n]/g, " "));
}

/** `core/tools/a.ts:3: imports core/store/sqlite.ts: adapters never …` */
export function formatViolation(violation: Violation): string {
  return `${violation.path}:${violation.line}: ${violation.what}: ${violation.reason}`;
}
