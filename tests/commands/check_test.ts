import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import type { CommandResult } from "../../core/commands/command.ts";
import { commands } from "../../core/commands/check.ts";
import type { ProjectCheck } from "../../core/commands/check.ts";
import { PryxError } from "../../core/domain/error.ts";
import { fakeContext, fakeSurface } from "../support/fake_pryx.ts";
import { testAutomations } from "./_automations.ts";

const GOOD = `import { fs } from "pryx";
export const permissions = { read: ["a.txt"] };
console.log(await fs.read("a.txt"));
`;
const BAD = `export const n: number = "text";\n`;

interface CheckInput {
  readonly paths?: string[];
  readonly update?: boolean;
  readonly frozen?: boolean;
  readonly format?: "text" | "github";
}

/** A project in a folder of its own. */
async function project(files: Readonly<Record<string, string>>, denied: readonly string[] = []) {
  const root = await Deno.realPath(await Deno.makeTempDir({ prefix: "pryx check " }));
  await Deno.mkdir(join(root, ".git"));
  const automations = testAutomations(root, denied);
  const write = async (path: string, text: string) => {
    await Deno.mkdir(dirname(join(root, path)), { recursive: true });
    await Deno.writeTextFile(join(root, path), text);
  };
  for (const [path, text] of Object.entries(files)) await write(path, text);
  return {
    root,
    automations,
    write,
    remove: (path: string) => Deno.remove(join(root, path)),
    async check(
      input: CheckInput = {},
      cwd = ".",
      signal = new AbortController().signal,
    ): Promise<CommandResult & { text: string; projects: readonly ProjectCheck[] }> {
      const [command] = commands;
      assert.ok(command);
      const context = fakeContext(fakeSurface(), signal, {
        cwd: join(root, cwd),
        automations: () => Promise.resolve(automations),
      });
      const result = await command.run({ ...input }, context);
      const { projects } = result.data as unknown as { projects: readonly ProjectCheck[] };
      return { ...result, text: result.text ?? "", projects };
    },
    async [Symbol.asyncDispose]() {
      await automations[Symbol.asyncDispose]();
      await Deno.remove(root, { recursive: true });
    },
  };
}

function checked({ root, files }: ProjectCheck): string[] {
  return files.map((file) => file.slice(root.length + 1));
}

Deno.test("check says where what is wrong, from the folder it is run in, and exits 1", async () => {
  await using at = await project({ "jobs/a.pryx.ts": BAD, "jobs/b.pryx.ts": GOOD });
  const { text, exitCode, data } = await at.check({}, "jobs");
  assert.equal(exitCode, 1);
  assert.deepEqual(text.split("\n"), [
    "a.pryx.ts:1:14: error TS2322: Type 'string' is not assignable to type 'number'",
    "",
    `${at.root}/pryx.lock names no automation yet: write it with --update`,
    "",
    "2 automations checked: 1 error",
  ]);
  assert.equal((data as { ok: boolean }).ok, false);
});

Deno.test("check takes all automations of the project, but for what is ignored and what is installed", async () => {
  await using at = await project({
    "a.pryx.ts": GOOD,
    "deep/er/b.test.pryx.ts": GOOD,
    "other.ts": BAD,
    "node_modules/x/c.pryx.ts": BAD,
    "deep/node_modules/d.pryx.ts": BAD,
    "out/e.pryx.ts": BAD,
    ".gitignore": "out/\n",
  });
  const { projects: [all], exitCode } = await at.check({}, "deep");
  assert.ok(all);
  assert.deepEqual(checked(all), ["a.pryx.ts", "deep/er/b.test.pryx.ts"]);
  assert.equal(exitCode, 0);
});

Deno.test("check takes the files and folders that it is given, from where it is run", async () => {
  await using at = await project({
    "a.pryx.ts": GOOD,
    "b/c.pryx.ts": GOOD,
    "b/d.pryx.ts": GOOD,
    "e.pryx.ts": BAD,
  });
  const { projects: [given] } = await at.check({ paths: ["../a.pryx.ts", "."] }, "b");
  assert.ok(given);
  assert.deepEqual(checked(given), ["a.pryx.ts", "b/c.pryx.ts", "b/d.pryx.ts"]);
});

Deno.test("check says that there is nothing to check, and that nothing is wrong", async () => {
  await using at = await project({ "README.md": "" });
  assert.deepEqual((await at.check()).text, "There are no automations here");
  await at.write("a.pryx.ts", "console.log(1);");
  await at.check({ update: true });
  assert.deepEqual((await at.check()).text, "1 automation checked: all is well");
});

