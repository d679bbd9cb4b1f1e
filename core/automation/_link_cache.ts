import { join } from "node:path";
import { NEED_KINDS } from "../domain/need.ts";
import { type Infer, type Schema, validate } from "../domain/schema.ts";
import { VERSION } from "../domain/version.ts";
import { sha256 } from "./_graph_hash.ts";
import type { Module } from "./_module.ts";

/** Remembers what modules say, by the hash of their bytes: one file for each graph. */
interface LinkCache {
  /** What is remembered of the graph with this name; empty where nothing usable is. */
  load(name: string): Promise<ReadonlyMap<string, Module>>;
  /** Replaces it. A file that cannot be written costs the next run some milliseconds, no more. */
  store(name: string, modules: ReadonlyMap<string, Module>): Promise<void>;
}

/** Another format, transformer or program: nothing of what was kept counts. The transformer is pinned with the program. */
const STAMP = `1 sucrase-3.35.1 pryx-${VERSION}`;
const MAX_FILES = 200;
const MAX_FILE_BYTES = 64 * 1024 * 1024;

const MODULE = {
  type: "object",
  properties: {
    key: { type: "string" },
    code: { type: "string" },
    imports: {
      type: "array",
      items: {
        type: "object",
        properties: {
          specifier: { type: "string" },
          line: { type: "integer" },
          column: { type: "integer" },
        },
        required: ["specifier", "line", "column"],
      },
    },
    manifestAt: {
      type: "object",
      properties: { line: { type: "integer" }, column: { type: "integer" } },
      required: ["line", "column"],
    },
    permissions: {
      type: "object",
      properties: Object.fromEntries(
        NEED_KINDS.map((kind) => [kind, { type: "array", items: { type: "string" } }]),
      ) as Record<typeof NEED_KINDS[number], { type: "array"; items: { type: "string" } }>,
    },
  },
  required: ["key", "code", "imports"],
} as const satisfies Schema;

const FORMAT = {
  type: "object",
  properties: { stamp: { type: "string" }, modules: { type: "array", items: MODULE } },
  required: ["stamp", "modules"],
} as const satisfies Schema;

/**
 * A cache in a folder that is pryx's own. Its files hold code that will run: one that another user could have written,
 * or that is not whole, is none.
 */
export function createLinkCache(folder: string): LinkCache {
  const fileOf = async (name: string) => {
    return join(folder, `${(await sha256(new TextEncoder().encode(name))).slice(0, 32)}.json`);
  };
  return {
    async load(name) {
      const found = new Map<string, Module>();
      const kept = await read(folder, await fileOf(name));
      for (const { key, ...module } of kept?.modules ?? []) found.set(key, { ...module, findings: [] });
      return found;
    },
    async store(name, modules) {
      const kept = [...modules].map(([key, { findings: _, ...module }]) => ({ key, ...module }));
      const text = JSON.stringify({ stamp: STAMP, modules: kept } satisfies Infer<typeof FORMAT>);
      if (text.length > MAX_FILE_BYTES / 3) return;
      try {
        await write(folder, await fileOf(name), `${await sha256(new TextEncoder().encode(text))}\n${text}`);
        await dropOldest(folder);
      } catch {
        // A full or read-only disk.
      }
    },
  };
}

async function read(folder: string, file: string): Promise<Infer<typeof FORMAT> | undefined> {
  try {
    const [around, info] = await Promise.all([Deno.lstat(folder), Deno.lstat(file)]);
    if (!around.isDirectory || !info.isFile || info.size > MAX_FILE_BYTES) return undefined;
    if (!isPrivate(around) || !isPrivate(info)) return undefined;
    const text = await Deno.readTextFile(file);
    const end = text.indexOf("\n");
    const body = text.slice(end + 1);
    if (text.slice(0, end) !== await sha256(new TextEncoder().encode(body))) return undefined;
    const kept: unknown = JSON.parse(body);
    if (validate(FORMAT, kept).length > 0) return undefined;
    const format = kept as Infer<typeof FORMAT>;
    return format.stamp === STAMP ? format : undefined;
  } catch {
    return undefined;
  }
}

/** Whether nobody but this user can have written it. Windows has neither owners nor modes to look at. */
function isPrivate({ uid, mode }: Deno.FileInfo): boolean {
  if (Deno.build.os === "windows") return true;
  return uid === Deno.uid() && mode !== null && (mode & 0o022) === 0;
}

async function write(folder: string, file: string, text: string): Promise<void> {
  const temporary = `${file}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    await Deno.writeTextFile(temporary, text, { createNew: true, mode: 0o600 });
    await Deno.rename(temporary, file);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
}

async function dropOldest(folder: string): Promise<void> {
  const names: string[] = [];
  for await (const { name, isFile } of Deno.readDir(folder)) if (isFile) names.push(name);
  if (names.length <= MAX_FILES) return;
  const files = await Promise.all(names.map(async (name) => {
    const path = join(folder, name);
    return { path, at: (await Deno.lstat(path).catch(() => undefined))?.mtime?.getTime() ?? 0 };
  }));
  files.sort((a, b) => a.at - b.at);
  for (const { path } of files.slice(0, files.length - MAX_FILES)) await Deno.remove(path).catch(() => {});
}
