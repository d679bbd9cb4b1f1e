import assert from "node:assert/strict";
import { secretForms, secretMark, secretMarks } from "../../core/domain/secret_mark.ts";

const NONCE = "0123456789abcdef".repeat(2);

Deno.test("secretMarks() finds marks wherever they stand, in JSON, forms and beside each other, once each", () => {
  const names = ["github", "a", "a-b--c", "x.y_z", `n${"0".repeat(63)}`];
  for (const name of names) {
    const mark = secretMark(name, NONCE);
    for (
      const text of [
        mark,
        `Bearer ${mark}`,
        JSON.stringify({ mark }),
        `a=${encodeURIComponent(mark)}&b`,
        mark + mark,
      ]
    ) {
      assert.deepEqual(secretMarks(text), [{ mark, name, nonce: NONCE }], text);
    }
  }
  const two = secretMarks(secretMark("a", NONCE) + secretMark("b", NONCE));
  assert.deepEqual(two.map(({ name }) => name), ["a", "b"]);
});

Deno.test("secretMarks() takes nothing else for a mark", () => {
  for (
    const text of [
      "",
      "pryx-secret--github--",
      secretMark("github", NONCE.slice(1)),
      secretMark("github", NONCE.toUpperCase()),
      secretMark("", NONCE),
      secretMark("../x", NONCE),
      secretMark("a/b", NONCE),
    ]
  ) assert.deepEqual(secretMarks(text), [], text);
});

Deno.test("secretForms() are those that a text may show, and none of what is too short", () => {
  assert.deepEqual(secretForms('se"cret & more\n'), [
    'se"cret & more\n',
    'se"cret & more',
    'se\\"cret & more',
    "se%22cret%20%26%20more",
  ]);
  assert.deepEqual(secretForms("short"), []);
});
