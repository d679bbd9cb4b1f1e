import assert from "node:assert/strict";
import {
  describeProblems,
  type Infer,
  type ObjectSchema,
  type Schema,
  validate,
} from "../../core/domain/schema.ts";

const PERSON = {
  type: "object",
  properties: {
    name: { type: "string", minLength: 1 },
    age: { type: "integer", minimum: 0, maximum: 150 },
    role: { type: "string", enum: ["admin", "guest"] },
    tags: { type: "array", items: { type: "string" } },
    limit: { anyOf: [{ type: "number" }, { type: "null" }] },
  },
  required: ["name"],
} as const satisfies ObjectSchema;

Deno.test("Infer gives required and optional properties their types", () => {
  const person: Infer<typeof PERSON> = { name: "Ada", role: "admin", tags: ["x"], limit: null };
  // @ts-expect-error: name is required
  const nameless: Infer<typeof PERSON> = { role: "guest" };
  // @ts-expect-error: not one of the enum
  const king: Infer<typeof PERSON> = { name: "K", role: "king" };
  assert.deepEqual(validate(PERSON, person), []);
  assert.notDeepEqual(validate(PERSON, nameless), []);
  assert.notDeepEqual(validate(PERSON, king), []);
});

const CASES: readonly [string, Schema, unknown, string][] = [
  ["a missing key", PERSON, {}, "name is missing"],
  ["a key that is undefined", PERSON, { name: undefined }, "name is missing"],
  ["an unknown key", PERSON, { name: "a", nmae: "b" }, "nmae is not known"],
  ["an inherited name as key", PERSON, JSON.parse('{"name":"a","toString":1}'), "toString is not known"],
  ["__proto__ as key", PERSON, JSON.parse('{"name":"a","__proto__":1}'), "__proto__ is not known"],
  ["text for a number", PERSON, { name: "a", age: "7" }, "age must be a number, not text"],
  ["a fraction", PERSON, { name: "a", age: 1.5 }, "age must be a whole number, not 1.5"],
  ["NaN", PERSON, { name: "a", age: NaN }, "age must be a finite number"],
  ["below the minimum", PERSON, { name: "a", age: -1 }, "age must be 0 or more, not -1"],
  ["above the maximum", PERSON, { name: "a", age: 151 }, "age must be 150 or less, not 151"],
  ["not in the enum", PERSON, { name: "a", role: "x" }, 'role must be one of admin, guest, not "x"'],
  ["empty text", PERSON, { name: "" }, "name must not be empty"],
  ["a list with a wrong item", PERSON, { name: "a", tags: ["x", 3] }, "tags.1 must be text, not a number"],
  ["a value for a list", PERSON, { name: "a", tags: "x" }, "tags must be a list, not text"],
  ["none of anyOf", PERSON, { name: "a", limit: "x" }, "limit must be a number, not text"],
  ["a list for an object", PERSON, [], "the value must be an object, not a list"],
  ["null for an object", PERSON, null, "the value must be an object, not null"],
  ["a pattern", { type: "string", pattern: "^a+$" }, "b", 'the value must match ^a+$, not "b"'],
  [
    "a pattern with a name",
    { type: "string", pattern: "^a+$", patternName: "one a or more" },
    "b",
    'the value must be one a or more, not "b"',
  ],
  ["two problems", PERSON, { age: "x" }, "name is missing; age must be a number, not text"],
];

for (const [what, schema, value, expected] of CASES) {
  Deno.test(`validate() names the problem of ${what}`, () => {
    assert.equal(describeProblems(validate(schema, value)), expected);
  });
}

Deno.test("validate() takes what additionalProperties takes", () => {
  const open = { type: "object", properties: {}, additionalProperties: true } as const;
  const typed = { type: "object", properties: {}, additionalProperties: { type: "number" } } as const;
  assert.deepEqual(validate(open, { a: 1, b: "x" }), []);
  assert.deepEqual(validate(typed, { a: 1 }), []);
  assert.equal(describeProblems(validate(typed, { a: "x" })), "a must be a number, not text");
});

Deno.test("validate() takes everything for an empty schema", () => {
  for (const value of [null, 1, "x", [], {}, undefined]) assert.deepEqual(validate({}, value), []);
});
