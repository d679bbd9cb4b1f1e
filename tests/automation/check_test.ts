import assert from "node:assert/strict";
import { checkTypes } from "../../core/automation/check.ts";
import { PryxError } from "../../core/domain/error.ts";
import { placesOf, problemsOf } from "./_check.ts";

Deno.test("checkTypes() finds nothing in an automation that is right, with a shebang and top-level await", async () => {
  assert.deepEqual(
    await placesOf(`#!/usr/bin/env -S pryx run
import { agent, args, fs, sh } from "pryx";

export const permissions = { read: ["."], write: ["CHANGELOG.md"], run: ["git log"], use: ["agent"] };

const log = await sh\`git log --oneline \${args.positional[0] ?? "-20"}\`.text();
const notes = await agent.ask(\`Write release notes for:\\n\${log}\`, {
  schema: { type: "object", properties: { markdown: { type: "string" } }, required: ["markdown"] },
});
await fs.write("CHANGELOG.md", notes.markdown);
`),
    [],
  );
});

Deno.test("checkTypes() gives file, line, column, code and a message in one piece", async () => {
  const [problem, ...others] = await problemsOf(`import { fs } from "pryx";
const n: { a: { b: number } } = { a: { b: await fs.read("x") } };
`);
  assert.deepEqual(others, []);
  assert.deepEqual(problem, {
    file: "job.pryx.ts",
    line: 2,
    column: 40,
    code: "TS2322",
    message: "Type 'string' is not assignable to type 'number'",
    severity: "error",
  });
});

Deno.test("checkTypes() flattens a chain of reasons and cuts what nobody would read", async () => {
  const [chain] = await problemsOf(`interface A { a: { b: { c: number } } }
declare const other: { a: { b: { c: string } } };
export const a: A = other;
`);
  assert.match(chain?.message ?? "", /^Type .*\n {2}.*'a\.b\.c'.*\n {4}Type 'string' is not assignable/);
  const union = Array.from({ length: 400 }, (_, i) => `"${"long".repeat(9)}${i}"`).join(" | ");
  const [long] = await problemsOf(`declare let x: { a: ${union} }; export const y: never = x;`);
  assert.ok((long?.message.length ?? 0) < 1_300, `${long?.message.length}`);
});

Deno.test("checkTypes() is strict, also about what an index may not find", async () => {
  assert.deepEqual(
    await placesOf(`const list = [1, 2];
const first: number = list[0];
function f(x) { return x; }
let text: string = null;
try { f(first); } catch (error) { error.message; }
console.log(text);
`),
    [
      "job.pryx.ts:2:7 TS2322",
      "job.pryx.ts:3:12 TS7006",
      "job.pryx.ts:4:5 TS2322",
      "job.pryx.ts:5:35 TS18046",
    ],
  );
});

Deno.test("checkTypes() follows relative imports, of types and of JSON too, and reports each file where it is wrong", async () => {
  const project = {
    "job.pryx.ts": `import { total, type Row } from "./lib/total.ts";
import rows from "./rows.json";
import settings from "./settings.json" with { type: "json" };
const all: Row[] = rows;
const text: string = total(all);
console.log(text, settings.depth.toFixed());
`,
    "lib/total.ts": `import type { Row } from "../row.ts";
export type { Row };
export const total = (rows: readonly Row[]): number => rows.length + rows[0].n;
`,
    "row.ts": `export interface Row { readonly n: number }\n`,
    "rows.json": `[{ "n": 1 }]`,
    "settings.json": `{ "depth": 3 }`,
  };
  assert.deepEqual(await placesOf(project), ["job.pryx.ts:5:7 TS2322", "lib/total.ts:3:70 TS2532"]);
});

Deno.test("checkTypes() knows what JavaScript exports, and checks only what asks for it", async () => {
  assert.deepEqual(
    await placesOf({
      "job.pryx.ts": `import { add } from "./add.js"; import { sub } from "./sub.mjs";
const n: string = add(1, 2) + sub(2); n;`,
      "add.js":
        `/** @param {number} a @param {number} b */\nexport function add(a, b) { return Number(a + b + none); }\n`,
      "sub.mjs": `// @ts-check\nexport const sub = (/** @type {number} */ a) => a - none;\n`,
    }),
    ["job.pryx.ts:2:7 TS2322", "sub.mjs:2:53 TS2304"],
  );
});

Deno.test("checkTypes() asks for each file once, however many import it, and survives cycles", async () => {
  const files: Record<string, string> = {
    "/p/a.pryx.ts":
      `import { b } from "./b.ts"; import { c } from "./c.ts"; export const a = 1; console.log(b, c);`,
    "/p/b.ts": `import { c } from "./c.ts"; import { a } from "./a.pryx.ts"; export const b = () => [a, c];`,
    "/p/c.ts": `import type { b } from "./b.ts"; export const c: typeof b | 1 = 1;`,
  };
  const asked: string[] = [];
  const problems = await checkTypes(["/p/a.pryx.ts", "/p/b.ts"], {
    read(path) {
      asked.push(path);
      return Promise.resolve(files[path]);
    },
  });
  assert.deepEqual(problems, []);
  assert.deepEqual(asked.sort(), ["/p/a.pryx.ts", "/p/b.ts", "/p/c.ts"]);
});

