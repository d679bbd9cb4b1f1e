import assert from "node:assert/strict";
import ts from "typescript";
import { loadCompiler } from "../../core/automation/_compiler.ts";
import { DECLARATIONS } from "../../core/automation/_declarations.ts";
import { problemsOf } from "./_check.ts";
import { inContext } from "./_context.ts";

/** In the context, and not declared: `eval` only says that it is not available, Temporal is not in every runtime. */
const NOT_DECLARED = ["Temporal", "eval", "globalThis", "undefined"];
/** Properties of each object that its declaration puts with what is inherited. */
const OWN = new RegExp(
  "(Error|DOMException)#(stack|cause|errors|error|suppressed|code|fix|command|exitCode|stdout|stderr|status|response)$|" +
    "^Function#prototype$|^RegExp#lastIndex$|^Iterator#",
);

/** What stands in the declarations, as the compiler understands them. */
interface Declared {
  /** Name of a global, or `pryx.` and that of an export; members of it, and of its prototype. */
  readonly members:
    readonly (readonly [name: string, own: readonly string[], inherited: readonly string[]])[];
  /** Those that are not the language's. */
  readonly ours: ReadonlySet<string>;
}

async function declared(): Promise<Declared> {
  const { libraryFile, libraryFolder } = await loadCompiler();
  const texts = new Map(Object.entries(DECLARATIONS).map(([name, text]) => [`/${name}`, text]));
  const host: ts.CompilerHost = {
    ...ts.createCompilerHost({}),
    getSourceFile(path, target) {
      const text = texts.get(path);
      return text === undefined ? libraryFile(path) : ts.createSourceFile(path, text, target);
    },
    getDefaultLibLocation: () => libraryFolder,
  };
  const options: ts.CompilerOptions = { lib: ["lib.esnext.d.ts"], types: [], strict: true };
  const program = ts.createProgram([...texts.keys()], options, host);
  const checker = program.getTypeChecker();
  const module = program.getSourceFile("/pryx.d.ts");
  const symbol = module && checker.getSymbolAtLocation(module);
  assert.ok(module && symbol);
  const names = (type: ts.Type) =>
    type.getProperties().map(({ escapedName }) => `${escapedName}`.replace(/^__@(\w+)@\d+$/, "@@$1"));
  const ours = new Set<string>();
  const entry = (one: ts.Symbol, prefix: string) => {
    const name = prefix + one.name;
    const type = checker.getTypeOfSymbolAtLocation(one, module);
    const prototype = type.getProperty("prototype");
    const instance = prototype && checker.getTypeOfSymbolAtLocation(prototype, module);
    if (one.declarations?.some((at) => texts.has(at.getSourceFile().fileName))) ours.add(name);
    return [name, names(type), instance ? names(instance) : []] as const;
  };
  const isValue = ({ flags }: ts.Symbol) => (flags & ts.SymbolFlags.Value) !== 0;
  const exported = checker.getExportsOfModule(symbol).filter(isValue);
  const scope = program.getSourceFile("/globals.d.ts");
  assert.ok(scope);
  const globals = checker.getSymbolsInScope(scope, ts.SymbolFlags.Value);
  return {
    members: [
      ...globals.map((one) => entry(one, "")),
      ...exported.map((one) => entry(one, "pryx.")),
    ],
    ours,
  };
}

Deno.test("the context has exactly the globals that are declared", async () => {
  const { members } = await declared();
  const names = members.map(([name]) => name).filter((name) => !name.startsWith("pryx."));
  const there: string[] = JSON.parse(
    await inContext("console.log(JSON.stringify(Object.getOwnPropertyNames(globalThis)))"),
  );
  const ignored = (name: string) => NOT_DECLARED.includes(name);
  assert.deepEqual(
    names.filter((name) => !ignored(name)).sort(),
    there.filter((name) => !ignored(name)).sort(),
  );
  assert.ok(there.length > 70);
});

