import type { Aftermath, Layer, Mode, Place, ProgramCase, Refusal } from "./_case.ts";

/** One automation and how it is run: headless, as `pryx run FLAGS job.pryx.ts ARGS`. */
export interface Script {
  /** The text of `job.pryx.ts`. */
  readonly text: string;
  /** Files beside it, by path. */
  readonly files?: Readonly<Record<string, string>>;
  readonly flags?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Exit code; default 0. */
  readonly code?: number;
  /** Must be in what the program printed, both streams together. */
  readonly prints: RegExp;
}

/** A hostile automation, or several that try the same in different ways, and a benign one. */
export interface ScriptCase extends ProgramCase {
  /** The first is what the table shows. */
  attacks(place: Place): readonly Script[];
  works(place: Place): Script;
  setup?(place: Place): Promise<void>;
  harm?(aftermath: Aftermath): Promise<string | undefined>;
}

type About = Pick<ScriptCase, "id" | "title" | "answers" | "input" | "twin" | "setup" | "harm">;

interface Told extends About {
  readonly layer: Layer;
  readonly how: string;
  readonly mode?: Mode;
  readonly attacks: ScriptCase["attacks"];
  readonly works: ScriptCase["works"];
}

/** A case of one mode; default: the program as it is. */
export function script({ layer, how, mode = "bubblewrap", ...about }: Told): ScriptCase {
  const refused: Partial<Record<Mode, Pick<Refusal, "layer" | "how">>> = { [mode]: { layer, how } };
  return { kind: "program", refused, ...about };
}

/** `export const permissions = …` of these kinds. */
export const declares = (permissions: Readonly<Record<string, readonly string[]>>): string =>
  `export const permissions = ${JSON.stringify(permissions)};\n`;

/**
 * A module for scripts that look for a way out of their context. `leads(value)`: how a value leads out of it, or "".
 * `search(roots)`: the same for everything that can be reached from them. `tell(found)` prints `held`, or `FELL: …`.
 */
export const PROBE = `
const { getPrototypeOf, getOwnPropertyDescriptor } = Object;
const { ownKeys } = Reflect;
const own = Object.prototype;
const log = console.log;

export function leads(value: any): string {
  if (value === null || (typeof value !== "object" && typeof value !== "function")) return "";
  let last: any = value;
  for (let at = getPrototypeOf(value); at !== null; at = getPrototypeOf(at)) last = at;
  const named = Object.getOwnPropertyDescriptor(last, "constructor")?.value;
  if (last !== own && last !== value && named?.name === "Object") return "an object of another realm";
  let made: any;
  try {
    made = value.constructor.constructor("return typeof Deno + typeof process")();
  } catch (error) {
    if (error !== value && typeof error === "object" && error !== null && !(error instanceof Error)) {
      return leads(error) && "an error of another realm";
    }
    return "";
  }
  return typeof made === "string" ? "code made of text: " + made : "";
}

export function search(roots: Record<string, unknown>): string {
  const seen = new Set<unknown>();
  const queue: [string, unknown][] = Object.entries(roots);
  for (let index = 0; index < queue.length && index < 300_000; index++) {
    const [path, value] = queue[index]!;
    if (value === null || (typeof value !== "object" && typeof value !== "function") || seen.has(value)) continue;
    seen.add(value);
    const way = leads(value);
    if (way) return path + ": " + way;
    queue.push([path + ".__proto__", getPrototypeOf(value)]);
    for (const key of ownKeys(value as object)) {
      const found = getOwnPropertyDescriptor(value, key);
      const name = path + "." + String(key);
      queue.push([name, found?.value], [name + ".get", found?.get], [name + ".set", found?.set]);
    }
  }
  return seen.size < 50 ? "nothing was looked at" : "";
}

export function tell(found: string): void {
  log(found === "" ? "held" : "FELL: " + found);
}
`;

/** A script with {@link PROBE} beside it. `text` sees `leads`, `search`, `tell`. */
export const probing = (text: string, more: Partial<Script> = {}): Script => ({
  text: `import { leads, search, tell } from "./probe.ts";\n${text}`,
  prints: /^held$/m,
  ...more,
  files: { "probe.ts": PROBE, ...more.files },
});
