import assert from "node:assert/strict";
import { createSandbox } from "../../core/sandbox/create_sandbox.ts";
import { createLibc } from "../../core/sandbox/_libc.ts";

const ignore = Deno.build.os !== "linux";

/** A descriptor that programs inherit, as a shell leaves one to pryx: what dup(2) makes. */
function leftOpen(): { readonly number: number } & Disposable {
  const libc = Deno.dlopen("libc.so.6", {
    dup: { parameters: ["i32"], result: "i32" },
    close: { parameters: ["i32"], result: "i32" },
  });
  const number = libc.symbols.dup(2);
  return {
    number,
    [Symbol.dispose]() {
      libc.symbols.close(number);
      libc.close();
    },
  };
}

async function inherits(descriptor: number): Promise<boolean> {
  const { code } = await new Deno.Command("/bin/sh", {
    args: ["-c", `[ -e /proc/self/fd/${descriptor} ]`],
    stdin: "null",
  }).output();
  return code === 0;
}

Deno.test({
  name: "closeOnExec() and closeAllOnExec() keep a descriptor from programs",
  ignore,
  async fn() {
    using libc = createLibc(Deno.build.arch);
    using one = leftOpen();
    using other = leftOpen();
    assert.deepEqual([await inherits(one.number), await inherits(other.number)], [true, true]);
    libc.closeOnExec(one.number);
    assert.deepEqual([await inherits(one.number), await inherits(other.number)], [false, true]);
    libc.closeAllOnExec(3);
    assert.equal(await inherits(other.number), false);
  },
});

Deno.test({
  name: "run() with an envelope gives a child nothing that was left open",
  ignore,
  async fn() {
    using left = leftOpen();
    const cwd = await Deno.realPath(await Deno.makeTempDir());
    try {
      await using sandbox = createSandbox({ home: cwd, env: { PATH: Deno.env.get("PATH") ?? "" } });
      const { stdout } = await sandbox.run({
        argv: ["/bin/sh", "-c", `[ -e /proc/self/fd/${left.number} ] && echo open; echo done`],
        cwd,
        timeoutMs: 10_000,
        maxOutputBytes: 1000,
        signal: new AbortController().signal,
        envelope: {
          read: [],
          write: [cwd],
          access: () => "write",
          closed: [],
          network: "none",
          unixSockets: false,
        },
      });
      assert.equal(new TextDecoder().decode(stdout.head), "done\n");
    } finally {
      await Deno.remove(cwd, { recursive: true });
    }
  },
});
