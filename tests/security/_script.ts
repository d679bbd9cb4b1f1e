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
  /** Words in front of the program. */
  readonly through?: readonly string[];
  /** Exit code, or some; default 0. */
  readonly code?: number | readonly number[];
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
  const named = getOwnPropertyDescriptor(last, "constructor")?.value;
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

/** The word that makes the faulty build run a module outside of the context; see _faulty_build.ts. */
const OUTSIDE = "RUN_OUTSIDE_OF_THE_CONTEXT";

/**
 * A script that has broken out of its context, into the main realm of its sealed process. `host`: what was kept there from
 * before the seal. `call(number, …)`: a system call, its arguments numbers, texts and bytes; -1 when it failed.
 */
export const outside = (text: string, more: Partial<Script> = {}): Script => ({
  text: `${more.text ?? ""}"${OUTSIDE}";
declare const host: any;
const { libc, raw, line, say, parent } = host;
const bytes = (given: string) => Uint8Array.from([...given, "\\0"].map((char) => char.charCodeAt(0)));
const call = (number: number, ...given: (number | string | Uint8Array)[]): number => {
  const at = (index: number) => {
    const one = given[index] ?? 0;
    return typeof one === "string" ? bytes(one) : one;
  };
  const long = (index: number) => BigInt(at(index) as number);
  const isBuffer = [0, 1, 2].map((index) => typeof at(index) !== "number");
  if (!isBuffer.includes(true)) return Number(libc.syscall(BigInt(number), long(0), long(1), long(2), long(3), long(4), long(5)));
  if (isBuffer[1] && !isBuffer[0] && !isBuffer[2]) return Number(libc.second(BigInt(number), long(0), at(1), long(2), long(3), long(4), long(5)));
  if (isBuffer[2] && !isBuffer[0] && !isBuffer[1]) return Number(libc.third(BigInt(number), long(0), long(1), at(2), long(3), long(4), long(5)));
  const buffer = (index: number) => isBuffer[index] ? at(index) : at(index) === 0 ? null : new Uint8Array(64);
  return Number(libc.buffers(BigInt(number), buffer(0), buffer(1), buffer(2), long(3), long(4), long(5)));
};
void raw, line, parent, call;
const fell = "FE" + "LL";
const tell = (found: string[]) => say(found.length === 0 ? "held\\n" : fell + ": " + found.join(", ") + "\\n");
/** Names of calls that did not fail. */
const through = (calls: Record<string, (number | string | Uint8Array)[]>): string[] =>
  Object.entries(calls).filter(([, [number, ...given]]) => call(number as number, ...given) >= 0).map(([name]) => name);
/** Sends calls, with numbers from 0 on, and gives the answers to all of them. */
const ask = (calls: readonly (readonly [method: string, params: unknown])[]): Promise<string[]> =>
  new Promise((done) => {
    const answers: string[] = [];
    host.hears = (said: string) => {
      if (said.includes('"t":"reply"')) answers.push(said);
      if (answers.length >= calls.length) done(answers);
    };
    calls.forEach(([method, params], id) => line({ t: "call", id, method, params }));
  });
const end = () => line({ t: "done", registered: { triggers: [], tests: [] } });
void tell, through, ask, end;
${text}`,
  prints: more.prints ?? /^held$/m,
  ...Object.fromEntries(Object.entries(more).filter(([key]) => key !== "text")),
});
