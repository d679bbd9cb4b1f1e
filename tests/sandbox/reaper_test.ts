import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import process from "node:process";

const SANDBOX = new URL("../../core/sandbox/create_sandbox.ts", import.meta.url).href;
const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return stat.slice(stat.lastIndexOf(")") + 2).charAt(0) !== "Z";
  } catch {
    return false;
  }
}

/**
 * Starts a program with a sandbox that runs `command`, with an envelope where `temp` says where its temporary folder is
 * made; resolves with the first line of the command's output.
 */
async function startParent(folder: string, command: string, temp?: string) {
  const script = join(folder, "parent.ts");
  await Deno.writeTextFile(
    script,
    `import { createSandbox } from ${JSON.stringify(SANDBOX)};
     const env = { PATH: "/usr/bin:/bin" ${temp === undefined ? "" : `, TMPDIR: ${JSON.stringify(temp)}`} };
     const sandbox = createSandbox({ home: "/nowhere", env });
     const rights = { read: [], write: [], access: () => "none", closed: [], network: "none", unixSockets: false };
     const envelope = ${temp === undefined ? "undefined" : "rights"};
     const spec = { cwd: "/", timeoutMs: 60_000, maxOutputBytes: 1000, signal: new AbortController().signal, envelope };
     await sandbox.run({ ...spec, argv: ["sh", "-c", ${
      JSON.stringify(command)
    }], onOutput: (t) => console.log(t) });
     await new Promise(() => setInterval(() => {}, 1000));`,
  );
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "-c", CONFIG, script],
    stdout: "piped",
    stderr: "null",
    stdin: "null",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let seen = "";
  while (!seen.includes("\n")) {
    const { value, done } = await reader.read();
    assert.ok(!done, "the parent ended early");
    seen += value;
  }
  return { child, reader, pids: seen.trim().split(/\s+/).map(Number) };
}

for (
  const { what, command } of [
    { what: "that run and ignore TERM", command: "trap '' TERM; sleep 60 & echo $$ $!; while :; do :; done" },
    { what: "left in the background", command: "sleep 60 >/dev/null 2>&1 & echo $!" },
    { what: "that left their group", command: "setsid sh -c 'echo $$; exec sleep 60' | head -1; sleep 60" },
    {
      what: "that left their group and ignore TERM",
      command: `setsid sh -c 'trap "" TERM; echo $$; while :; do sleep 1; done' | head -1; sleep 60`,
    },
  ]
) {
  Deno.test({
    name: `the reaper kills children ${what} when their parent is killed with SIGKILL`,
    ignore: Deno.build.os !== "linux",
    async fn() {
      const folder = await Deno.makeTempDir();
      try {
        const { child, reader, pids } = await startParent(folder, command);
        assert.ok(pids.length > 0 && pids.every(isAlive), "the children run");
        child.kill("SIGKILL");
        await child.status;
        await reader.cancel();
        const end = Date.now() + 6_000;
        while (pids.some(isAlive)) {
          assert.ok(Date.now() < end, `of ${pids.join(", ")} some still live`);
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

Deno.test({
  name: "the reaper removes the private folder when its parent is killed with SIGKILL",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const folder = await Deno.realPath(await Deno.makeTempDir());
    try {
      const around = join(folder, "a 'b");
      await Deno.mkdir(around);
      const inside = async () => await Array.fromAsync(Deno.readDir(around), ({ name }) => name);
      const shut = 'mkdir -p "$TMPDIR/shut/inner"; chmod 0 "$TMPDIR/shut"; echo $$; sleep 60';
      const { child, reader } = await startParent(folder, shut, around);
      assert.equal((await inside()).length, 1);
      child.kill("SIGKILL");
      await child.status;
      await reader.cancel();
      const end = Date.now() + 6_000;
      while ((await inside()).length > 0) {
        assert.ok(Date.now() < end, "the folder is still there");
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
