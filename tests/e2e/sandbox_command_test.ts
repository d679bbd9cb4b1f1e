import assert from "node:assert/strict";
import { join } from "node:path";
import { type BuiltPryx, builtPryx } from "../support/built_pryx.ts";
import { withoutBubblewrap } from "../support/without_bubblewrap.ts";
import { heldTest, kernelLayers, NOTHING_HOLDS } from "../support/kernel_layers.ts";

// The kernel's layers are Linux's; bubblewrap is tried where it is, Landlock alone where the kernel has it.
const ignore = Deno.build.os !== "linux" || NOTHING_HOLDS;
const noLandlock = kernelLayers.landlock === 0;

const LAYERS = [
  ["as this machine has it", () => Promise.resolve(undefined), ignore],
  ["without bubblewrap", () => withoutBubblewrap(), ignore || noLandlock],
] as const;

for (const [title, search, lacking] of LAYERS) {
  /** A machine whose search path is the one of this round. */
  const test = (name: string, work: (pryx: BuiltPryx) => Promise<void>) =>
    Deno.test({
      name: `${name} (${title}${lacking ? "; not run: this machine lacks what holds a command" : ""})`,
      ignore: lacking,
      async fn() {
        await using found = await search();
        await using pryx = await builtPryx(found === undefined ? {} : { PATH: found.path });
        await work(pryx);
      },
    });

  test("pryx sandbox passes input, output and the exit code through", async (pryx) => {
    const script = "read line; echo got $line; echo aside >&2; exit 7";
    const done = await pryx.run(["sandbox", "--", "sh", "-c", script], { stdin: "words\n" });
    assert.deepEqual([done.code, done.stdout, done.stderr], [7, "got words\n", "aside\n"]);
  });

  test("pryx sandbox refuses what policy closes, and the flag that it names opens it", async (pryx) => {
    const outside = join(pryx.home, "notes.txt");
    await Deno.writeTextFile(outside, "from outside\n");
    const refused = await pryx.run(["sandbox", "--", "cat", outside]);
    assert.notEqual(refused.code, 0);
    assert.equal(refused.stdout, "");
    const flag = /to allow it: pryx sandbox --allow '([^']+)' -- cat /.exec(refused.stderr)?.[1];
    assert.equal(flag, `read=${outside}`, refused.stderr);
    const opened = await pryx.run(["sandbox", "--allow", flag, "--", "cat", outside]);
    assert.deepEqual([opened.code, opened.stdout], [0, "from outside\n"], opened.stderr);
  });

  test("pryx sandbox keeps a secret file of the workspace from an interpreter", async (pryx) => {
    await pryx.write(".env", "TOKEN=1\n");
    await pryx.write("plain.txt", "plain\n");
    const read = (name: string) => pryx.run(["sandbox", "--", "sh", "-c", `n=${name}; cat "$n"`]);
    const closed = await read(".en''v");
    assert.equal(closed.stdout, "");
    assert.match(
      closed.stderr,
      /The sandbox refused 1 thing:\n {2}read=.*\.env .*\n {4}by the rule deny read=\.env\*/,
    );
    assert.deepEqual([(await read("plain.txt")).stdout], ["plain\n"]);
  });

  test("pryx sandbox writes in the workspace under its preset, and nowhere else", async (pryx) => {
    const script = 'echo there > "$HOME/made.txt"; echo here > made.txt';
    const readOnly = await pryx.run(["sandbox", "--", "sh", "-c", script]);
    assert.notEqual(readOnly.code, 0);
    await assert.rejects(pryx.read("made.txt"));
    const writing = await pryx.run(["sandbox", "--preset", "workspace", "--", "sh", "-c", script]);
    assert.equal(writing.code, 0, writing.stderr);
    assert.equal(await pryx.read("made.txt"), "here\n");
    await assert.rejects(Deno.stat(join(pryx.home, "made.txt")), Deno.errors.NotFound);
  });

  test("pryx doctor sees each attempt of a confined child refused", async (pryx) => {
    const { checks, fail } = await pryx.json(["doctor", "--only", "sandbox"]) as {
      fail: number;
      checks: { status: string; detail: string }[];
    };
    assert.equal(fail, 0);
    const tried = checks.filter(({ detail }) => detail.includes("tried to"));
    assert.ok(tried.length >= 3, JSON.stringify(checks));
    assert.ok(tried.every(({ detail }) => detail.endsWith(": refused")), JSON.stringify(tried));
  });
}

Deno.test({
  name: "pryx sandbox ends with 6 when the machine cannot keep what is closed, and names what accepts it",
  ignore: ignore || noLandlock,
  async fn() {
    await using found = await withoutBubblewrap();
    await using pryx = await builtPryx({ PATH: found.path });
    await pryx.write(".env", "TOKEN=1\n");
    const refused = await pryx.run(["sandbox", "--preset", "workspace", "--", "cat", ".env"]);
    assert.equal(refused.code, 6);
    assert.equal(refused.stdout, "");
    const flags = [...refused.stderr.matchAll(/--allow '([^']+)'/g)].flatMap((
      [, need],
    ) => ["--allow", need ?? ""]);
    assert.ok(flags.length > 0, refused.stderr);
    const accepted = await pryx.run(["sandbox", "--preset", "workspace", ...flags, "--", "echo", "done"]);
    assert.deepEqual([accepted.code, accepted.stdout], [0, "done\n"], accepted.stderr);
  },
});

heldTest(
  "pryx sandbox ends with 127 for a program that is not there, and with 2 for a wrong flag",
  async () => {
    await using pryx = await builtPryx();
    const missing = await pryx.run(["sandbox", "--", "no-such-program"]);
    assert.equal(missing.code, 127);
    assert.match(missing.stderr, /no program of that name/);
    assert.equal((await pryx.run(["sandbox", "--prset", "x", "--", "true"])).code, 2);
  },
);
