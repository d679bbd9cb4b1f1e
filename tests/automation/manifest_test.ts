import assert from "node:assert/strict";
import fc from "fast-check";
import { NEED_KINDS } from "../../core/domain/need.ts";
import { tokenize } from "../../core/automation/_tokens.ts";
import { readManifest } from "../../core/automation/manifest.ts";
import { patternProblem } from "../../core/policy/rules.ts";
import { project } from "./_project.ts";

function read(text: string) {
  const tokens = tokenize(text, true);
  assert.ok("list" in tokens, text);
  return readManifest(tokens, (kind, pattern) => patternProblem({ verdict: "allow", kind, pattern }));
}

/** What is wrong with a manifest, as `line:column message`. It must not have been read. */
function problems(text: string): string[] {
  const { permissions, findings } = read(text);
  const errors = findings.filter(({ severity }) => severity === "error");
  if (errors.length > 0) assert.equal(permissions, undefined, text);
  for (const { code } of findings) assert.equal(code, "manifest");
  return errors.map(({ line, column, message }) => `${line}:${column} ${message}`);
}

Deno.test("readManifest() reads a literal, sorted and without doubles", () => {
  const { permissions, findings, at } = read(`
    import type { Permissions } from "pryx";
    // before
    export const permissions: Permissions = {
      /* a comment: run: ["*"] */
      "write": ['CHANGELOG.md'], // behind
      read: ["src/**", \`.\`, "src/**",],
      run: ["git log", 'echo "x"', "echo \\\\\\\\"],
      net: [],
      use: ["agent"] as const,
    } as const satisfies Permissions;
    await 1;
  `);
  assert.deepEqual(findings, []);
  assert.deepEqual(at, { line: 4, column: 18 });
  assert.deepEqual(permissions, {
    read: [".", "src/**"],
    write: ["CHANGELOG.md"],
    run: ['echo "x"', "echo \\\\", "git log"],
    use: ["agent"],
  });
  assert.deepEqual(Object.keys(permissions ?? {}), ["read", "write", "run", "use"]);
});

Deno.test("readManifest() takes an empty one for one without power, and none for none", () => {
  assert.deepEqual(read("export const permissions = {};").permissions, {});
  assert.deepEqual(read("export const permissions = { read: [] }").permissions, {});
  assert.equal(read("export const other = 1;").permissions, undefined);
  assert.equal(
    read("const f = () => { const permissions = 1; return permissions; };").permissions,
    undefined,
  );
  assert.equal(
    read("export type permissions = 1; export interface X { permissions: 1 }").permissions,
    undefined,
  );
  for (const end of ["", ";", "\n", "\nlet x = 1", ", other = 1;", "\n{ }"]) {
    assert.deepEqual(
      read(`export const permissions = { read: ["."] }${end}`).permissions,
      { read: ["."] },
      end,
    );
  }
});

