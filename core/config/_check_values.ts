import { parseNeed } from "../domain/need.ts";
import { type ObjectSchema, type Problem, type Schema, validate } from "../domain/schema.ts";
import { looksLikeSecret } from "../domain/secret_shapes.ts";
import type { Document, KeyPath } from "./_document.ts";
import { nearest } from "../domain/nearest.ts";
import type { SourceProblem } from "./_problems.ts";
import { CONFIG_SCHEMA, POLICY_FILE_SCHEMA } from "./schema.ts";

/** `policy`: the managed rules on their own. `project`: a file of a workspace, which may only narrow what may be done. */
export type FileKind = "config" | "policy" | "project";

/** A problem of a value, before it is known where in which text it stands. */
interface ValueProblem {
  readonly path: KeyPath;
  readonly message: string;
  readonly at?: "key";
  readonly fix?: string;
}

/** Everything that is wrong with the values of a file: shape, unknown keys, rules that are none, keys in the open. */
export function checkValues(kind: FileKind, value: unknown): ValueProblem[] {
  const schema = kind === "policy" ? POLICY_FILE_SCHEMA : CONFIG_SCHEMA;
  const found = [
    ...validate(schema, value).map((problem) => inWords(schema, value, problem)),
    ...(kind === "policy" ? checkRules(value, []) : checkConfig(value)),
    ...(kind === "project" ? checkProject(value) : []),
  ];
  // What is a problem of its place is said there; two messages about one place are one too many.
  const seen = new Set<string>();
  return found.filter(({ path }) => {
    const place = JSON.stringify(path);
    return !seen.has(place) && seen.add(place);
  });
}

/** The problems of a document with line and column, in the order of the text. */
export function checkDocument(kind: FileKind, document: Document): SourceProblem[] {
  return checkValues(kind, document.value)
    .map((problem) => ({ problem, offset: document.offset(problem.path) }))
    .sort((a, b) => a.offset - b.offset)
    .map(({ problem }) => document.problem(problem.path, problem.message, problem));
}

/** A schema's complaint as a person wants it: dotted key, what a pattern means, the nearest known key. */
function inWords(root: Schema, value: unknown, problem: Problem): ValueProblem {
  const { path, unknownKey } = problem;
  const key = path.length === 0 ? "the file" : formatKey(path);
  if (unknownKey !== undefined) {
    const known = knownKeys(schemaAt(root, path.slice(0, -1)));
    const meant = nearest(unknownKey, known) ?? settingNamed(unknownKey);
    const hint = meant ? `did you mean "${meant}"?` : `known here: ${known.join(", ")}`;
    return { path, at: "key", message: `"${key}" is not a known key; ${hint}` };
  }
  const schema = schemaAt(root, path);
  const words = schema?.type === "string" ? schema.patternName : undefined;
  if (words !== undefined && path.at(-1) === "key" && typeof at(value, path) === "string") {
    // The value is not repeated: it may be the secret itself.
    return { path, message: `${key} must be ${words}`, fix: SECRET_FIX };
  }
  return { path, message: `${key} ${problem.message}` };
}

/** The setting of this name that stands somewhere else: `deny` at the top is meant to be `policy.deny`. */
function settingNamed(word: string): string | undefined {
  const lowered = word.toLowerCase();
  return settings(CONFIG_SCHEMA, [], 2)
    .find((path) => path.at(-1)?.toLowerCase() === lowered)
    ?.join(".");
}

/** Every setting that has a fixed name, as a path, down to a depth. */
export function settings(schema: Schema, path: readonly string[] = [], depth = Infinity): string[][] {
  if (schema.type !== "object" || path.length >= depth) return [];
  return Object.entries(schema.properties).flatMap(([key, child]) => [
    [...path, key],
    ...settings(child, [...path, key], depth),
  ]);
}

const SECRET_FIX =
  "Keep the key in a secret store, `pryx secrets set NAME`, and refer to it as keychain:NAME, file:NAME or env:NAME";

function checkConfig(value: unknown): ValueProblem[] {
  const problems: ValueProblem[] = [...checkRules(at(value, ["policy"]), ["policy"])];
  for (const [name, profile] of entries(at(value, ["profiles"]))) {
    problems.push(...checkRules(at(profile, ["policy"]), ["profiles", name, "policy"]));
  }
  for (const [name, provider] of entries(at(value, ["providers"]))) {
    const path = ["providers", name];
    if (!/^[A-Za-z0-9][\w.-]*$/.test(name)) {
      problems.push({
        path,
        at: "key",
        message: `"${name}" cannot name a provider: use letters, digits, ".", "_" and "-"`,
      });
    }
    problems.push(...checkUrl(at(provider, ["baseUrl"]), [...path, "baseUrl"]));
    for (const [header, text] of entries(at(provider, ["headers"]))) {
      const secret = /^(proxy-)?authorization$|^cookie$/i.test(header) ||
        (typeof text === "string" && looksLikeSecret(text));
      if (!secret) continue;
      problems.push({
        path: [...path, "headers", header],
        message: `${formatKey([...path, "headers", header])} must not hold a secret in the open`,
        fix: SECRET_FIX,
      });
    }
  }
  return problems;
}

