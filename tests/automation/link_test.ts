import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { PryxError } from "../../core/domain/error.ts";
import { analyse } from "../../core/automation/_analyse.ts";
import { hashGraph } from "../../core/automation/_graph_hash.ts";
import { readSource } from "../../core/automation/_read_source.ts";
import { project, runGraph } from "./_project.ts";

Deno.test("link() puts what is imported before what imports it, with ids below the root", async () => {
  await using here = await project({
    "tools/job.pryx.ts":
      `import { a } from "../lib/a.ts"; import b from "./b.mjs"; export const all = a + b;`,
    "lib/a.ts": `import data from "./d.json" with { type: "json" }; export const a: number = data.x;`,
    "lib/d.json": `\uFEFF{"x": 1}`,
    "tools/b.mjs": `export default 2;`,
  });
  const graph = await here.graph("tools/job.pryx.ts");
  assert.deepEqual(graph.modules.map(({ id, links, json }) => ({ id, links, json })), [
    { id: "lib/d.json", links: {}, json: true },
    { id: "lib/a.ts", links: { "./d.json": "lib/d.json" }, json: undefined },
    { id: "tools/b.mjs", links: {}, json: undefined },
    {
      id: "tools/job.pryx.ts",
      links: { "../lib/a.ts": "lib/a.ts", "./b.mjs": "tools/b.mjs" },
      json: undefined,
    },
  ]);
  assert.equal(graph.entry, "tools/job.pryx.ts");
  assert.equal(graph.root, here.root);
  assert.equal(graph.permissions, undefined, "no manifest, no power");
  assert.equal(runGraph(graph).all, 3);
});

Deno.test("link() keeps every kind of import and export working", async () => {
  await using here = await project({
    "job.pryx.ts": `
      import * as all from "./all.ts";
      import named, { y as other } from "./named.ts";
      import "./effect.ts";
      enum Level { Low, High = "high" }
      class Point { constructor(readonly x: number, private y = 2) {} sum() { return this.x + this.y; } }
      const typed = <T,>(value: T): T => value!;
      export const result = [Object.keys(all).sort().join(), named, other, Level.Low, Level.High,
        new Point(1).sum(), typed(5) satisfies number, (globalThis as any).effect];
    `,
    "all.ts":
      `export * from "./named.ts"; export { y as z } from "./named.ts"; export * as ns from "./named.ts";`,
    "named.ts": `export default 1; export let y = 1; y = 7; export type T = string; export interface I {}`,
    "effect.ts": `(globalThis as any).effect = "ran";`,
  });
  const graph = await here.graph();
  assert.deepEqual(runGraph(graph).result, ["ns,y,z", 1, 7, 0, "high", 3, 5, "ran"]);
});

Deno.test("link() does not follow imports of types", async () => {
  await using here = await project({
    "job.pryx.ts": `
      import type { A } from "./nowhere_a.ts";
      import { type B } from "./nowhere_b.ts";
      import { C } from "./nowhere_c.ts";
      import type D from "npm:nowhere";
      export type { E } from "./nowhere_e.ts";
      export { type F } from "./nowhere_f.ts";
      let all: A | B | C | D | import("./nowhere_g.ts").G;
      declare namespace Types { const x: number; namespace Inner { type Y = 1 } }
      declare global { interface Window {} }
      declare module "x" { export const y: 1; }
      export const z = 1;
    `,
  });
  const graph = await here.graph();
  assert.deepEqual(graph.modules.map(({ id }) => id), ["job.pryx.ts"]);
});

Deno.test("link() knows imports of types from values that are named alike", async () => {
  await using here = await project({
    "job.pryx.ts": `
      import { A } from "./nowhere.ts"; // require('./nowhere.ts')
      import { b } from "./b.ts"; // require('./b.ts'); require('./b.ts')
      export const text: A | string = "require('./nowhere.ts')" + b;
    `,
    "types.pryx.ts": `
      /* require('./b.ts') */ type X = "require('./b.ts')";
      import { b } from "./b.ts";
      export const c: X | number = b;
    `,
    "plain.js": `import { unused } from "./b.ts"; export const d = "JavaScript keeps what it does not use";`,
    "b.ts": "export const b = 1;",
  });
  for (const name of ["job.pryx.ts", "types.pryx.ts", "plain.js"]) {
    assert.deepEqual((await here.graph(name)).modules.map(({ id }) => id), ["b.ts", name]);
  }
});

