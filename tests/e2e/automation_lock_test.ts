import assert from "node:assert/strict";
import { join } from "node:path";
import { type BuiltPryx, builtPryx } from "../support/built_pryx.ts";

const JOB = `import { fs } from "pryx";
import { text } from "./lib.ts";
export const permissions = { write: ["out"] };
await fs.write("out/a.txt", text);
console.log("ran");
`;

/** A project with an automation that is locked as it is. */
async function locked(): Promise<BuiltPryx> {
  const pryx = await builtPryx();
  await Deno.mkdir(join(pryx.workspace, ".git"));
  await pryx.write("job.pryx.ts", JOB);
  await pryx.write("lib.ts", 'export const text = "x";\n');
  const { code, stderr } = await pryx.run(["check", "--update"]);
  assert.equal(code, 0, stderr);
  return pryx;
}

Deno.test("--frozen runs an automation as it was locked, and grants nothing", async () => {
  await using pryx = await locked();
  const { code, stdout, stderr } = await pryx.run(["run", "--frozen", "job.pryx.ts"]);
  assert.deepEqual([code, stdout], [3, ""]);
  assert.match(stderr, /--allow write=out/);
  const allowed = await pryx.run(["run", "--frozen", "--allow", "write=out", "job.pryx.ts"]);
  assert.deepEqual([allowed.code, allowed.stdout], [0, "ran\n"], allowed.stderr);
});

Deno.test("--frozen refuses code that changed, also in what it imports, and says so", async () => {
  await using pryx = await locked();
  await pryx.write("lib.ts", 'export const text = "y";\n');
  const { code, stdout, stderr } = await pryx.run(["run", "--frozen", "--allow", "write=out", "job.pryx.ts"]);
  assert.deepEqual([code, stdout], [1, ""]);
  assert.match(stderr, /job\.pryx\.ts is not what pryx\.lock says[^]*pryx check --update/);
  assert.doesNotMatch(stderr, /may now/);
  await assert.rejects(pryx.read("out/a.txt"), Deno.errors.NotFound);
});

Deno.test("--frozen tells what changed in what an automation may do, as a reviewer reads it", async () => {
  await using pryx = await locked();
  await pryx.write("job.pryx.ts", JOB.replace('write: ["out"]', 'net: ["example.org"], run: ["git push"]'));
  const { code, stderr } = await pryx.run(["run", "--frozen", "job.pryx.ts"]);
  assert.equal(code, 1);
  assert.match(stderr, /may now .*example\.org/);
  assert.match(stderr, /may now run any `git push …`/);
  assert.match(stderr, /may no longer write/);
});

Deno.test("--frozen refuses a file that is not locked, and a lock that is none", async () => {
  await using pryx = await locked();
  await pryx.write("new.pryx.ts", 'console.log("ran");\n');
  const unknown = await pryx.run(["run", "--frozen", "new.pryx.ts"]);
  assert.deepEqual([unknown.code, unknown.stdout], [1, ""]);
  assert.match(unknown.stderr, /new\.pryx\.ts is not locked yet/);
  await pryx.write("pryx.lock", "{ not json");
  const broken = await pryx.run(["run", "--frozen", "job.pryx.ts"]);
  assert.deepEqual([broken.code, broken.stdout], [2, ""]);
  assert.match(broken.stderr, /pryx\.lock/);
  await Deno.remove(join(pryx.workspace, "pryx.lock"));
  const gone = await pryx.run(["run", "--frozen", "job.pryx.ts"]);
  assert.deepEqual([gone.code, gone.stdout], [1, ""]);
});

Deno.test("--allow-locked allows what a lock from a trusted place says, while the code is what it says", async () => {
  await using pryx = await locked();
  const base = join(pryx.home, "base checkout.lock");
  await Deno.copyFile(join(pryx.workspace, "pryx.lock"), base);
  const run = (...more: string[]) => pryx.run(["run", "--allow-locked", ...more, "job.pryx.ts"]);
  const fine = await run("--lock", base);
  assert.deepEqual([fine.code, fine.stdout], [0, "ran\n"], fine.stderr);
  // The change brings a lock of its own: that is not the one to go by.
  await pryx.write("job.pryx.ts", JOB.replace('write: ["out"]', 'write: ["."]'));
  assert.equal((await pryx.run(["check", "--update"])).code, 0);
  await Deno.remove(join(pryx.workspace, "out"), { recursive: true });
  const changed = await run("--lock", base);
  assert.deepEqual([changed.code, changed.stdout], [1, ""]);
  assert.match(changed.stderr, /may now write/);
  assert.ok(changed.stderr.includes("base checkout.lock"), changed.stderr);
  await assert.rejects(pryx.read("out/a.txt"), Deno.errors.NotFound);
  const missing = await run("--lock", join(pryx.home, "none.lock"));
  assert.deepEqual([missing.code, missing.stdout], [1, ""]);
});

Deno.test("--allow-locked does not override a denial", async () => {
  await using pryx = await locked();
  const { code, stdout } = await pryx.run([
    "run",
    "--allow-locked",
    "--lock",
    "pryx.lock",
    "--deny",
    "write=out",
    "job.pryx.ts",
  ]);
  assert.deepEqual([code, stdout], [3, ""]);
  // The lock beside the file is as much in the hands of a change as the file.
  const unnamed = await pryx.run(["run", "--allow-locked", "job.pryx.ts"]);
  assert.equal(unnamed.code, 2);
  assert.match(unnamed.stderr, /--lock base\/pryx\.lock/);
});
