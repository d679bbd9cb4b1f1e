import assert from "node:assert/strict";
import { createContext, runInContext } from "node:vm";
import ts from "typescript";
import { loadCompiler } from "../../core/automation/_compiler.ts";
import { DECLARATIONS } from "../../core/automation/_declarations.ts";
import { problemsOf } from "./_check.ts";

/** What the context has beside the language: the one list that both sides are held to. */
const GUEST_GLOBALS = [
  "AbortController",
  "AbortSignal",
  "DOMException",
  "Event",
  "EventTarget",
  "TextDecoder",
  "TextEncoder",
  "URL",
  "URLSearchParams",
  "atob",
  "btoa",
  "clearInterval",
  "clearTimeout",
  "console",
  "crypto",
  "performance",
  "queueMicrotask",
  "setInterval",
  "setTimeout",
  "structuredClone",
];

/** What is taken out of the context because it would reach too far. */
const TAKEN_OUT = ["SharedArrayBuffer", "Atomics", "WebAssembly", "eval"];
/** What this runtime has and the oldest one does not, or what has no declaration anywhere. */
const NOT_DECLARED = ["Temporal", "globalThis", "undefined"];

/** Names that a file of declarations makes at the top, as values. */
function valuesOf(file: ts.SourceFile, statements: readonly ts.Statement[] = file.statements): string[] {
  return statements.flatMap((statement) => {
    if (ts.isVariableStatement(statement)) {
      return statement.declarationList.declarations.map(({ name }) => name.getText(file));
    }
    if (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) {
      return statement.name ? [statement.name.text] : [];
    }
    if (!ts.isModuleDeclaration(statement) || !statement.body || !ts.isModuleBlock(statement.body)) return [];
    const values = valuesOf(file, statement.body.statements);
    if (statement.name.text === "global") return values;
    // A namespace is a value where it holds one.
    return values.length > 0 ? [statement.name.text] : [];
  });
}

Deno.test("globals.d.ts declares exactly what the context has beside the language", () => {
  const file = ts.createSourceFile("globals.d.ts", DECLARATIONS["globals.d.ts"], ts.ScriptTarget.ESNext);
  assert.deepEqual(valuesOf(file).sort(), [...GUEST_GLOBALS].sort());
});

Deno.test("the library has exactly the language's globals that a context has and keeps", async () => {
  const { libraryFile, libraryFolder } = await loadCompiler();
  const declared = new Set<string>();
  const seen = new Set<string>();
  const read = (name: string) => {
    if (seen.has(name)) return;
    seen.add(name);
    const file = libraryFile(`${libraryFolder}/lib.${name}.d.ts`);
    assert.ok(file, name);
    for (const value of valuesOf(file)) declared.add(value);
    for (const { fileName } of file.libReferenceDirectives) read(fileName);
  };
  read("esnext");
  const context = createContext(Object.create(null));
  const names: string[] = [...runInContext("Object.getOwnPropertyNames(globalThis)", context)];
  const there = names.filter((name) => ![...TAKEN_OUT, ...NOT_DECLARED, ...GUEST_GLOBALS].includes(name));
  assert.deepEqual(
    {
      only_declared: [...declared].filter((name) => !there.includes(name)),
      only_there: there.filter((name) => !declared.has(name)),
    },
    { only_declared: [], only_there: [] },
  );
  assert.ok(there.length > 50);
});

Deno.test("whatever the library says that a global of the language has, it has at run time", async () => {
  const { libraryFile, libraryFolder } = await loadCompiler();
  const source = ts.createSourceFile("/empty.ts", "export {};", ts.ScriptTarget.ESNext);
  const host: ts.CompilerHost = {
    ...ts.createCompilerHost({}),
    getSourceFile: (path) => path === source.fileName ? source : libraryFile(path),
    getDefaultLibLocation: () => libraryFolder,
  };
  const options: ts.CompilerOptions = { lib: ["lib.esnext.d.ts"], types: [], strict: true };
  const checker = ts.createProgram([source.fileName], options, host).getTypeChecker();
  const members = (type: ts.Type) =>
    type.getProperties().map(({ escapedName }) => `${escapedName}`.replace(/^__@(\w+)@\d+$/, "@@$1"));
  const declared = checker.getSymbolsInScope(source, ts.SymbolFlags.Value).map((symbol) => {
    const type = checker.getTypeOfSymbolAtLocation(symbol, source);
    const prototype = type.getProperty("prototype");
    const instance = prototype && checker.getTypeOfSymbolAtLocation(prototype, source);
    return [symbol.name, members(type), instance ? members(instance) : []] as const;
  });
  assert.ok(declared.length > 50);
  const look = `JSON.stringify(${JSON.stringify(declared)}.flatMap(([name, own, inherited]) => {
    const value = globalThis[name];
    if (value === null || !["object", "function"].includes(typeof value)) return [];
    const has = (object, key) => key.startsWith("@@") ? Symbol[key.slice(2)] in object : key in object;
    return [
      ...own.filter((key) => !has(value, key)).map((key) => name + "." + key),
      ...inherited.filter((key) => !has(value.prototype, key)).map((key) => name + "#" + key),
    ];
  }))`;
  const missing: string[] = JSON.parse(runInContext(look, createContext(Object.create(null))));
  // These are properties of each object, not of what it inherits from.
  const own =
    /Error#(stack|cause|errors|error|suppressed)$|^Function#prototype$|^RegExp#lastIndex$|^Iterator#/;
  assert.deepEqual(missing.filter((name) => !own.test(name)), []);
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
