import assert from "node:assert/strict";
import fc from "fast-check";
import { cut, sanitize, sanitizeLine, spellOut } from "../../repl/sanitize.ts";

// deno-lint-ignore no-control-regex -- what is looked for
const ACTS = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/;

Deno.test("sanitize() leaves nothing that a terminal acts on, whatever the text and wherever it is cut", () => {
  const nasty = fc.array(
    fc.oneof(fc.string(), fc.constantFrom("\x1b", "[", "]", "\x07", "31m", "\r", "\x9b", "\u202e")),
  );
  fc.assert(fc.property(nasty, fc.nat(40), (parts, at) => {
    const text = parts.join("");
    assert.doesNotMatch(sanitize(text), ACTS);
    assert.doesNotMatch(sanitize(text.slice(0, at)) + sanitize(text.slice(at)), ACTS);
    assert.doesNotMatch(spellOut(text), ACTS);
    assert.doesNotMatch(sanitizeLine(text), /\n|\t/);
  }));
});

Deno.test("sanitize() drops whole sequences, keeps text, newlines and tabs", () => {
  assert.equal(sanitize("\x1b[1;31mred\x1b[0m\tß 日本 👩‍💻\r\nnext"), "red\tß 日本 👩‍💻\nnext");
  assert.equal(sanitize("\x1b]8;;http://a\x1b\\link\x1b]8;;\x1b\\"), "link");
  assert.equal(sanitize("a\x1b]0;never ends"), "a␛]0;never ends");
});

Deno.test("spellOut() drops nothing", () => {
  assert.equal(
    spellOut("rm \x1b[8m-rf\x1b[0m \u202e/ \u200b\u{e0041}"),
    "rm \\x1b[8m-rf\\x1b[0m \\u202e/ \\u200b\\u{e0041}",
  );
});

Deno.test("cut() keeps to its length and splits no surrogate pair", () => {
  assert.equal(cut("abcdef", 4), "abc…");
  assert.equal(cut("ab😀cd", 4), "ab…");
  assert.equal(cut("abc", 3), "abc");
});

Deno.test("spellOut() shows every character that escapeForDisplay() does", () => {
  for (const char of ["\u034f", "\u115f", "\ufe0f", "\u206a", "\u2800", "\u00a0", "\u{e0100}"]) {
    assert.match(spellOut(`a${char}b`), /^a\\u\{?[0-9a-f]+\}?b$/);
  }
});