Deno.test("readManifest() refuses whatever is not written out", () => {
  const cases: readonly (readonly [text: string, expected: string | RegExp])[] = [
    ["{ get read() { return []; } }", /^1:30 .*no getters/],
    ["{ set read(x) {} }", /no getters/],
    ["{ read() {} }", /no getters/],
    ["{ async read() {} }", /no getters/],
    ["{ *read() {} }", /no kind/],
    ["{ ...other }", /^1:30 .*spread/],
    ["{ read }", /`read` must be a list/],
    ['{ ["read"]: ["."] }', /computed/],
    ["{ __proto__: { read: [] } }", /`__proto__` is no kind/],
    ['{ "__proto__": ["."] }', /`__proto__` is no kind/],
    ["{ constructor: [] }", /`constructor` is no kind/],
    ['{ read: ["."], read: ["/"] }', /^1:43 `read` stands there twice/],
    ['{ raed: ["."] }', /`raed` is no kind/],
    ['{ "re\\u0061d": ["."] }', /is no kind/],
    ["{ 1: [] }", /no kind/],
    ['{ read: "." }', /^1:36 `read` must be a list/],
    ["{ read: list }", /must be a list/],
    ['{ read: list("x") }', /must be a list/],
    ["{ read: [name] }", /^1:37 .*not a text/],
    ["{ read: [1] }", /not a text/],
    ["{ read: [...list] }", /not a text/],
    ['{ read: [["."]] }', /not a text/],
    ['{ read: [, "."] }', /missing/],
    ["{ read: [`a${b}`] }", /`\$\{\}` has no value/],
    ["{ read: [tag`a`] }", /not a text/],
    ['{ read: ["a" + b] }', /written out/],
    ['{ read: ["a".trim()] }', /written out/],
    ['{ read: ["a"].concat(x) }', /written out/],
    ['{ read: ["a"] || x }', /written out/],
    ['{ read: ["a"], }.read', /written out/],
    ['{ read: ["a"] }, x', /^$/],
    ['{ read: ["a"] }\n["read"]', /^2:1 .*written out/],
    ['{ read: ["a"] }\n.read', /written out/],
    ['{ read: ["a"] } && x', /written out/],
    ['{ read: ["a"] }\n+ 1', /written out/],
    ['({ read: ["a"] })', /must be an object/],
    ['[["read", "."]]', /must be an object/],
    ['JSON.parse("{}")', /must be an object/],
    ["Object.freeze({})", /must be an object/],
    ["eval('({})')", /must be an object/],
    ["other", /must be an object/],
    ["async () => ({})", /must be an object/],
  ];
  for (const [value, expected] of cases) {
    const found = problems(`export const permissions = ${value};`);
    assert.match(found[0] ?? "", expected instanceof RegExp ? expected : new RegExp(expected), value);
  }
});

Deno.test("readManifest() refuses forms that it would not read", () => {
  const cases: readonly (readonly [text: string, expected: RegExp])[] = [
    ["export let permissions = {};", /^1:12 .*constant of its own/],
    ["export var permissions = {};", /constant of its own/],
    ["export const a = 1, permissions = {};", /^1:21 .*constant of its own/],
    ["export const { permissions } = x;", /constant of its own/],
    ["export const [permissions] = x;", /constant of its own/],
    ["export const { a: { permissions = 1 } } = x;", /constant of its own/],
    ["export function permissions() {}", /constant of its own/],
    ["export async function permissions() {}", /constant of its own/],
    ["export class permissions {}", /constant of its own/],
    ["export enum permissions {}", /constant of its own/],
    ["const permissions = {}; export { permissions };", /exported where it is declared/],
    ["const x = {}; export { x as permissions };", /exported where it is declared/],
    ["const x = {}; export { x as 'permissions' };", /exported where it is declared/],
    ["const permissions = {}; export default permissions;", /exported where it is declared/],
    [`export { permissions } from "./x.ts";`, /exported where it is declared/],
    [`export { default as permissions } from "./x.ts";`, /exported where it is declared/],
    [`export * as permissions from "./x.ts";`, /exported where it is declared/],
    ["export const permissions = {}; export const permissions = {};", /^1:45 .*twice/],
    ["export const permissions = {}; function permissions() {}", /twice/],
    ["export const permissions = {}; permissions = {};", /cannot be changed/],
    ["export const permissions = {}; permissions.read = [];", /cannot be changed/],
    ["export const permissions = {}; permissions['read'].x ??= [];", /cannot be changed/],
    ["export const permissions = {}; (permissions as any).read = [];", /cannot be changed/],
    ["export const permissions = {}; delete permissions.read;", /cannot be changed/],
  ];
  for (const [text, expected] of cases) {
    assert.match(problems(text)[0] ?? "", expected, text);
    const { at } = read(text);
    assert.ok(at, `${text}: it is exported`);
  }
});

Deno.test("readManifest() warns of one that is not exported", () => {
  const { permissions, findings } = read(`const permissions = { read: ["."] };`);
  assert.equal(permissions, undefined);
  assert.deepEqual(findings.map(({ severity, line, column }) => [severity, line, column]), [[
    "warning",
    1,
    7,
  ]]);
});

