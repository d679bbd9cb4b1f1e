import { dirname, join } from "node:path";
import { PryxError } from "../domain/error.ts";
import { looksLikeSecret } from "../domain/secret_shapes.ts";
import { at, checkValues, formatKey, schemaAt } from "./_check_values.ts";
import { type Document, type KeyPath, parseDocument, readProblem, readText } from "./_document.ts";
import { parseEntry, parseValue, resolveKey } from "./_key_path.ts";
import { configError } from "./_problems.ts";
import { locked, writeAtomic } from "./_write_atomic.ts";
import type { ConfigFile } from "./config.ts";
import { CONFIG_SCHEMA, configJsonSchema } from "./schema.ts";

/** Lies beside the config file, so that editors complete and check it without a network. */
const SCHEMA_FILE = "config.schema.json";

/**
 * A config file to read and change by key. Comments, order and layout stay. A file that is malformed is never changed:
 * every call rejects with `config_invalid` and the place. Changes of several processes at once are done in turn.
 */
export function openConfigFile(path: string): ConfigFile {
  const read = async (): Promise<Document> => {
    let text: string | undefined;
    try {
      text = await readText(path);
    } catch (error) {
      throw configError([readProblem(path, error)]);
    }
    const document = await parseDocument(path, text ?? "");
    if (Array.isArray(document)) throw configError(document);
    return document;
  };

  const write = async (keyPath: readonly string[], change: (before: unknown) => unknown) => {
    return await locked(path, async () => {
      const document = await read();
      const value = change(at(document.value, keyPath));
      if (value !== undefined) refuseInvalid(keyPath, value, document.value);
      const next = await edited(document.text, keyPath, value);
      // Proof that the edit did what it should, before anything is on disk.
      const check = await parseDocument(path, next);
      if (Array.isArray(check)) throw configError(check);
      await writeAtomic(path, next);
      await refreshSchema(path, check);
      return value;
    });
  };

  return {
    path,
    resolve: resolveKey,
    get: async (key) => plainCopy(at((await read()).value, resolveKey(key))),
    async set(key, value) {
      await write(resolveKey(key), () => value);
    },
    async setText(key, text, options = {}) {
      const keyPath = resolveKey(key);
      if (!options.add) return await write(keyPath, () => parseValue(keyPath, text));
      if (schemaAt(CONFIG_SCHEMA, keyPath)?.type !== "array") {
        throw new PryxError("usage", `Cannot add to ${formatKey(keyPath)}: it is not a list`);
      }
      return await write(keyPath, (before) => {
        const list = Array.isArray(before) ? before : [];
        const entry = parseEntry(keyPath, text);
        const wanted = JSON.stringify(entry);
        return list.some((one) => JSON.stringify(one) === wanted) ? list : [...list, entry];
      });
    },
    async unset(key) {
      const document = await read();
      const keyPath = presentPath(document.value, key) ?? resolveKey(key);
      if (at(document.value, keyPath) === undefined) return false;
      let found = false;
      await write(keyPath, (before) => {
        found = before !== undefined;
        return undefined;
      });
      return found;
    },
    schema: configJsonSchema,
  };
}

/** A key that is in the file, known or not: what should not be there can be taken out. */
function presentPath(value: unknown, key: string): string[] | undefined {
  const path = key.split(".");
  return at(value, path) === undefined ? undefined : path;
}

/** Throws when the value may not stand there. What was wrong in the file before is not this call's business. */
function refuseInvalid(path: readonly string[], value: unknown, root: unknown): void {
  const key = formatKey(path);
  if (typeof value === "string" && looksLikeSecret(value)) throw secretError(path);
  const before = new Set(checkValues("config", root).map((problem) => JSON.stringify(problem)));
  const inside = (problem: { path: KeyPath }) => path.every((step, index) => problem.path[index] === step);
  const problems = checkValues("config", withValue(root, path, value))
    .filter((problem) => inside(problem) || !before.has(JSON.stringify(problem)));
  const first = problems[0];
  if (first === undefined) return;
  if (first.path[0] === "providers" && first.path.at(-1) === "key") throw secretError(first.path);
  const text = problems.map(({ message }) => message).join("; ");
  throw new PryxError("config_invalid", `Cannot set ${key}: ${text}`, first.fix ? { fix: first.fix } : {});
}

/** Never holds the value: it may be the secret. */
function secretError(path: KeyPath): PryxError {
  const key = formatKey(path);
  const provider = path[0] === "providers" && typeof path[1] === "string" ? path[1] : "NAME";
  return new PryxError(
    "config_invalid",
    `Cannot set ${key}: a config file never holds a secret, only a reference to one (env:NAME, keychain:NAME, file:NAME)`,
    {
      fix:
        `Store it with \`pryx secrets set ${provider} --provider ${provider}\`, which asks for it without showing it`,
    },
  );
}

