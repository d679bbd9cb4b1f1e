import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { createPrivateFolder } from "../../core/sandbox/_private_folder.ts";
import { removeAll, sweepDead } from "../../core/sandbox/_sweep.ts";

const ignore = Deno.build.os === "windows";
const LONG_AGO = new Date(Date.now() - 30 * 24 * 60 * 60_000);

/** A process that has ended: nobody else has its number for a while. */
async function deadPid(): Promise<number> {
  const child = new Deno.Command("/bin/sh", { args: ["-c", ":"] }).spawn();
  await child.status;
  return child.pid;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

/** A private folder as a run leaves it that was killed together with its reaper. */
async function leftBehind(around: string, owner: number): Promise<string> {
  // Made elsewhere: it sweeps where it is made, and two at once would leave what the other has begun to remove.
  const elsewhere = await Deno.realPath(await Deno.makeTempDir());
  const folder = createPrivateFolder({ env: { TMPDIR: elsewhere }, notIn: [] });
  folder.ready();
  await Deno.writeTextFile(join(folder.hidden, "owner"), String(owner));
  await Deno.writeTextFile(join(folder.temp, "made"), "by a command");
  const root = join(around, basename(folder.root));
  await Deno.rename(folder.root, root);
  await Deno.remove(elsewhere);
  return root;
}

async function age(root: string): Promise<void> {
  for (const path of [join(root, "host"), root]) await Deno.utime(path, LONG_AGO, LONG_AGO);
}

Deno.test({
  name: "sweepDead() removes what a dead process left long ago, and nothing else",
  ignore,
  async fn() {
    const around = await Deno.realPath(await Deno.makeTempDir());
    try {
      const dead = await deadPid();
      const gone = await leftBehind(around, dead);
      await Deno.mkdir(join(gone, "tmp", "shut", "inner"), { recursive: true });
      await Deno.chmod(join(gone, "tmp", "shut"), 0o000);
      const outside = join(around, "outside");
      await Deno.mkdir(outside);
      await Deno.writeTextFile(join(outside, "kept"), "");
      await Deno.symlink(outside, join(gone, "tmp", "link"));
      const living = await leftBehind(around, Deno.pid);
      const young = await leftBehind(around, dead);
      const open = await leftBehind(around, dead);
      await Deno.chmod(open, 0o755);
      const unnamed = await leftBehind(around, dead);
      await Deno.remove(join(unnamed, "host", "owner"));
      const other = join(around, "pryx-something");
      await Deno.rename(await leftBehind(around, dead), other);
      const linked = join(around, `pryx-${crypto.randomUUID()}`);
      await Deno.symlink(outside, linked);
      for (const root of [gone, living, open, unnamed, other]) await age(root);

      await sweepDead(around).done;
      assert.ok(!await exists(gone), "it was not removed");
      for (const root of [living, young, open, unnamed, other, linked, join(outside, "kept")]) {
        assert.ok(await exists(root), `${root} was removed`);
      }
    } finally {
      // Some of it is closed to its owner.
      await removeAll(around);
    }
  },
});

Deno.test({
  name: "a private folder that cannot be made says what to set",
  ignore: Deno.build.os !== "linux",
  fn() {
    // Not even root makes a folder there.
    const folder = createPrivateFolder({ env: { TMPDIR: "/proc" }, notIn: [] });
    assert.throws(() => folder.ready(), { code: "sandbox", fix: /TMPDIR/ });
  },
});
