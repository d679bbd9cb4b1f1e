import assert from "node:assert/strict";
import { join } from "node:path";
import { launcher } from "../../scripts/_launcher.ts";

const unix = Deno.build.os !== "windows";

interface Place {
  readonly folder: string;
  readonly program: string;
}

/** A launcher beside a bundle that prints its arguments and ends with 7, in a folder with a difficult name. */
async function place(deno: string): Promise<Place & AsyncDisposable> {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "pryx's $HOME `x` " }));
  const program = join(folder, "pryx");
  await Deno.mkdir(join(folder, "bundle"));
  await Deno.writeTextFile(
    join(folder, "bundle/main.js"),
    `await Deno.stdout.write(new TextEncoder().encode(JSON.stringify({ args: Deno.args, cwd: Deno.cwd() })));
const { state } = await Deno.permissions.query({ name: "read" });
Deno.exit(state === "granted" ? 7 : 1);`,
  );
  await Deno.writeTextFile(program, launcher({ deno, heapLimit: 256, version: "1.2.3" }), { mode: 0o755 });
  return { folder, program, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}

async function start(program: string, args: string[], env: Record<string, string> = {}) {
  const command = new Deno.Command(program, {
    args,
    cwd: "/",
    env: { PATH: "/usr/bin:/bin", HOME: "/nonexistent", ...env },
    clearEnv: true,
  });
  const { code, stdout, stderr } = await command.output();
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}

Deno.test(
  { name: "launcher() passes arguments and exit code through, from any folder", ignore: !unix },
  async () => {
    await using made = await place(Deno.execPath());
    const args = ["run", "two words", "", "--", "it's $HOME"];
    const { code, out, err } = await start(made.program, args);
    assert.equal(code, 7, err);
    assert.deepEqual(JSON.parse(out), { args, cwd: "/" });
  },
);

Deno.test(
  { name: "launcher() finds its bundle through chains of links, relative ones too", ignore: !unix },
  async () => {
    await using made = await place(Deno.execPath());
    await Deno.mkdir(join(made.folder, "a bin"));
    await Deno.symlink("../pryx", join(made.folder, "a bin/first"));
    await Deno.symlink(join(made.folder, "a bin/first"), join(made.folder, "second"));
    await Deno.symlink(join(made.folder, "a bin"), join(made.folder, "linked"));
    for (const link of ["a bin/first", "second", "linked/first"]) {
      assert.equal((await start(join(made.folder, link), [])).code, 7, link);
    }
  },
);

Deno.test({ name: "launcher() takes the Deno on PATH when its own is gone", ignore: !unix }, async () => {
  await using made = await place("/nowhere/it's gone/deno");
  const bin = join(made.folder, "bin");
  await Deno.mkdir(bin);
  await Deno.symlink(Deno.execPath(), join(bin, "deno"));
  assert.equal((await start(made.program, [], { PATH: `${bin}:/usr/bin:/bin` })).code, 7);
});

Deno.test({ name: "launcher() says what to do when there is no Deno at all", ignore: !unix }, async () => {
  await using made = await place("/nowhere/it's gone/deno");
  const bin = join(made.folder, "bin");
  await Deno.mkdir(bin);
  for (const name of ["sh", "readlink"]) await Deno.symlink(`/usr/bin/${name}`, join(bin, name));
  const { code, err } = await start(made.program, [], { PATH: bin });
  assert.equal(code, 1);
  assert.match(err, /Deno is gone from \/nowhere\/it's gone\/deno\n.*install\.sh/);
});

Deno.test(
  { name: "launcher() says what is wrong in a folder that was removed", ignore: !unix },
  async () => {
    await using made = await place(Deno.execPath());
    for (const shell of ["sh", "bash"]) {
      const gone = join(made.folder, "gone");
      await Deno.mkdir(gone);
      const command = new Deno.Command(shell, {
        args: ["-c", `cd "$1" && rmdir "$1" && exec ${shell} "$2"`, shell, gone, made.program],
      });
      const { code, stderr } = await command.output();
      assert.equal(code, 2);
      assert.match(
        new TextDecoder().decode(stderr),
        /^pryx: The folder you are in does not exist any more$/m,
      );
    }
  },
);
