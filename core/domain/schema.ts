/**
 * The one way pryx describes a shape: a subset of JSON Schema, written as a literal. The same literal gives the
 * TypeScript type ({@link Infer}), the check at run time ({@link validate}), the documentation, and what a model is
 * told about a tool's arguments.
 *
 * Subset of JSON Schema 2020-12: `type`, `properties`, `required`, `additionalProperties`, `items`, `enum`, `const`,
 * `anyOf`, `minimum`, `maximum`, `minLength`, `pattern`, `default`, `description`; and `patternName`.
 */
export type Schema =
  | StringSchema
  | NumberSchema
  | { readonly type: "boolean"; readonly description?: string; readonly default?: boolean }
  | { readonly type: "null"; readonly description?: string }
  | ArraySchema
  | ObjectSchema
  | { readonly type?: undefined; readonly anyOf: readonly Schema[]; readonly description?: string }
  | AnySchema;

/** `pattern` is a regular expression that matches anywhere unless it is anchored. */
export interface StringSchema {
  readonly type: "string";
  readonly enum?: readonly string[];
  readonly minLength?: number;
  readonly pattern?: string;
  /** The pattern in words that finish "must be …", for people. No part of JSON Schema. */
  readonly patternName?: string;
  readonly default?: string;
  readonly description?: string;
}

export interface NumberSchema {
  readonly type: "number" | "integer";
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: number;
  readonly description?: string;
}

export interface ArraySchema {
  readonly type: "array";
  readonly items: Schema;
  readonly description?: string;
}

/** Unlike in JSON Schema, an object is closed unless it says otherwise. */
export interface ObjectSchema {
  readonly type: "object";
  readonly properties: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  /** Absent or `false`: unknown keys are errors. A schema: what unknown keys must be. */
  readonly additionalProperties?: boolean | Schema;
  readonly description?: string;
}

/** Accepts every JSON value. */
export interface AnySchema {
  readonly type?: undefined;
  readonly description?: string;
}

/** Any value that JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

type Flatten<T> = { [K in keyof T]: T[K] };

type RequiredKeys<S extends ObjectSchema> = S["required"] extends readonly (infer K)[] ? K : never;

/** The TypeScript type of the values that a schema accepts. */
export type Infer<S> = ObjectSchema extends S ? { readonly [key: string]: Json }
  : Schema extends S ? Json
  : S extends { type: "string"; enum: readonly (infer E)[] } ? E
  : S extends { type: "string" } ? string
  : S extends { type: "number" | "integer" } ? number
  : S extends { type: "boolean" } ? boolean
  : S extends { type: "null" } ? null
  : S extends { type: "array"; items: infer I } ? readonly Infer<I>[]
  : S extends ObjectSchema ? Flatten<
      & {
        readonly [K in keyof S["properties"] as K extends RequiredKeys<S> ? K : never]: Infer<
          S["properties"][K]
        >;
      }
      & {
        readonly [K in keyof S["properties"] as K extends RequiredKeys<S> ? never : K]?: Infer<
          S["properties"][K]
        >;
      }
      & (S["additionalProperties"] extends Schema
        ? { readonly [key: string]: Infer<S["additionalProperties"]> }
        : unknown)
    >
  : S extends { anyOf: readonly (infer A)[] } ? Infer<A>
  : Json;

/** Something wrong in a value: where (path of keys from the root) and what, in words a user can act on. */
export interface Problem {
  readonly path: readonly (string | number)[];
  readonly message: string;
  /** Set when a key is not known: the key, for "did you mean". */
  readonly unknownKey?: string;
}

/** Checks `value` against `schema`. Returns every problem found; an empty list means that it fits. Total: never throws. */
export function validate(schema: Schema, value: unknown): Problem[] {
  const problems: Problem[] = [];
  visit(schema, value, [], problems);
  return problems;
}