Deno.test("readManifest() sees no manifest in texts, comments and functions", () => {
  const texts = [
    `// export const permissions = { run: ["*"] };`,
    `/* export const permissions = { run: ["*"] }; */`,
    `const s = 'export const permissions = { run: ["*"] }';`,
    `const s = \`export const permissions = { run: ["*"] };\`;`,
    `const r = /export const permissions = {}/;`,
    `eval("exports.permissions = { run: ['*'] }");`,
    `(globalThis as any).permissions = { run: ["*"] };`,
    `const x = { permissions: { run: ["*"] } };`,
    `declare const permissions: { run: ["*"] };`,
  ];
  for (const text of texts) {
    const { permissions, at } = read(text);
    assert.deepEqual([permissions, at], [undefined, undefined], text);
  }
});

Deno.test("readManifest() refuses patterns that hide something, or say nothing", () => {
  const cases: readonly (readonly [list: string, expected: RegExp])[] = [
    [`run: ["git\\u202elog"]`, /backslash/],
    [`run: ["\\x67it"]`, /backslash/],
    [`run: ["git\\nlog"]`, /backslash/],
    [`run: ["git \\\nlog"]`, /backslash/],
    [`run: ["git \u202elog"]`, /not seen.*\\u\{202e\}/],
    [`run: ["git\u200blog"]`, /not seen/],
    [`run: ["git\u0007log"]`, /not seen/],
    [`run: ["git\tlog"]`, /not seen.*\\t/],
    ["run: [`git\nlog`]", /not seen.*\\n/],
    [`read: [""]`, /empty/],
    [`net: ["http://example.org/x"]`, /./],
    [`run: [" "]`, /empty/],
  ];
  for (const [list, expected] of cases) {
    const found = problems(`export const permissions = { ${list} };`);
    assert.match(found[0] ?? "", expected, list);
  }
  const hidden = problems(`export const permissions = { read: ["."] /* \u202e */ };`);
  assert.match(hidden[0] ?? "", /not seen/);
});

Deno.test("readManifest() bounds the number of patterns", () => {
  const list = Array.from({ length: 501 }, (_, index) => `"a${index}"`).join();
  assert.match(problems(`export const permissions = { read: [${list}] };`)[0] ?? "", /more than 500/);
});

Deno.test("readManifest() finds all problems of a manifest", () => {
  const found = problems(`export const permissions = {\n  raed: ["."],\n  run: [x, "ls", y()],\n  ...z,\n};`);
  assert.deepEqual(found.map((one) => one.split(" ")[0]), ["2:3", "3:9", "3:18", "4:3"]);
});

Deno.test("readManifest() reads back whatever is written as JSON, and never throws", () => {
  const pattern = fc.stringMatching(/^[a-z][a-z0-9./_-]{0,12}$/);
  const manifest = fc.dictionary(
    fc.constantFrom("read", "write", "run", "env"),
    fc.array(pattern, { maxLength: 4 }),
  );
  fc.assert(fc.property(manifest, (written) => {
    const { permissions } = read(`export const permissions = ${JSON.stringify(written, undefined, 2)};`);
    const expected = Object.fromEntries(
      NEED_KINDS.filter((kind) => written[kind]?.length).map((
        kind,
      ) => [kind, [...new Set(written[kind])].sort()]),
    );
    assert.deepEqual(permissions, expected);
  }));
  const piece = fc.constantFrom(
    "export",
    "const",
    "permissions",
    "=",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "read",
    '"a"',
    "`a`",
    "${",
    "...",
    "as",
    "x",
    "(",
    ")",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 24 }), (pieces) => {
      const tokens = tokenize(`export const permissions = ${pieces.join(" ")}`, true);
      if ("list" in tokens) readManifest(tokens, () => undefined);
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("link() gives the manifest of the entry, or its problems", async () => {
  await using here = await project({
    "job.pryx.ts": `export const permissions = { use: ["agent"] };`,
    "bad.pryx.ts": `import "./job.pryx.ts";\nexport const permissions = { use: agent };`,
  });
  assert.deepEqual((await here.graph()).permissions, { use: ["agent"] });
  assert.deepEqual(await here.problems("bad.pryx.ts"), [
    "bad.pryx.ts:2:35 `use` must be a list of texts, written out",
    "job.pryx.ts:1:14 This manifest does not count: only that of the file that is run does",
  ]);
});
