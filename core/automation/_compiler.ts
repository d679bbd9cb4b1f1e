import { posix } from "node:path";
import type TypeScript from "typescript";
import { messageOf, PryxError } from "../domain/error.ts";

/** The TypeScript compiler, and the language's library as automations have it. */
export interface Compiler {
  readonly ts: typeof TypeScript;
  /** Folder that counts as the library's, with `/` as the compiler writes paths. */
  readonly libraryFolder: string;
  /** A file of the library, parsed once a process; undefined for what automations do not have (the DOM). */
  libraryFile(path: string): TypeScript.SourceFile | undefined;
}

/** Only what the language itself brings; `dom`, `webworker` and `scripthost` do not. */
const LANGUAGE = /^lib\.(es[a-z0-9.]+|decorators(\.legacy)?)\.d\.ts$/;

/** What the context takes out (shared memory), and what the oldest runtime that pryx is compiled for lacks. */
const ABSENT =
  /^lib\.es\w+\.sharedmemory\.d\.ts$|^lib\.esnext\.(collection|date|decorators|intl|temporal)\.d\.ts$/;

/** What the context refuses at run time has no type here: code from text, and functions long out of use. By file. */
const CUT_OUT: Readonly<Record<string, readonly RegExp[]>> = {
  "lib.es5.d.ts": [
    /declare function eval\(x: string\): any;/,
    /declare function (un)?escape\(string: string\): string;/g,
    /(?<=interface FunctionConstructor \{[^}]*)new \(\.\.\.args: string\[\]\): Function;/,
    /(?<=interface FunctionConstructor \{[^}]*)\(\.\.\.args: string\[\]\): Function;/,
  ],
};

let loaded: Promise<Compiler> | undefined;

/** Loads it on first use: 50 ms, 150 where nothing of it is cached yet. */
export function loadCompiler(): Promise<Compiler> {
  return loaded ??= load();
}

async function load(): Promise<Compiler> {
  const ts = await importTypeScript().catch((cause) => {
    throw new PryxError("io", `Cannot load the type checker: ${messageOf(cause)}`, {
      fix: "a part of pryx is missing: install it again",
      cause,
    });
  });
  const libraryFolder = posix.dirname(ts.sys.getExecutingFilePath().replaceAll("\\", "/"));
  const parsed = new Map<string, TypeScript.SourceFile>();
  return {
    ts,
    libraryFolder,
    libraryFile(path) {
      const name = posix.basename(path);
      if (!LANGUAGE.test(name)) return undefined;
      const known = parsed.get(name);
      if (known) return known;
      const text = ABSENT.test(name) ? "" : libraryText(name, posix.join(libraryFolder, name));
      const file = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext);
      parsed.set(name, file);
      return file;
    },
  };
}

function libraryText(name: string, path: string): string {
  return (CUT_OUT[name] ?? []).reduce(
    (text, part) => text.replace(part, ""),
    Deno.readTextFileSync(path),
  );
}

/**
 * In a build it is a package beside the bundle and is read with `require`: an `import` would first look through all of
 * its text for names that it exports, which takes longer than the check.
 */
async function importTypeScript(): Promise<typeof TypeScript> {
  if (import.meta.url.endsWith(".ts")) return (await import("typescript")).default;
  const { createRequire } = await import("node:module");
  return createRequire(import.meta.url)("typescript") as typeof TypeScript;
}
