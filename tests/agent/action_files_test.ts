import assert from "node:assert/strict";
import { join } from "node:path";
import { actionFiles } from "../../core/agent/action_files.ts";
import type { Need } from "../../core/domain/need.ts";

const run = (argv: readonly string[], more: Partial<Need> = {}): Need => ({
  kind: "run",
  target: argv.join(" "),
  argv,
  ...more,
});

Deno.test("actionFiles() hashes what a command executes or reads by name, from every folder, and no device", async () => {
  const root = await Deno.makeTempDir({ prefix: "pryx-action-" });
  try {
    const [a, b] = [join(root, "a"), join(root, "b")];
    for (const folder of [a, b]) {
      await Deno.mkdir(folder);
      await Deno.writeTextFile(join(folder, "x.sh"), folder);
    }
    const program = join(root, "check");
    await Deno.writeTextFile(program, "one");
    const named = async (needs: readonly Need[]) => Object.keys(await actionFiles(needs, [a, b])).sort();
    assert.deepEqual(await named([run(["sh", "x.sh", "-x", "/dev/null", "nothing"])]), [
      join(a, "x.sh"),
      join(b, "x.sh"),
    ]);
    const own = run(["check"], { executable: program, inWritableFolder: true });
    assert.deepEqual(await named([own]), [program]);
    assert.deepEqual(await named([{ ...own, inWritableFolder: false }]), []);
    const before = await actionFiles([own], [a]);
    await Deno.writeTextFile(program, "two");
    assert.notDeepEqual(await actionFiles([own], [a]), before);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("actionFiles() tells a file that is too large to be hashed by its size", async () => {
  const path = await Deno.makeTempFile({ prefix: "pryx-action-" });
  try {
    await Deno.truncate(path, 5_000_000);
    const before = await actionFiles([run(["sh", path])], ["/"]);
    await Deno.truncate(path, 5_000_001);
    assert.equal(Object.keys(before).length, 1);
    assert.notDeepEqual(await actionFiles([run(["sh", path])], ["/"]), before);
  } finally {
    await Deno.remove(path);
  }
});
