import assert from "node:assert/strict";
import { join } from "node:path";
import { builtPryx, PROGRAM } from "../support/built_pryx.ts";
import { hasNamespaces } from "../support/namespaces.ts";

Deno.test("a project is set up, checked, locked, and held to its lock", async () => {
  await using pryx = await builtPryx();
  const init = await pryx.run(["init"]);
  assert.equal(init.code, 0, init.stderr);
  const first = await pryx.run(["run", "automations/hello.pryx.ts", "--top", "3"]);
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stdout, /^ending +files +KB\n/);
  assert.match(first.stdout, /^\.ts +3 +\d+$/m);
  const empty = await pryx.run(["check", "--frozen"]);
  assert.deepEqual([empty.code, /hello\.pryx\.ts/.test(empty.stdout)], [1, true], empty.stdout);
  const written = await pryx.run(["check", "--update"]);
  assert.equal(written.code, 0, written.stdout + written.stderr);
  assert.match(written.stdout, /read every file of the project/);
  assert.deepEqual(Object.keys(JSON.parse(await pryx.read("pryx.lock")).automations), [
    "automations/hello.pryx.ts",
  ]);
  const frozen = await pryx.run(["check", "--frozen"]);
  assert.deepEqual([frozen.code, frozen.stdout], [0, "1 automation checked: all is well\n"]);

  const path = "automations/hello.pryx.ts";
  const before = await pryx.read(path);
  await pryx.write(path, before.replace('read: ["."]', 'read: ["."], run: ["git push"]'));
  const more = await pryx.run(["check", "--frozen"]);
  assert.equal(more.code, 1);
  assert.match(more.stdout, /may now run .*git push/);
});

Deno.test("check finds what is wrong in types, and says it to people, programs and workflows", async () => {
  await using pryx = await builtPryx();
  await pryx.write("job.pryx.ts", 'import { fs } from "pryx";\nconst n: number = await fs.read("a");\nn;\n');
  const text = await pryx.run(["check"]);
  assert.equal(text.code, 1);
  assert.match(
    text.stdout,
    /^job\.pryx\.ts:2:7: error TS2322: Type 'string' is not assignable to type 'number'\n/,
  );
  const github = await pryx.run(["check", "--format", "github"]);
  assert.match(github.stdout, /^::error file=job\.pryx\.ts,line=2,col=7,title=pryx TS2322::Type 'string'/);
  const json = await pryx.run(["check", "--json"]);
  assert.equal(json.code, 1);
  const { ok, projects: [project] } = JSON.parse(json.stdout);
  assert.deepEqual([ok, project.problems[0].code, project.problems[0].line], [false, "TS2322", 2]);
});

Deno.test("check says what to write instead of a package, used or not", async () => {
  await using pryx = await builtPryx();
  await pryx.write(
    "job.pryx.ts",
    'import { readFileSync } from "node:fs";\nimport zod from "npm:zod";\nzod;\n',
  );
  const { code, stdout } = await pryx.run(["check"]);
  assert.equal(code, 1);
  assert.match(stdout, /^job\.pryx\.ts:1:\d+: error: "node:fs" is not there.*import \{ fs \} from "pryx"/m);
  assert.match(stdout, /^job\.pryx\.ts:2:\d+: error: "npm:zod" is not there.*JSON Schema/m);
  assert.doesNotMatch(stdout, /npm i --save-dev|TS2/);
});

Deno.test({
  name: "check needs no network",
  ignore: !hasNamespaces,
  async fn() {
    await using pryx = await builtPryx();
    await pryx.write("job.pryx.ts", 'console.log(new URL("https://example.org").host, [1].at(0));\n');
    const options = { through: ["unshare", "--user", "--map-root-user", "--net"] };
    const { code, stdout, stderr } = await pryx.run(["check"], options);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /1 automation checked: all is well\n$/);
  },
});

Deno.test("types prints what the module has", async () => {
  await using pryx = await builtPryx();
  const { stdout } = await pryx.run(["types"]);
  assert.match(stdout, /^export declare function sh\(/m);
  assert.equal(stdout, await Deno.readTextFile(new URL("../../core/automation/api.d.ts", import.meta.url)));
});

Deno.test("of the compiler's package only the compiler, the language and the licenses come along", async () => {
  const folder = join(PROGRAM, "../bundle/node_modules/typescript");
  const lib = await Array.fromAsync(Deno.readDir(join(folder, "lib")), ({ name }) => name);
  const others = lib.filter((name) => !/^lib\.(es|decorators)/.test(name));
  assert.deepEqual(others, ["typescript.js"]);
  assert.ok(lib.includes("lib.es5.d.ts") && lib.includes("lib.esnext.d.ts"));
  const license = await Deno.readTextFile(join(folder, "LICENSE.txt"));
  assert.match(license, /Apache License/);
  assert.ok((await Deno.stat(join(folder, "lib/typescript.js"))).size < 5_000_000);
});
