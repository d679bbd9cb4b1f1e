import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const installer = join(root, "install.sh");
const { version } = JSON.parse(await Deno.readTextFile(join(root, "deno.json"))) as { version: string };

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function sh(args: string[], options: { cwd: string; env?: Record<string, string> }): Promise<Ran> {
  const command = new Deno.Command(args[0] ?? "", { args: args.slice(1), stdin: "null", ...options });
  const { code, stdout, stderr } = await command.output();
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}

const unix = Deno.build.os !== "windows";

Deno.test({
  name:
    "install.sh installs into a prefix with spaces, again over itself, and leaves a running pryx its files",
  ignore: !unix,
  async fn(t) {
    const home = await Deno.realPath(await Deno.makeTempDir({ prefix: "pryx a home " }));
    const prefix = join(home, "my prefix");
    const program = join(prefix, "bin", "pryx");
    const env = { PATH: `${join(prefix, "bin")}:${dirname(Deno.execPath())}:/usr/bin:/bin` };
    const versions = async () =>
      (await Array.fromAsync(Deno.readDir(join(prefix, "lib/pryx/versions")))).length;
    try {
      await t.step("the first time it says where things are and what to type next", async () => {
        const ran = await sh(["sh", installer, "--prefix", prefix], { cwd: home, env });
        assert.equal(ran.code, 0, ran.err);
        assert.match(ran.out, new RegExp(`installed .*${version}`));
        assert.match(ran.out, /\n {2}pryx tour\n$/);
      });

      await t.step("the program runs from any folder with an empty home", async () => {
        const empty = await Deno.makeTempDir({ dir: home });
        const bare = { PATH: "/usr/bin:/bin", HOME: empty };
        const command = new Deno.Command(program, {
          args: ["--version"],
          cwd: "/",
          env: bare,
          clearEnv: true,
        });
        const { code, stdout } = await command.output();
        assert.equal(code, 0);
        assert.match(new TextDecoder().decode(stdout), new RegExp(version.replaceAll(".", "\\.")));
      });

      await t.step("the whole installation is out of reach, under every preset", async () => {
        const folder = await Deno.realPath(program);
        const lib = join(prefix, "lib/pryx");
        const parts = [folder, join(folder, "../bundle/main.js"), join(lib, "runtime/deno-2/deno"), program];
        for (const part of [...parts, join(lib, "versions/another/pryx")]) {
          const args = ["policy", "explain", `write=${part}`, "--preset", "dangerously-full", "--json"];
          const ran = await sh([program, ...args], { cwd: home, env: { ...env, HOME: home } });
          assert.match(ran.out, /"deny"/, `${part}\n${ran.out}${ran.err}`);
          assert.match(ran.out, /pryx's own files/);
        }
      });

      const first = await Deno.realPath(program);
      await t.step("a second and third run keep the version in use and the one before", async () => {
        // Whatever runs from a version's folder keeps it: here a process that only waits for its input to end.
        const running = new Deno.Command("sh", {
          args: ["-c", `: ${dirname(first)}/bundle/main.js; read -r _; :`],
          stdin: "piped",
        }).spawn();
        try {
          for (let i = 0; i < 2; i++) {
            const ran = await sh(["sh", installer, `--prefix=${prefix}`], { cwd: "/", env });
            assert.equal(ran.code, 0, ran.err);
          }
          assert.notEqual(await Deno.realPath(program), first);
          assert.equal(await versions(), 3);
          assert.ok((await Deno.stat(first)).isFile);
        } finally {
          await running.stdin.close();
          await running.status;
        }
      });

      await t.step("a version that nobody runs any more goes with the next update", async () => {
        assert.equal((await sh(["sh", installer, "--prefix", prefix], { cwd: "/", env })).code, 0);
        assert.equal(await versions(), 2);
        await assert.rejects(Deno.stat(first), Deno.errors.NotFound);
      });

      await t.step("where the prefix is not on PATH it says so and shows the whole command", async () => {
        const path = `${dirname(Deno.execPath())}:/usr/bin:/bin`;
        const ran = await sh(["sh", installer, "--prefix", prefix], { cwd: "/", env: { PATH: path } });
        assert.match(ran.out, /is not on PATH/);
        assert.ok(ran.out.includes(`export PATH="${prefix}/bin:$PATH"`), ran.out);
        assert.ok(ran.out.endsWith(`\n  '${program}' tour\n`), ran.out);
      });

      await t.step("--uninstall removes the program and nothing else", async () => {
        const kept = join(prefix, "bin", "other");
        await Deno.writeTextFile(kept, "");
        assert.equal(
          (await sh(["sh", installer, "--uninstall", "--prefix", prefix], { cwd: "/", env })).code,
          0,
        );
        await assert.rejects(Deno.lstat(program), Deno.errors.NotFound);
        await assert.rejects(Deno.lstat(join(prefix, "lib/pryx")), Deno.errors.NotFound);
        await Deno.lstat(kept);
      });
    } finally {
      await Deno.remove(home, { recursive: true });
    }
  },
});

Deno.test({ name: "install.sh --help explains itself", ignore: !unix }, async () => {
  const ran = await sh(["sh", installer, "--help"], { cwd: "/" });
  assert.equal(ran.code, 0);
  assert.match(ran.out, /--prefix DIR/);
});

Deno.test({ name: "install.sh ends with 2 on an argument it does not know", ignore: !unix }, async () => {
  const ran = await sh(["sh", installer, "--prefx", "x"], { cwd: "/" });
  assert.equal(ran.code, 2);
  assert.match(ran.err, /unknown argument "--prefx"/);
});

Deno.test({ name: "get_deno.sh says what to do when no Deno can be had", ignore: !unix }, async () => {
  const folder = await Deno.makeTempDir();
  try {
    // A PATH with a shell and its tools, but neither Deno nor npm nor curl; and a Deno that is too old.
    const bin = join(folder, "bin");
    await Deno.mkdir(bin);
    for (const name of ["sh", "sed", "mkdir"]) await Deno.symlink((await which(name)) ?? "", join(bin, name));
    await Deno.writeTextFile(join(bin, "deno"), `#!/bin/sh\necho "deno 2.8.1 (stable)"\n`, { mode: 0o755 });
    const command = new Deno.Command(join(bin, "sh"), {
      args: [join(root, "scripts/get_deno.sh"), join(folder, "tool chain")],
      env: { PATH: bin },
      clearEnv: true,
    });
    const { code, stdout, stderr } = await command.output();
    assert.equal(code, 1);
    assert.equal(new TextDecoder().decode(stdout), "");
    const said = new TextDecoder().decode(stderr);
    assert.match(said, /npm is not on PATH\n.*curl is not on PATH\n.*install it .* put it on PATH/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test({ name: "get_deno.sh prefers a Deno on PATH that is new enough", ignore: !unix }, async () => {
  const folder = await Deno.makeTempDir();
  try {
    const ran = await sh(["sh", join(root, "scripts/get_deno.sh"), folder], {
      cwd: "/",
      env: { PATH: `${dirname(Deno.execPath())}:/usr/bin:/bin` },
    });
    assert.equal(ran.out.trim(), Deno.execPath());
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

async function which(name: string): Promise<string | undefined> {
  for (const folder of ["/usr/bin", "/bin"]) {
    if (await Deno.stat(join(folder, name)).catch(() => null)) return join(folder, name);
  }
}