function visit(schema: Schema, value: unknown, path: readonly (string | number)[], out: Problem[]): void {
  if (schema.type === undefined) {
    if (!("anyOf" in schema)) return;
    const attempts = schema.anyOf.map((one) => {
      const problems: Problem[] = [];
      visit(one, value, path, problems);
      return problems;
    });
    if (attempts.some((problems) => problems.length === 0)) return;
    // The attempt that got furthest says most about what was meant.
    const best = attempts.reduce((a, b) => depth(b) > depth(a) ? b : a);
    out.push(...best);
    return;
  }
  switch (schema.type) {
    case "string":
      return visitString(schema, value, path, out);
    case "number":
    case "integer":
      return visitNumber(schema, value, path, out);
    case "boolean":
      if (typeof value !== "boolean") {
        out.push({ path, message: `must be true or false, not ${kindOf(value)}` });
      }
      return;
    case "null":
      if (value !== null) out.push({ path, message: `must be null, not ${kindOf(value)}` });
      return;
    case "array":
      if (!Array.isArray(value)) out.push({ path, message: `must be a list, not ${kindOf(value)}` });
      else value.forEach((item, index) => visit(schema.items, item, [...path, index], out));
      return;
    case "object":
      return visitObject(schema, value, path, out);
  }
}

function depth(problems: readonly Problem[]): number {
  return Math.max(...problems.map((problem) => problem.path.length));
}

function visitString(
  schema: StringSchema,
  value: unknown,
  path: readonly (string | number)[],
  out: Problem[],
): void {
  if (typeof value !== "string") {
    out.push({ path, message: `must be text, not ${kindOf(value)}` });
  } else if (schema.enum && !schema.enum.includes(value)) {
    out.push({ path, message: `must be one of ${schema.enum.join(", ")}, not "${value}"` });
  } else if (schema.minLength !== undefined && value.length < schema.minLength) {
    out.push({
      path,
      message: value === "" ? "must not be empty" : `must have ${schema.minLength} characters or more`,
    });
  } else if (schema.pattern !== undefined && !new RegExp(schema.pattern, "u").test(value)) {
    const wanted = schema.patternName === undefined ? `match ${schema.pattern}` : `be ${schema.patternName}`;
    out.push({ path, message: `must ${wanted}, not "${value}"` });
  }
}

function visitNumber(
  schema: NumberSchema,
  value: unknown,
  path: readonly (string | number)[],
  out: Problem[],
): void {
  if (typeof value !== "number") {
    out.push({ path, message: `must be a number, not ${kindOf(value)}` });
  } else if (!Number.isFinite(value)) {
    out.push({ path, message: "must be a finite number" });
  } else if (schema.type === "integer" && !Number.isInteger(value)) {
    out.push({ path, message: `must be a whole number, not ${value}` });
  } else if (schema.minimum !== undefined && value < schema.minimum) {
    out.push({ path, message: `must be ${schema.minimum} or more, not ${value}` });
  } else if (schema.maximum !== undefined && value > schema.maximum) {
    out.push({ path, message: `must be ${schema.maximum} or less, not ${value}` });
  }
}

function visitObject(
  schema: ObjectSchema,
  value: unknown,
  path: readonly (string | number)[],
  out: Problem[],
): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    out.push({ path, message: `must be an object, not ${kindOf(value)}` });
    return;
  }
  for (const key of schema.required ?? []) {
    if (!Object.hasOwn(value, key) || (value as Record<string, unknown>)[key] === undefined) {
      out.push({ path: [...path, key], message: "is missing" });
    }
  }
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue;
    const known = Object.hasOwn(schema.properties, key) ? schema.properties[key] : undefined;
    if (known) visit(known, item, [...path, key], out);
    else if (typeof schema.additionalProperties === "object") {
      visit(schema.additionalProperties, item, [...path, key], out);
    } else if (schema.additionalProperties !== true) {
      out.push({ path: [...path, key], message: "is not known", unknownKey: key });
    }
  }
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "string") return "text";
  if (typeof value === "object") return "an object";
  return typeof value === "number" ? "a number" : `${value}`;
}

/** `problems` as one line: `old_text is missing; limit must be a number, not text`. */
export function describeProblems(problems: readonly Problem[]): string {
  return problems.map(({ path, message }) => `${path.length ? path.join(".") : "the value"} ${message}`).join(
    "; ",
  );
}