Deno.test("check says once, in the linker's words, what the compiler sees too", async () => {
  await using at = await project({
    "a.pryx.ts": `import "./gone.ts";
import zod from "zod";
namespace N { export const x = 1; }
export const permissions = { read: ["."], ...zod };
console.log(N);
`,
  });
  const { projects: [found] } = await at.check();
  assert.deepEqual(found?.problems.map(({ line, code }) => `${line} ${code}`), [
    "1 import",
    "2 import",
    "3 unsupported",
    "4 manifest",
  ]);
});

Deno.test("check shows a file that policy keeps from it as a problem of that file, and goes on", async () => {
  await using at = await project(
    {
      "a.pryx.ts": `import { secret } from "./secret.ts"; console.log(secret);`,
      "secret.ts": BAD,
      "b.pryx.ts": BAD,
    },
    ["secret.ts"],
  );
  const { text, exitCode } = await at.check();
  assert.equal(exitCode, 1);
  assert.match(text, /^a\.pryx\.ts:1:1: error: An automation may not import .*secret\.ts\n/m);
  assert.match(text, /^b\.pryx\.ts:1:14: error TS2322/m);
  assert.doesNotMatch(text, /^secret\.ts/m);
});

Deno.test("check --update writes what an automation may do, and the lock then holds", async () => {
  await using at = await project({ "a.pryx.ts": GOOD, "b.pryx.ts": "console.log(1);" });
  const first = await at.check({ update: true });
  assert.equal(first.exitCode, 0);
  assert.match(
    first.text,
    /^pryx\.lock is written\. What is new in it:\n {2}a\.pryx\.ts is not locked yet\n {2}a\.pryx\.ts may now read a\.txt\n {2}b\.pryx\.ts is not locked yet$/m,
  );
  const [lock] = at.automations.written;
  assert.equal(lock?.file, join(at.root, "pryx.lock"));
  assert.deepEqual([...lock.entries].map(([path, { permissions, api }]) => [path, permissions, api]), [
    ["a.pryx.ts", { read: ["a.txt"] }, 1],
    ["b.pryx.ts", {}, 1],
  ]);
  assert.deepEqual(await at.check({ frozen: true }).then(({ exitCode, text }) => [exitCode, text]), [
    0,
    "2 automations checked: all is well",
  ]);
  await at.check({ update: true });
  assert.equal(at.automations.written.length, 1, "a lock that holds is not written again");
});

Deno.test("check --frozen fails on every way that a lock can be wrong", async () => {
  const cases: Readonly<
    Record<string, [change: (at: Awaited<ReturnType<typeof project>>) => Promise<void>, says: string]>
  > = {
    "a new file": [(at) => at.write("c.pryx.ts", GOOD), "c.pryx.ts is not locked yet"],
    "other code": [
      (at) => at.write("a.pryx.ts", `${GOOD}// more\n`),
      "the code of a.pryx.ts, or of a file that it imports, has changed; what it may do has not",
    ],
    "other code in what it imports": [
      (at) => at.write("lib.ts", "export const x = 2;"),
      "the code of b.pryx.ts, or of a file that it imports, has changed; what it may do has not",
    ],
    "more permissions": [
      (at) => at.write("a.pryx.ts", GOOD.replace('"a.txt"', '"."')),
      "a.pryx.ts may now read every file of the project",
    ],
    "a file that is gone": [(at) => at.remove("a.pryx.ts"), "a.pryx.ts is not there any more"],
    "another version of the API": [async (at) => {
      const [lock] = at.automations.written;
      assert.ok(lock);
      const entries = [...lock.entries].map(([path, entry]) => [path, { ...entry, api: 7 }] as const);
      await at.automations.writeLock({ file: lock.file, entries: new Map(entries) });
    }, "a.pryx.ts was locked for version 7 of the API; this is version 1"],
  };
  for (const [name, [change, says]] of Object.entries(cases)) {
    await using at = await project({
      "a.pryx.ts": GOOD,
      "b.pryx.ts": `import { x } from "./lib.ts"; console.log(x);`,
      "lib.ts": "export const x = 1;",
    });
    await at.check({ update: true });
    await change(at);
    const loose = await at.check();
    assert.equal(loose.exitCode, 0, name);
    assert.match(loose.text, /not as pryx\.lock says: see how with --frozen/, name);
    const { text, exitCode } = await at.check({ frozen: true });
    assert.equal(exitCode, 1, name);
    assert.ok(text.includes(`\n  ${says}\n`), `${name}: ${text}`);
    assert.match(
      text,
      /accept it with: pryx check --update\n\n\d automations? checked: \d not as locked$/,
      name,
    );
    assert.equal((await at.check({ update: true })).exitCode, 0, name);
    assert.equal((await at.check({ frozen: true })).exitCode, 0, name);
  }
});

Deno.test("check --frozen looks at what the lock names though ignore files leave it out", async () => {
  await using at = await project({ "a.pryx.ts": GOOD });
  await at.check({ update: true });
  await at.write(".gitignore", "a.pryx.ts\n");
  await at.write("a.pryx.ts", GOOD.replace("a.txt", "."));
  assert.equal((await at.check({ frozen: true })).exitCode, 1);
});