Deno.test("checkTypes() reads nothing but relative imports: no package, URL, reference or ambient types", async () => {
  const asked: string[] = [];
  const text = `/// <reference path="../outside.d.ts" />
/// <reference types="node" />
/// <reference lib="dom" />
import fs from "node:fs";
import zod from "npm:zod";
import left from "left-pad";
import far from "https://example.org/x.ts";
import all from "/etc/passwd.json";
import bare from "./bare";
import twice from "file:///etc/hostname.json";
type Sneaky = import("/etc/shadow.json");
export const used = [fs, zod, left, far, all, bare, twice] as const;
document.title;
`;
  const problems = await checkTypes(["/p/job.pryx.ts"], {
    read(path) {
      asked.push(path);
      return Promise.resolve(path === "/p/job.pryx.ts" ? text : undefined);
    },
  });
  assert.deepEqual(asked, ["/p/job.pryx.ts"]);
  const lines = problems.map(({ line }) => line);
  assert.deepEqual([...new Set(lines)], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13]);
});

Deno.test("checkTypes() says of a file that cannot be read that it is not there, and checks the others", async () => {
  assert.deepEqual(
    await placesOf({ "a.pryx.ts": `import "./gone.ts"; const n: number = "";` }, [
      "a.pryx.ts",
      "none.pryx.ts",
    ]),
    ["a.pryx.ts:1:8 TS2882", "a.pryx.ts:1:27 TS2322", "none.pryx.ts:1:1 import"],
  );
});

Deno.test("checkTypes() keeps files apart: what one declares is not there in another", async () => {
  assert.deepEqual(
    await placesOf({ "a.pryx.ts": "const shared = 1;", "b.pryx.ts": "const shared = ''; shared;" }, [
      "a.pryx.ts",
      "b.pryx.ts",
    ]),
    [],
  );
});

Deno.test("checkTypes() refuses what would not run once the types are gone", async () => {
  const project = {
    "job.pryx.ts": `import { Shape } from "./shape.ts";
export { Shape } from "./shape.ts";
namespace Inner { export const x = 1; }
declare namespace Only { const y: number; }
@((c: unknown) => void c) class Decorated { accessor a = 1; }
enum Fine { A, B }
const enum Also { C }
import old = require("./shape.ts");
export const all: unknown[] = [Inner, Decorated, Fine.A, Also.C, old, null as unknown as Shape];
`,
    "shape.ts": "export interface Shape { readonly sides: number }\n",
  };
  assert.deepEqual(await placesOf(project), [
    "job.pryx.ts:2:10 TS1205",
    "job.pryx.ts:3:1 unsupported",
    "job.pryx.ts:5:1 unsupported",
    "job.pryx.ts:5:45 unsupported",
    "job.pryx.ts:8:1 TS1202",
  ]);
});

Deno.test("checkTypes() knows no DOM, no Deno, no Node, no shared memory and no code from text", async () => {
  const absent = [
    "document",
    "window",
    "fetch",
    "Deno",
    "process",
    "Buffer",
    "require",
    "SharedArrayBuffer",
    "Atomics",
    "WebAssembly",
    "eval",
    "escape",
    "Temporal",
    "Worker",
    "self",
    "localStorage",
  ];
  const problems = await problemsOf(absent.map((name) => `void ${name};`).join("\n"));
  assert.deepEqual(problems.map(({ line, message }) => [line, /'(\w+)'/.exec(message)?.[1]]), [
    ...absent.map((name, index) => [index + 1, name]),
  ]);
  assert.deepEqual(await placesOf(`new Function("1");\nFunction("1");`), [
    "job.pryx.ts:1:5 TS2351",
    "job.pryx.ts:2:1 TS2349",
  ]);
});

Deno.test("checkTypes() reports syntax errors with their place, however broken the text is", async () => {
  assert.deepEqual((await placesOf("const a = ;\n"))[0], "job.pryx.ts:1:11 TS1109");
  const broken = ["\u0000\u0001", "`${".repeat(500), "<<<<<<< HEAD\n", "\ud800"];
  for (const text of broken) {
    assert.ok((await problemsOf(text)).length > 0, JSON.stringify(text.slice(0, 20)));
  }
});

Deno.test("checkTypes() says what is nested too deeply, and checks the other files", async () => {
  for (
    const deep of [
      "{".repeat(2_000),
      "(".repeat(200_000),
      "[".repeat(700) + "]".repeat(700),
      "a" + ".b()".repeat(9e4),
    ]
  ) {
    assert.deepEqual(
      (await placesOf({ "job.pryx.ts": 'import "./deep.ts"; const n: number = "";', "deep.ts": deep }))
        .filter((place) => place.startsWith("job") || place.endsWith(" type")),
      deep.startsWith("[") ? ["job.pryx.ts:1:27 TS2322"] : ["deep.ts:1:1 type", "job.pryx.ts:1:27 TS2322"],
      deep.slice(0, 5),
    );
  }
  const sum = `const text: string = ${Array.from({ length: 5_000 }, () => '"a"').join(" + ")}; text;`;
  assert.deepEqual(await placesOf(sum), []);
});

Deno.test("checkTypes() ends at its time limit when types take too long", async () => {
  const heavy = Array.from(
    { length: 3_000 },
    (_, i) => `export const v${i}: { a${i}: string } = { a${i}: ${i} };`,
  ).join("\n");
  await assert.rejects(
    checkTypes(["/p/a.pryx.ts"], { read: () => Promise.resolve(heavy), limit: 0 }),
    (error) => error instanceof PryxError && error.code === "timeout",
  );
});

Deno.test("checkTypes() stops when it is cancelled", async () => {
  const signal = AbortSignal.abort();
  await assert.rejects(
    checkTypes(["/p/a.pryx.ts"], { read: () => Promise.resolve(""), signal }),
    (error) => error instanceof DOMException && error.name === "AbortError",
  );
});

Deno.test("checkTypes() reports a thousand problems at most", async () => {
  const many = Array.from({ length: 3_000 }, () => `export {}; const x: number = "";`).join("\n");
  assert.equal((await problemsOf(many)).length, 1_000);
});
