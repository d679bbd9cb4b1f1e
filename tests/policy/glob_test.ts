import assert from "node:assert/strict";
import fc from "fast-check";
import {
  compileGlob,
  escapeGlob,
  globMatches,
  isLiteral,
  staticBase,
  unescapeGlob,
} from "../../core/policy/_glob.ts";

function matches(pattern: string, path: string): boolean {
  const glob = compileGlob(pattern);
  if (typeof glob === "string") throw new Error(glob);
  return globMatches(glob, path.split("/").filter((name) => name !== ""));
}

for (
  const [pattern, yes, no] of [
    ["/a/b", ["/a/b", "/a/b/c"], ["/a", "/a/bc", "/b"]],
    ["/a/*", ["/a/b", "/a/.b", "/a/b/c", "/a/b\nc"], ["/a", "/b/a"]],
    ["/a/**", ["/a", "/a/b/c"], ["/b"]],
    ["/a/**/b", ["/a/b", "/a/x/y/b", "/a/b/b/c"], ["/a", "/a/xb"]],
    ["**/b", ["/b", "/a/b", "/a/b/c"], ["/a", "/ab"]],
    ["/*.ts", ["/a.ts", "/.ts"], ["/a.tsx", "/a/b"]],
    ["/a*b*c", ["/abc", "/axbxc", "/abbcc"], ["/ab", "/acb", "/abcd"]],
    ["/a*a", ["/aa", "/aba"], ["/a"]],
    ["/a?c", ["/abc"], ["/ac", "/abbc"]],
    ["/[a-c]x", ["/ax", "/cx"], ["/dx", "/x"]],
    ["/[!a-c]x", ["/dx"], ["/ax", "/x"]],
    ["/[^a]x", ["/dx"], ["/ax"]],
    ["/[]a]x", ["/]x", "/ax"], ["/bx"]],
    ["/[a\\]]x", ["/]x", "/ax"], ["/\\x"]],
    ["/{a,b/c}/d", ["/a/d", "/b/c/d"], ["/b/d", "/{a,b/c}/d"]],
    ["/{a,{b,c}}d{,e}", ["/ad", "/bd", "/cde"], ["/d", "/e"]],
    ["/a\\*b", ["/a*b"], ["/axb"]],
    ["/a\\{b,c\\}", ["/a{b,c}"], ["/ab"]],
    ["/(a|b)+@!'\"", ["/(a|b)+@!'\""], ["/a", "/b"]],
    ["/a**b", ["/ab", "/axb"], ["/a/b"]],
    ["/***/b", ["/a/b"], ["/b"]],
  ] as const
) {
  Deno.test(`compileGlob() reads ${pattern}`, () => {
    for (const path of yes) assert.ok(matches(pattern, path), path);
    for (const path of no) assert.ok(!matches(pattern, path), path);
  });
}

Deno.test("compileGlob() opens nested braces with wildcards as one of each", () => {
  for (const path of ["/x/a.ts", "/x/b.js", "/x/b.mjs"]) assert.ok(matches("/x/*.{ts,{m,}js}", path));
  assert.ok(!matches("/x/*.{ts,{m,}js}", "/x/a.css"));
});

Deno.test("globMatches() agrees with a plain search over all ways to match", () => {
  const pattern = fc.array(fc.constantFrom("a", "b", "*", "?", "/", "**", "[!a]"), { maxLength: 8 }).map((
    p,
  ) => `/${p.join("")}`);
  const path = fc.array(fc.constantFrom("a", "b", "/", "aa"), { maxLength: 8 }).map((p) => `/${p.join("")}`);
  fc.assert(
    fc.property(pattern, path, (pattern, path) => {
      const names = path.split("/").filter((name) => name !== "");
      const parts = pattern.split("/").filter((part) => part !== "");
      assert.equal(matches(pattern, path), search(parts, names), `${pattern} ${path}`);
    }),
    { numRuns: 3_000 },
  );
});

/** By definition: a pattern covers what is below, `**` any number of names. */
function search(parts: readonly string[], names: readonly string[]): boolean {
  const [part, ...rest] = parts;
  if (part === undefined) return true;
  if (part === "**" && search(rest, names)) return true;
  const [name, ...below] = names;
  if (name === undefined) return false;
  if (part === "**") return search(parts, below);
  const source = part.replaceAll(/\*+/gu, "[^]*").replaceAll("?", "[^]").replaceAll("[!a]", "[^a]");
  return new RegExp(`^${source}$`, "u").test(name) && search(rest, below);
}

Deno.test("globMatches() takes few steps for a pattern made to take many", () => {
  const pattern = `/${"**/*a*a*a*a*a*a*a*a*b/".repeat(20)}x`;
  const path = `/${`${"a".repeat(255)}/`.repeat(15)}`;
  // Backtracking over all ways would not end; this returns.
  assert.equal(matches(pattern, path), false);
});

Deno.test("escapeGlob() names exactly one path", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary" }).filter((s) => !s.includes("/") && s !== "" && s !== "." && s !== ".."),
      (name) => {
        const escaped = escapeGlob(`/${name}`);
        assert.ok(isLiteral(escaped));
        assert.equal(unescapeGlob(escaped), `/${name}`);
        assert.ok(matches(escaped, `/${name}`));
        assert.ok(!matches(escaped, `/${name}x`));
      },
    ),
  );
});

Deno.test("staticBase() is the folder before the first wildcard", () => {
  assert.equal(staticBase("/a/b/*.ts"), "/a/b");
  assert.equal(staticBase("/a/b"), "/a/b");
  assert.equal(staticBase("/*/b"), "/");
  assert.equal(staticBase("/a\\*/b?c/d"), "/a*");
});