Deno.test("check --frozen of one file leaves the others' entries alone, but not those of files that are gone", async () => {
  await using at = await project({ "a.pryx.ts": GOOD, "b.pryx.ts": GOOD, "c.pryx.ts": GOOD });
  await at.check({ update: true });
  await at.write("b.pryx.ts", "console.log(2);");
  assert.equal((await at.check({ paths: ["a.pryx.ts"], frozen: true })).exitCode, 0);
  await at.check({ paths: ["a.pryx.ts"], update: true });
  assert.equal((await at.check({ paths: ["b.pryx.ts"], frozen: true })).exitCode, 1);
  await at.remove("c.pryx.ts");
  assert.match(
    (await at.check({ paths: ["a.pryx.ts"], frozen: true })).text,
    /c\.pryx\.ts is not there any more/,
  );
});

Deno.test("check keeps a lock for each project", async () => {
  await using at = await project({ "a.pryx.ts": GOOD, "sub/.pryx/types/x": "", "sub/b.pryx.ts": GOOD });
  await at.check({ update: true });
  assert.deepEqual(
    at.automations.written.map(({ file, entries }) => [file.slice(at.root.length), [...entries.keys()]]),
    [
      ["/pryx.lock", ["a.pryx.ts"]],
      ["/sub/pryx.lock", ["b.pryx.ts"]],
    ],
  );
});

Deno.test("check --update writes nothing while something is wrong", async () => {
  await using at = await project({ "a.pryx.ts": GOOD, "b.pryx.ts": BAD });
  const { text, exitCode } = await at.check({ update: true });
  assert.equal(exitCode, 1);
  assert.match(text, /^pryx\.lock is not written: there are errors$/m);
  assert.equal(at.automations.written.length, 0);
});

Deno.test("check --format github makes annotations that nothing in a file can break out of", async () => {
  await using at = await project({
    "a,b:c%.pryx.ts":
      `const x: {\n  a: { b: number } } = { a: { b: await (async () => "%0A::error::")() } }; x;\n`,
    "d.pryx.ts": `import "./x\`\n::stop-commands::all";`,
  });
  const { text, exitCode } = await at.check({ format: "github" });
  assert.equal(exitCode, 1);
  const lines = text.split("\n");
  assert.match(
    lines[0] ?? "",
    /^::error file=a%2Cb%3Ac%25\.pryx\.ts,line=2,col=31,title=pryx TS2322::Type 'string' is not assignable to type 'number'$/,
  );
  assert.ok(lines.slice(0, -1).every((line) => /^::(error|notice) file=/.test(line)), text);
  assert.match(lines.at(-1) ?? "", /^2 automations checked: \d+ errors$/);
});

Deno.test("check --format github makes an annotation of each drift", async () => {
  await using at = await project({ "a.pryx.ts": GOOD });
  await at.check({ update: true });
  await at.write("a.pryx.ts", GOOD.replace("a.txt", "b,c"));
  assert.match(
    (await at.check({ format: "github" })).text,
    /^::notice file=pryx\.lock,title=pryx\.lock::1 automation is not/,
  );
  assert.match(
    (await at.check({ format: "github", frozen: true })).text,
    /^::error file=pryx\.lock,title=pryx\.lock::a\.pryx\.ts may now read b,c%0Aa\.pryx\.ts may no longer read a\.txt$/m,
  );
});

Deno.test("check shows control characters of a file's name and text, and does not obey them", async () => {
  await using at = await project({ "a\x1b[2J.pryx.ts": `const x: "\x1b[31m\u202e" = 1; x;` });
  const { text } = await at.check();
  // deno-lint-ignore no-control-regex -- what must not be there
  assert.doesNotMatch(text, /[\x1b\u202e]/);
  assert.match(text, /^a\\u\{1b\}\[2J\.pryx\.ts:1:\d+: error TS\d+/);
});

Deno.test("check refuses what it cannot mean, as a mistake in usage", async () => {
  await using at = await project({ "a.pryx.ts": GOOD, "lib.ts": "" });
  const inputs: CheckInput[] = [
    { paths: ["none.pryx.ts"] },
    { paths: ["lib.ts"] },
    { update: true, frozen: true },
  ];
  for (const input of inputs) {
    await assert.rejects(at.check(input), (error) => error instanceof PryxError && error.code === "usage");
  }
});

Deno.test("check ends when it is cancelled", async () => {
  await using at = await project({ "a.pryx.ts": GOOD });
  await assert.rejects(
    at.check({}, ".", AbortSignal.abort()),
    (error) => error instanceof DOMException && error.name === "AbortError",
  );
});