function withValue(root: unknown, path: readonly string[], value: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  const copy = typeof root === "object" && root !== null && !Array.isArray(root)
    ? Object.assign(Object.create(null), root)
    : Object.create(null);
  copy[step] = withValue(copy[step], rest, value);
  return copy;
}

type Jsonc = typeof import("jsonc-parser");

async function edited(text: string, path: readonly string[], value: unknown): Promise<string> {
  const jsonc = await import("jsonc-parser");
  const mark = text.startsWith("\uFEFF") ? "\uFEFF" : "";
  let body = text.slice(mark.length);
  const eol = body.includes("\r\n") ? "\r\n" : "\n";
  if (body.trim() === "") {
    if (value === undefined) return text;
    body = `{${eol}  "$schema": "./${SCHEMA_FILE}"${eol}}${eol}`;
  } else if (!/^[^{]*\{/s.test(stripped(body))) {
    // Comments alone: the object goes below them.
    body = `${body.trimEnd()}${eol}{${eol}  "$schema": "./${SCHEMA_FILE}"${eol}}${eol}`;
  }
  const indent = /^([ \t]+)"/m.exec(body)?.[1] ?? "  ";
  const formattingOptions = { insertSpaces: !indent.includes("\t"), tabSize: indent.length, eol };
  try {
    const place = value === undefined ? withEmptied(jsonc, body, path) : path;
    const without = value === undefined ? withoutOnly(jsonc, body, place) : undefined;
    if (without !== undefined) return mark + without;
    return mark + jsonc.applyEdits(body, jsonc.modify(body, [...place], value, { formattingOptions }));
  } catch (error) {
    // The library throws where something on the way to the key is no object.
    throw new PryxError(
      "config_invalid",
      `Cannot set ${formatKey(path)}: what holds it in the file is not an object`,
      {
        cause: error,
      },
    );
  }
}

/** What to take out so that `path` is gone and leaves no empty object; one that holds a comment stays. */
function withEmptied(jsonc: Jsonc, text: string, path: readonly string[]): readonly string[] {
  const above = path.slice(0, -1);
  const holder = objectAt(jsonc, text, above);
  if (above.length === 0 || holder?.children?.length !== 1) return path;
  const body = text.slice(holder.offset, holder.offset + holder.length);
  return jsonc.stripComments(body) === body ? withEmptied(jsonc, text, above) : path;
}

/**
 * The text without an object's only property, undefined where it is not alone. The library would take the comments around
 * it out as well, and leave a comma after it.
 */
function withoutOnly(jsonc: Jsonc, text: string, path: readonly string[]): string | undefined {
  const [only, ...others] = objectAt(jsonc, text, path.slice(0, -1))?.children ?? [];
  if (only === undefined || others.length > 0) return undefined;
  let end = only.offset + only.length;
  const scanner = jsonc.createScanner(text, true);
  scanner.setPosition(end);
  scanner.scan();
  if (text[scanner.getTokenOffset()] === ",") end = scanner.getTokenOffset() + 1;
  const [before, after] = [text.slice(0, only.offset), text.slice(end)];
  // A line that it had for itself goes with it.
  const line = /\n[ \t]*$/.test(before) ? /^[ \t]*\r?\n/.exec(after)?.[0] : undefined;
  return line === undefined ? before + after : before.replace(/[ \t]*$/, "") + after.slice(line.length);
}

function objectAt(jsonc: Jsonc, text: string, path: readonly string[]) {
  const root = jsonc.parseTree(text);
  const node = root && jsonc.findNodeAtLocation(root, [...path]);
  return node?.type === "object" ? node : undefined;
}

function stripped(text: string): string {
  return text.replace(/\/\/[^\n]*|\/\*[\s\S]*?\*\//g, "");
}

/** Keeps the schema beside the file as this program knows it, when the file points to it. */
async function refreshSchema(path: string, document: Document): Promise<void> {
  if (at(document.value, ["$schema"]) !== `./${SCHEMA_FILE}`) return;
  const file = join(dirname(path), SCHEMA_FILE);
  const text = `${JSON.stringify(configJsonSchema(), null, 2)}\n`;
  const before = await Deno.readTextFile(file).catch(() => undefined);
  if (before !== text) await writeAtomic(file, text);
}

/** An ordinary object, with a prototype, of what was parsed. */
function plainCopy(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