Deno.test("whatever is declared of a global or of the module, it has at run time, and what is ours has nothing else", async () => {
  const { members, ours } = await declared();
  const printed = await inContext(`
    const pryx = require("pryx");
    const isObject = (value) => value !== null && ["object", "function"].includes(typeof value);
    const has = (object, key) => key.startsWith("@@") ? Symbol[key.slice(2)] in object : key in object;
    const names = (object) => Object.getOwnPropertyNames(object);
    const IGNORED = ["constructor", "prototype", "length", "name"];
    const missing = [], undeclared = [];
    for (const [name, own, inherited, isOurs] of ${
    JSON.stringify(members.map(([name, own, inherited]) => [name, own, inherited, ours.has(name)]))
  }) {
      const value = name.startsWith("pryx.") ? pryx[name.slice(5)] : globalThis[name];
      if (!isObject(value)) continue;
      for (const key of own) if (!has(value, key)) missing.push(name + "." + key);
      const { prototype } = value;
      for (const key of inherited) if (prototype && !has(prototype, key)) missing.push(name + "#" + key);
      if (!isOurs) continue;
      const visible = typeof value === "function" ? names(value) : [
        ...names(value), ...(Object.getPrototypeOf(value) === Object.prototype ? [] : names(Object.getPrototypeOf(value))),
      ];
      for (const key of visible) {
        if (!own.includes(key) && !IGNORED.includes(key)) undeclared.push(name + "." + key);
      }
      for (const key of typeof value === "function" && prototype ? names(prototype) : []) {
        if (!inherited.includes(key) && !IGNORED.includes(key)) undeclared.push(name + "#" + key);
      }
    }
    console.log(JSON.stringify({ missing, undeclared }));`);
  const { missing, undeclared }: Record<string, string[]> = JSON.parse(printed);
  assert.ok(missing && undeclared);
  assert.deepEqual({ missing: missing.filter((name) => !OWN.test(name)), undeclared }, {
    missing: [],
    undeclared: [],
  });
});

Deno.test("the public declarations are right in themselves", () => {
  const texts = new Map(Object.entries(DECLARATIONS).map(([name, text]) => [`/${name}`, text]));
  const options: ts.CompilerOptions = {
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    target: ts.ScriptTarget.ESNext,
    module: ts.ModuleKind.ESNext,
    noEmit: true,
    types: [],
    lib: ["lib.esnext.d.ts"],
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  host.getSourceFile = (path, target, ...rest) => {
    const text = texts.get(path);
    return text === undefined
      ? getSourceFile.call(host, path, target, ...rest)
      : ts.createSourceFile(path, text, target);
  };
  const program = ts.createProgram([...texts.keys()], options, host);
  const found = ts.getPreEmitDiagnostics(program).map(({ messageText, start, file }) =>
    `${file?.fileName}:${start} ${ts.flattenDiagnosticMessageText(messageText, "\n")}`
  );
  assert.deepEqual(found, []);
});

Deno.test("globals.d.ts is formatted like the rest of the tree", async () => {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--check", "--line-width", "110", "--ext", "ts", "-"],
    stdin: "piped",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(DECLARATIONS["globals.d.ts"]));
  await writer.close();
  assert.equal((await child.status).code, 0);
});

Deno.test("globals have the types that people use", async () => {
  const problems = await problemsOf(`
const timer: number = setTimeout((a: string, b: number) => a.repeat(b), 5, "x", 2);
clearTimeout(timer);
setInterval(() => {}, 10);
queueMicrotask(async () => {});
const url = new URL("./x?y=1", "https://example.org");
for (const [name, value] of url.searchParams) console.log(name.trim(), value.trim());
const names: string[] = [...new URLSearchParams({ a: "1" }).keys()].map((name) => name.trim());
const bytes: Uint8Array<ArrayBuffer> = new TextEncoder().encode("text");
const text: string = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(1), { stream: true });
const controller = new AbortController();
controller.signal.addEventListener("abort", (event) => event.preventDefault(), { once: true });
const signal: AbortSignal = AbortSignal.any([controller.signal, AbortSignal.timeout(5)]);
signal.throwIfAborted();
const copy: Map<string, number> = structuredClone(new Map([["a", 1]]));
const random: Uint8Array = crypto.getRandomValues(new Uint8Array(4));
const error = new DOMException("text", "AbortError");
console.log(names, text, copy, random, error.name, crypto.randomUUID(), performance.now(), atob(btoa("a")));
`);
  assert.deepEqual(problems, []);
});
