import assert from "node:assert/strict";
import { join } from "node:path";
import { createSandbox } from "../../core/sandbox/create_sandbox.ts";

const unix = Deno.build.os !== "windows";

/** A program that cannot be started where it is, and a sandbox that takes it for embedded. */
async function place() {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "pryx embedded " }));
  const root = join(folder, "root");
  await Deno.mkdir(root);
  const program = join(root, "hello");
  await Deno.writeTextFile(program, "#!/bin/sh\necho hello\n", { mode: 0o644 });
  const copies = join(folder, "cache", "programs");
  const open = () =>
    createSandbox({
      home: folder,
      env: { PATH: "/usr/bin:/bin" },
      embedded: { root, folder: copies },
    });
  const run = async (name = program) => {
    await using sandbox = open();
    const { stdout } = await sandbox.run({
      argv: [name],
      cwd: folder,
      timeoutMs: 10_000,
      maxOutputBytes: 1_000,
      signal: new AbortController().signal,
    });
    return new TextDecoder().decode(stdout.head);
  };
  return {
    folder,
    copies,
    run,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

Deno.test({ name: "run() starts an embedded program from a private copy", ignore: !unix }, async () => {
  await using at = await place();
  const copy = join(at.copies, "hello");
  assert.equal(await at.run(), "hello\n");
  for (const path of [at.copies, copy]) assert.equal(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o700);
  const first = await Deno.stat(copy);
  assert.equal(await at.run(), "hello\n");
  assert.equal((await Deno.stat(copy)).ino, first.ino, "made once");
  assert.equal((await Array.fromAsync(Deno.readDir(at.copies))).length, 1);
});

Deno.test(
  { name: "run() makes the copy of an embedded program again when it was changed", ignore: !unix },
  async () => {
    await using at = await place();
    const copy = join(at.copies, "hello");
    await at.run();
    await Deno.writeTextFile(copy, "#!/bin/sh\necho HELLO\n");
    assert.equal(await at.run(), "hello\n");
    await Deno.chmod(copy, 0o777);
    assert.equal(await at.run(), "hello\n");
    assert.equal(((await Deno.stat(copy)).mode ?? 0) & 0o777, 0o700);
    const elsewhere = join(at.folder, "elsewhere");
    await Deno.rename(copy, elsewhere);
    await Deno.symlink(elsewhere, copy);
    assert.equal(await at.run(), "hello\n");
    assert.ok((await Deno.lstat(copy)).isFile);
  },
);

Deno.test({ name: "run() says where an embedded program could not be put", ignore: !unix }, async () => {
  await using at = await place();
  await Deno.writeTextFile(join(at.folder, "cache"), "");
  await assert.rejects(at.run(), { code: "io", fix: /Install hello/ });
});

Deno.test({ name: "run() leaves programs that are not embedded where they are", ignore: !unix }, async () => {
  await using at = await place();
  await at.run("true");
  await assert.rejects(Deno.stat(at.copies), Deno.errors.NotFound);
});
