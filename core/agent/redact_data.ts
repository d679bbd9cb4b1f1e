import type { Json } from "../domain/schema.ts";

/** Members of events that are no text of anybody: taking something out of them would break what they refer to. */
const LITERAL = new Set([
  "opaque",
  "digest",
  "before",
  "after",
  "path",
  "paths",
  "id",
  "call",
  "approval",
  "grant",
  "question",
  "contextFiles",
  "outputFile",
  "key",
]);

/** The data of an event with every secret out of its texts. The same object when there was none. */
export function redactData<T>(data: T, redact: (text: string) => string): T {
  return walk(data as Json, redact, LITERAL) as T;
}

function walk(value: Json, redact: (text: string) => string, literal?: ReadonlySet<string>): Json {
  if (typeof value === "string") return redact(value);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const items = value.map((item) => walk(item, redact));
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  let changed: Record<string, Json> | undefined;
  for (const [name, member] of Object.entries(value as Record<string, Json>)) {
    if (literal?.has(name)) continue;
    const without = walk(member, redact);
    if (without !== member) (changed ??= { ...value as Record<string, Json> })[name] = without;
  }
  return changed ?? value;
}

/** An output that is kept on disk, with every secret out of it. What is not UTF-8 text is kept as it is. */
export function redactBytes(
  content: Uint8Array | string,
  redact: (text: string) => string,
): Uint8Array | string {
  if (typeof content === "string") return redact(content);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    return content;
  }
  const without = redact(text);
  return without === text ? content : without;
}