function checkUrl(value: unknown, path: KeyPath): ValueProblem[] {
  if (typeof value !== "string" || !/^https?:/.test(value)) return [];
  const url = URL.parse(value);
  if (!url) return [{ path, message: `${formatKey(path)} must be a URL such as https://host/v1` }];
  if (url.username === "" && url.password === "") return [];
  return [{ path, message: `${formatKey(path)} must not hold a user name or password`, fix: SECRET_FIX }];
}

function checkRules(policy: unknown, path: KeyPath): ValueProblem[] {
  const problems: ValueProblem[] = [];
  for (const verdict of ["allow", "deny", "ask"]) {
    const list = at(policy, [verdict]);
    if (!Array.isArray(list)) continue;
    for (const [index, rule] of list.entries()) {
      const inside = typeof rule === "string" ? [] : ["rule"];
      const text = at(rule, inside);
      const need = typeof text === "string" && text !== "" ? parseNeed(text) : undefined;
      if (typeof need === "string") {
        problems.push({ path: [...path, verdict, index, ...inside], message: need });
      }
    }
  }
  return problems;
}

const PROJECT_KEYS = ["$schema", "model", "preset", "policy", "limits", "sandbox"];

/** A project comes from strangers and applies without being trusted: it may take power away, never give it. */
function checkProject(value: unknown): ValueProblem[] {
  const problems: ValueProblem[] = [];
  for (const [key] of entries(value)) {
    if (PROJECT_KEYS.includes(key) || !Object.hasOwn(CONFIG_SCHEMA.properties, key)) continue;
    problems.push({
      path: [key],
      at: "key",
      message: `a project may not set ${key}`,
      fix: `Remove ${key} from the project's file; it belongs in your own, see \`pryx config path\``,
    });
  }
  if (at(value, ["policy", "allow"]) !== undefined) {
    problems.push({
      path: ["policy", "allow"],
      at: "key",
      message: "a project may not allow anything: only deny and ask",
      fix:
        "Remove the allow rules from the project's file; give them yourself with --allow, or in your own config",
    });
  }
  if (at(value, ["sandbox"]) === "auto") {
    problems.push({ path: ["sandbox"], message: "a project may only set sandbox to required" });
  }
  return problems;
}

/** The value at a path of own keys; undefined where there is none. Total. */
export function at(value: unknown, path: KeyPath): unknown {
  let here = value;
  for (const step of path) {
    if (typeof here !== "object" || here === null || !Object.hasOwn(here, step)) return undefined;
    here = (here as Record<string | number, unknown>)[step];
  }
  return here;
}

function entries(value: unknown): [string, unknown][] {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
}

/** The schema of what stands at a path; undefined when nothing may stand there. */
export function schemaAt(schema: Schema, path: KeyPath): Schema | undefined {
  let here: Schema | undefined = schema;
  for (const step of path) {
    const holder = holderOf(here);
    if (holder?.type === "array") here = holder.items;
    else if (holder?.type === "object") here = childSchema(holder, String(step));
    else return undefined;
  }
  return here;
}

/** Of alternatives, the one that has keys: where something stands inside, that is the one that was meant. */
function holderOf(schema: Schema | undefined): Schema | undefined {
  if (schema === undefined || schema.type !== undefined || !("anyOf" in schema)) return schema;
  return schema.anyOf.find((one) => one.type === "object");
}

function childSchema(schema: ObjectSchema, key: string): Schema | undefined {
  if (Object.hasOwn(schema.properties, key)) return schema.properties[key];
  return typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
}

/** Names that an object's schema has; none for any other schema. */
export function knownKeys(schema: Schema | undefined): string[] {
  const holder = holderOf(schema);
  return holder?.type === "object" ? Object.keys(holder.properties) : [];
}

/** A path as it is typed: `providers.openai.prices["gpt-4.1"].input`. */
export function formatKey(path: KeyPath): string {
  return path.map((step, index) => {
    if (typeof step === "number") return `[${step}]`;
    if (!/^[\w$/:@-]+$/.test(step)) return `[${JSON.stringify(step)}]`;
    return index === 0 ? step : `.${step}`;
  }).join("");
}
