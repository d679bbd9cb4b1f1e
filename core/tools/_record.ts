import { sha256 } from "@noble/hashes/sha2.js";
import type { Json } from "../domain/schema.ts";
import { count } from "./_text.ts";

/** UTF-16 units of a text that is stored as it is. */
const MAX_CHARS = 64 * 1024;

/** Arguments as the log keeps them: of a text that is too long for it, how long it is and its hash. */
export function recordBounded(args: Json): Json {
  if (typeof args === "string") return args.length <= MAX_CHARS ? args : standIn(args);
  if (typeof args !== "object" || args === null) return args;
  if (Array.isArray(args)) return args.map(recordBounded);
  return Object.fromEntries(Object.entries(args).map(([name, value]) => [name, recordBounded(value)]));
}

function standIn(text: string): string {
  const hash = sha256(new TextEncoder().encode(text)).toHex();
  return `[${count(text.length, "character")}, SHA-256 ${hash}]`;
}