Deno.test("link() links modules that import each other", async () => {
  await using here = await project({
    "job.pryx.ts": `import { even } from "./even.ts"; export const x = even(4);`,
    "even.ts":
      `import { odd } from "./odd.ts"; export function even(n: number): boolean { return n === 0 || odd(n - 1); }`,
    "odd.ts":
      `import { even } from "./even.ts"; import "./job.pryx.ts"; export function odd(n: number): boolean { return n !== 0 && even(n - 1); }`,
  });
  const graph = await here.graph();
  assert.deepEqual(graph.modules.map(({ id }) => id), ["odd.ts", "even.ts", "job.pryx.ts"]);
  assert.equal(runGraph(graph).x, true);
});

Deno.test("link() keeps lines where they are, a first line for the shell too", async () => {
  await using here = await project({
    "job.pryx.ts":
      `#!/usr/bin/env -S pryx run\nimport {\n  fs,\n  type Json,\n} from "pryx";\ninterface X {\n  y: 1;\n}\nawait fs.read("x");\nthrow 1;\n`,
  });
  const [{ code } = { code: "" }] = (await here.graph()).modules;
  const lines = code.split("\n");
  assert.match(lines[8] ?? "", /await .*read\("x"\)/);
  assert.equal(lines[9], "throw 1;");
  assert.doesNotMatch(code, /^#!/m);
});

Deno.test("link() is not fooled by imports in texts, comments, templates and regular expressions", async () => {
  const text = `
    // import "./no_1.ts"; import("x"); import.meta; namespace X {}
    /* import "./no_2.ts" */
    export const a = "import('./no_3.ts'); export const permissions = {}";
    export const b = \`import("./no_4.ts") \${"import './no_5.ts'"} namespace Y {}\`;
    export const c = /import("x")|require\\('.\\/no_6.ts'\\)/.test(a) ? 1 : 2 / 3 / 4;
    export const d = { import: 1, namespace: 2, module: 3, require(x: string) { return x; } };
    export const e = d.import + d.namespace + d.module + d.require("./no_7.ts").length;
    let namespace = 1, module = 2;
    namespace
    module
    const type = "import x from './no_8.ts'";
    export { type };
  `;
  await using here = await project({ "job.pryx.ts": text });
  const graph = await here.graph();
  assert.deepEqual(graph.modules.map(({ id }) => id), ["job.pryx.ts"]);
  assert.equal(graph.permissions, undefined);
});

Deno.test("link() finds import() wherever it hides", async () => {
  for (
    const text of [
      `import("./x.ts")`,
      `import /* x */ ("./x.ts")`,
      `import\n// y\n(\n"./x.ts")`,
      `const a = \`\${import("./x.ts")}\`;`,
      `const a = \`\${\`\${import("./x.ts")}\`}\`;`,
      `const f = async () => await import("./x.ts");`,
      `class A { static x = import("./x.ts"); }`,
    ]
  ) {
    await using here = await project({ "job.pryx.ts": text });
    const problems = await here.problems();
    assert.equal(problems.length, 1, text);
    const before = text.slice(0, text.indexOf("import"));
    assert.match(problems[0] ?? "", new RegExp(`^job.pryx.ts:1:${before.length + 1} \`import\\(\\)\``), text);
  }
});

Deno.test("link() refuses what cannot run, each at its place and with what to do", async () => {
  const cases: readonly (readonly [text: string, place: string, message: RegExp, fix: RegExp])[] = [
    [`\n  namespace A { export const x = 1 }`, "2:3", /namespace A/, /declare namespace/],
    [`export namespace A.B { }`, "1:8", /namespace A/, /of their own/],
    [`module A { let x = 1 }`, "1:1", /module A/, /of their own/],
    [`import x = require("./y.ts"); x;`, "1:1", /require/, /import … from/],
    [`import type x = require("./y.ts");`, "1:1", /require/, /import … from/],
    [`import x = Foo.Bar; x;`, "1:1", /namespace/, /const/],
    [`export = 3;`, "1:1", /export =/, /export default/],
    [`const x = import.meta.url;`, "1:11", /import\.meta/, /workspace/],
    [`const x = require("./y.ts");`, "1:11", /require/, /import … from "\.\/y\.ts"/],
    [`@seal class A {}`, "1:1", /Decorators/, /yourself/],
    [`let a = 1, b = 2;\na <!--b\n;`, "2:3", /comment/, /< !--/],
    [`import { "a b" as c } from "pryx"; c;`, "1:10", /texts/, /plain name/],
    [`import x from "./x.json" with { type: "text" }; x;`, "1:26", /Only JSON/, /fs\.read/],
    [`import x from "./x.ts" with { type: "json" }; x;`, "1:24", /no JSON/, /leave/],
    [`let x = ;`, "1:9", /cannot stand here/, /^$/],
    [`if (x {`, "1:7", /"\)" was expected/, /^$/],
    [`const s = "abc`, "1:11", /string/i, /^$/],
  ];
  for (const [text, place, message, fix] of cases) {
    await using here = await project({
      "job.pryx.ts": text,
      "x.ts": "export default 1;",
      "x.json": "1",
      "y.ts": "",
    });
    const linking = await here.link("job.pryx.ts");
    assert.ok("problems" in linking, text);
    const [first] = linking.problems;
    assert.equal(`${first?.line}:${first?.column}`, place, `${text}: ${first?.message}`);
    assert.match(first?.message ?? "", message, text);
    assert.match(first?.fix ?? "", fix, text);
    assert.equal(first?.file, here.path("job.pryx.ts"));
  }
});

Deno.test("link() says what pryx has instead of a package", async () => {
  const cases: readonly (readonly [specifier: string, fix: RegExp])[] = [
    ["node:fs", /`fs`/],
    ["fs/promises", /`fs`/],
    ["node:child_process", /`sh`/],
    ["npm:zx@8", /`sh`/],
    ["execa", /`sh`/],
    ["axios", /`http`/],
    ["npm:undici@7.0.0/index.js", /`http`/],
    ["openai", /`agent`/],
    ["jsr:@std/assert@1", /`assert`/],
    ["@clack/prompts", /`ui`/],
    ["lodash", /copy what you need/],
    ["@scope/own/sub", /copy what you need/],
    ["https://example.org/x.ts", /save the file/],
    ["data:text/javascript,1", /save the file/],
    ["file:///etc/passwd", /relative/],
    ["/etc/x.ts", /relative/],
    ["pryx/fs", /from "pryx"/],
    [".", /name the file/],
    ["..", /name the file/],
    ["./lib/", /name the file/],
    ["", /name the file/],
    ["./it's.ts", /rename/],
    ["./x.ts\\\\u0000", /rename/],
    ["C:\\\\x.ts", /relative/],
    ["./a.txt", /fs\.read/],
    ["./a.tsx", /\.mts/],
    ["./a.cjs", /\.mts/],
    ["./a.d.ts", /import type/],
  ];
  for (const [specifier, fix] of cases) {
    await using here = await project({ "job.pryx.ts": `import x from "${specifier}";\nx;` });
    const linking = await here.link("job.pryx.ts");
    assert.ok("problems" in linking, specifier);
    const [{ line, column, code, fix: said }] = linking.problems as [typeof linking.problems[0]];
    assert.deepEqual({ line, column, code }, { line: 1, column: 15, code: "import" }, specifier);
    assert.match(said ?? "", fix, specifier);
  }
});

Deno.test("link() names the file that was meant", async () => {
  await using here = await project({
    "lib/a.ts": "",
    "lib/task.pryx.ts": "",
    "lib/deep/index.ts": "",
    "lib/folder.ts/x.ts": "",
    "lib/plain": "",
  });
  const cases = [
    ["./lib/a", `did you mean "./lib/a.ts"?`],
    ["./lib/a.js", `did you mean "./lib/a.ts"?`],
    ["./lib/task", `did you mean "./lib/task.pryx.ts"?`],
    ["./lib/task.pryx", `did you mean "./lib/task.pryx.ts"?`],
    ["./lib/deep", `did you mean "./lib/deep/index.ts"?`],
    ["./lib/taks.pryx.ts", `did you mean "./lib/task.pryx.ts"?`],
    ["./lib/nothing_like_it.ts", "check the path: it is relative to this file"],
    ["./none/x.ts", "check the path: it is relative to this file"],
    ["./lib/plain", "import .ts, .mts, .js, .mjs or .json"],
    ["./lib/a.ts/x.ts", "check the path: it is relative to this file"],
  ];
  for (const [specifier, fix] of cases) {
    await here.write("job.pryx.ts", `import x from "${specifier}"; x;`);
    const linking = await here.link("job.pryx.ts");
    assert.ok("problems" in linking, specifier);
    assert.equal(linking.problems[0]?.fix, fix, specifier);
  }
  await here.write("job.pryx.ts", `import x from "./lib/folder.ts"; x;`);
  assert.match((await here.problems()).join(), /cannot be read/);
});

Deno.test("link() finds all problems of a graph, and stops at fifty", async () => {
  await using here = await project({
    "job.pryx.ts": `import "./a.ts";\nimport "./b.json";\nimport "./c.ts";\nimport "lodash";\nimport.meta;`,
    "a.ts": `import "./a_none.ts";\nlet x = ;`,
    "b.json": `{\n  "a": 1,\n}`,
    "c.ts": new Uint8Array([0x22, 0xff, 0x22]),
    "many.pryx.ts": "import.meta;\n".repeat(100),
  });
  assert.deepEqual(await here.problems(), [
    'job.pryx.ts:4:8 "lodash" is not there: an automation imports "pryx" and files of its project',
    "job.pryx.ts:5:1 There is no `import.meta` in an automation",
    "a.ts:2:9 This cannot stand here",
    "b.json:3:1 This is not JSON",
    "c.ts:1:1 The file is not text in UTF-8",
  ]);
  assert.equal((await here.problems("many.pryx.ts")).length, 50);
});

Deno.test("link() takes the nearest marked folder above the real file for the project", async () => {
  await using here = await project({
    "inner/.git/HEAD": "",
    "inner/sub/job.pryx.ts": `import "../../x.ts";`,
    "x.ts": "",
  });
  assert.deepEqual(await here.problems("inner/sub/job.pryx.ts"), [
    `${here.path("inner/sub/job.pryx.ts")}:1:8 "../../x.ts" lies outside of the project`.replace(
      `${here.root}/`,
      "",
    ),
  ]);
  await Deno.remove(here.path("inner/.git"), { recursive: true });
  assert.equal((await here.graph("inner/sub/job.pryx.ts")).root, here.root);
  await Deno.mkdir(join(here.outer, "bin"));
  await Deno.symlink(here.path("inner/sub/job.pryx.ts"), join(here.outer, "bin/job"));
  const graph = await here.graph({ file: join(here.outer, "bin/job") });
  assert.deepEqual([graph.root, graph.entry], [here.root, "inner/sub/job.pryx.ts"]);
});

Deno.test("link() takes the file's own folder where nothing marks a project", async () => {
  await using here = await project({ "job.pryx.ts": "" });
  await Deno.remove(here.path("pryx.lock"));
  assert.equal((await here.graph()).root, here.root);
});

Deno.test("link() follows links inside of the project, and none out of it", async () => {
  await using here = await project({
    "job.pryx.ts": `import "./link.ts"; import "./real.ts";`,
    "real.ts": "",
    "out.pryx.ts":
      `import "./secret.ts";\nimport "./up/secret.ts";\nimport "../secret.ts";\nimport "./loop.ts";`,
  });
  await Deno.writeTextFile(join(here.outer, "secret.ts"), "export const key = 1;");
  await Deno.symlink(here.path("real.ts"), here.path("link.ts"));
  await Deno.symlink(join(here.outer, "secret.ts"), here.path("secret.ts"));
  await Deno.symlink(here.outer, here.path("up"));
  await Deno.symlink(here.path("loop.ts"), here.path("loop.ts"));
  const graph = await here.graph();
  assert.deepEqual(graph.modules.map(({ id }) => id), ["real.ts", "job.pryx.ts"]);
  assert.deepEqual(graph.modules[1]?.links, { "./link.ts": "real.ts", "./real.ts": "real.ts" });
  const read: string[] = [];
  const may = (path: string) => Promise.resolve(void read.push(path));
  assert.deepEqual(await here.problems("out.pryx.ts", { may }), [
    'out.pryx.ts:1:8 "./secret.ts" is a link that leads out of the project',
    'out.pryx.ts:2:8 "./up/secret.ts" is a link that leads out of the project',
    'out.pryx.ts:3:8 "../secret.ts" lies outside of the project',
    'out.pryx.ts:4:8 "./loop.ts" cannot be reached',
  ]);
  assert.deepEqual(read, [here.path("out.pryx.ts")]);
});

Deno.test("link() asks about each file before it reads it, and reads it once", async () => {
  await using here = await project({
    "job.pryx.ts": `import "./a.ts"; import "./b.ts";`,
    "a.ts": `import "./b.ts"; import "./job.pryx.ts";`,
    "b.ts": `import "./a.ts";`,
  });
  const log: string[] = [];
  await here.graph("job.pryx.ts", {
    may: (path) => Promise.resolve(void log.push(`may ${path.slice(here.root.length + 1)}`)),
    readFile(path, maxBytes) {
      log.push(`read ${path.slice(here.root.length + 1)}`);
      return readSource(path, maxBytes);
    },
  });
  assert.deepEqual(log, [
    "may job.pryx.ts",
    "read job.pryx.ts",
    "may a.ts",
    "read a.ts",
    "may b.ts",
    "read b.ts",
  ]);
});

Deno.test("link() hashes and runs the same bytes when files change between reads", async () => {
  await using here = await project({
    "job.pryx.ts": `import { x } from "./a.ts"; export const y = x;`,
    "a.ts": "export const x = 0;",
  });
  let times = 0;
  const changing = (path: string) => {
    const text = path.endsWith("a.ts")
      ? `export const x = ${++times};`
      : `import { x } from "./a.ts"; export const y = x;`;
    return Promise.resolve(new TextEncoder().encode(text));
  };
  const first = await here.graph("job.pryx.ts", { readFile: changing });
  assert.equal(runGraph(first).y, 1);
  await here.write("a.ts", "export const x = 1;");
  assert.equal((await here.graph()).hash, first.hash);
  await here.write("a.ts", "export const x = 1 ;");
  assert.notEqual((await here.graph()).hash, first.hash, "every byte counts");
});

Deno.test("link() reads nothing that is denied", async () => {
  await using here = await project({ "job.pryx.ts": `import "./a.ts";`, "a.ts": "" });
  const read: string[] = [];
  const linking = here.link("job.pryx.ts", {
    may: (path) =>
      path.endsWith("a.ts") ? Promise.reject(new PryxError("denied", "Denied")) : Promise.resolve(),
    readFile: (path, maxBytes) => {
      read.push(path);
      return readSource(path, maxBytes);
    },
  });
  await assert.rejects(linking, { code: "denied" });
  assert.deepEqual(read, [here.path("job.pryx.ts")]);
});

Deno.test("link() rejects when the file itself is not there or no file", async () => {
  await using here = await project({ "data.json": "{}", "folder.pryx.ts/x": "" });
  await assert.rejects(here.link("none.pryx.ts"), { code: "not_found" });
  await assert.rejects(here.link("folder.pryx.ts"), { code: "io" });
  await assert.rejects(here.link("data.json"), { code: "io" });
});

Deno.test("link() does not wait for a pipe", { ignore: Deno.build.os === "windows" }, async () => {
  await using here = await project({ "job.pryx.ts": `import "./pipe.ts";` });
  assert.ok((await new Deno.Command("mkfifo", { args: [here.path("pipe.ts")] }).output()).success);
  assert.match((await here.problems()).join(), /"\.\/pipe\.ts" cannot be imported: it cannot be read/);
  await assert.rejects(here.link("pipe.ts"), { code: "io" });
});

Deno.test("link() does not read more of a file than it may have", async () => {
  const long = "x".repeat(5 * 1024 * 1024);
  await using here = await project({
    "job.pryx.ts": `import "./long.ts";`,
    "long.ts": long,
    "long.pryx.ts": long,
  });
  assert.deepEqual(await here.problems(), [
    'job.pryx.ts:1:8 "./long.ts" cannot be imported: it is longer than 4 MB',
  ]);
  await assert.rejects(here.link("long.pryx.ts"), { code: "io" });
  const size = (await readSource(here.path("long.ts"), 1000)).length;
  assert.equal(size, 1001);
  const many = Array.from({ length: 9 }, (_, i) => `import "./part_${i}.json";`).join("\n");
  await here.write("many.pryx.ts", many);
  const json = `"${"x".repeat(4 * 1024 * 1024 - 2)}"`;
  for (let i = 0; i < 9; i++) await here.write(`part_${i}.json`, json);
  assert.deepEqual(await here.problems("many.pryx.ts"), [
    'many.pryx.ts:8:8 "./part_7.json" cannot be imported: with it, all files together are longer than 32 MB',
  ]);
});

Deno.test("link() stops at two thousand modules of a chain that never ends", async () => {
  await using here = await project({ "job.pryx.ts": `import "./m0.ts";` });
  for (let i = 0; i < 10_000; i += 1) {
    await Deno.writeTextFile(here.path(`m${i}.ts`), `import "./m${i + 1}.ts";`);
  }
  const [only, ...others] = await here.problems();
  assert.match(only ?? "", /^m1998\.ts:1:8 .*more than 2000 modules/);
  assert.deepEqual(others, []);
});

Deno.test("link() gives up on text that is made to hold it", async () => {
  const texts = [
    "(a=".repeat(40) + "1" + ")=>1".repeat(40),
    "a?(".repeat(60) + "1" + "):b=>c".repeat(60),
    "[".repeat(200_000),
    "let x = " + "(".repeat(50_000) + "1" + ")".repeat(50_000),
  ];
  for (const text of texts) {
    await using here = await project({ "job.pryx.ts": text });
    const started = performance.now();
    assert.match((await here.problems()).join(), /^job.pryx.ts:1:\d+ /);
    assert.ok(performance.now() - started < 5_000, text.slice(0, 20));
  }
});

Deno.test("analyse() never throws, whatever is cut out of a file", async () => {
  const text = await Deno.readTextFile(new URL("../../core/automation/link.ts", import.meta.url));
  const places = fc.array(fc.nat(text.length), { minLength: 2, maxLength: 6 });
  fc.assert(
    fc.property(
      places,
      fc.constantFrom("", "import ", "export ", "(", "}", "`", "<", "/*", "@"),
      (cuts, put) => {
        const sorted = cuts.toSorted((a, b) => a - b);
        const parts = sorted.map((cut, index) => index % 2 === 0 ? text.slice(cut, sorted[index + 1]) : put);
        const { imports, findings } = analyse(parts.join(""), "ts", () => undefined);
        for (const { line, column } of [...imports, ...findings]) assert.ok(line >= 1 && column >= 1);
      },
    ),
    { numRuns: 1_000 },
  );
});

Deno.test("link() takes text that was piped in for a file of the folder", async () => {
  await using here = await project({ "sub/a.ts": "export const a = 3;" });
  const text = `#!/usr/bin/env -S pryx run --ts -\nimport { a } from "./a.ts"; export const b = a;`;
  const graph = await here.graph({ text, folder: here.path("sub") });
  assert.deepEqual([graph.file, graph.entry, graph.root], ["<stdin>", "<stdin>", here.root]);
  assert.equal(runGraph(graph).b, 3);
  assert.deepEqual(await here.problems({ text: `import "./b.ts";`, folder: here.path("sub") }), [
    '<stdin>:1:8 There is no file "./b.ts"',
  ]);
});

Deno.test("link() warns of a manifest that does not count, and of text that is not what it seems", async () => {
  await using here = await project({
    "job.pryx.ts": `import "./a.ts";\nconst x = "\u202e";`,
    "a.ts": `export const permissions = { run: ["*"] };`,
  });
  const linking = await here.link("job.pryx.ts");
  assert.ok("graph" in linking);
  assert.equal(linking.graph.permissions, undefined);
  assert.deepEqual(linking.warnings.map(({ file, line, code }) => [file, line, code]), [
    [here.path("job.pryx.ts"), 2, "syntax"],
    [here.path("a.ts"), 1, "manifest"],
  ]);
});

Deno.test("link() marks tests", async () => {
  await using here = await project({
    "job.test.pryx.ts": `import { test } from "pryx"; test("x", () => {});`,
  });
  assert.equal((await here.graph("job.test.pryx.ts")).test, true);
});

Deno.test("hashGraph() differs for any two graphs that differ", async () => {
  const source = fc.record({ id: fc.string({ maxLength: 4 }), bytes: fc.uint8Array({ maxLength: 6 }) });
  const graph = fc.uniqueArray(source, { selector: ({ id }) => id, maxLength: 4 });
  await fc.assert(fc.asyncProperty(graph, graph, async (a, b) => {
    const plain = (one: typeof a) =>
      JSON.stringify(
        one.map(({ id, bytes }) => [id, [...bytes]]).sort((x, y) => `${x[0]}` < `${y[0]}` ? -1 : 1),
      );
    const same = await hashGraph(a) === await hashGraph(b);
    assert.equal(same, plain(a) === plain(b));
    assert.equal(await hashGraph(a.toReversed()), await hashGraph(a), "the order does not matter");
  }));
});
