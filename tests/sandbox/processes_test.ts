import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import { PryxError } from "../../core/domain/error.ts";
import { createSandbox, type SandboxOptions } from "../../core/sandbox/create_sandbox.ts";
import type { ProcessSpec } from "../../core/sandbox/sandbox.ts";

const text = (data: Uint8Array) => new TextDecoder().decode(data);

async function place(options: Partial<SandboxOptions> = {}) {
  const cwd = await Deno.realPath(await Deno.makeTempDir());
  const sandbox = createSandbox({ home: cwd, env: { PATH: Deno.env.get("PATH") ?? "" }, ...options });
  return {
    cwd,
    sandbox,
    run: (argv: readonly [string, ...string[]], spec: Partial<ProcessSpec> = {}) =>
      sandbox.run({
        argv,
        cwd,
        timeoutMs: 10_000,
        maxOutputBytes: 10_000,
        signal: new AbortController().signal,
        ...spec,
      }),
    sh(command: string, spec: Partial<ProcessSpec> = {}) {
      return this.run(["sh", "-c", command], spec);
    },
    async [Symbol.asyncDispose]() {
      await sandbox[Symbol.asyncDispose]();
      await Deno.remove(cwd, { recursive: true });
    },
  };
}

/** False once it has ended; a zombie that nobody waits for has. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  if (Deno.build.os !== "linux") return true;
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3) !== "Z";
  } catch {
    return false;
  }
}

async function untilDead(pid: number): Promise<void> {
  const end = Date.now() + 5_000;
  while (isAlive(pid)) {
    assert.ok(Date.now() < end, `process ${pid} still lives`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

Deno.test("run() gives argv as it is, the exit code, and both streams", async () => {
  await using at = await place();
  const result = await at.run(["sh", "-c", 'printf %s "$1"; printf err >&2; exit 7', "x", "a b'$(c)"]);
  assert.deepEqual(
    [result.code, result.signal, text(result.stdout.head), text(result.stderr.head), result.background],
    [7, null, "a b'$(c)", "err", false],
  );
});

Deno.test("run() gives stdin to the child whole, and none when there is none", async () => {
  await using at = await place();
  const input = new TextEncoder().encode("line\n".repeat(50_000));
  const result = await at.run(["wc", "-c"], { stdin: input });
  assert.equal(text(result.stdout.head).trim(), String(input.length));
  assert.equal(text((await at.run(["cat"])).stdout.head), "");
  // One that does not read is no error.
  assert.equal((await at.run(["true"], { stdin: input })).code, 0);
});

Deno.test("run() passes an allowlist of the environment and no more", async () => {
  const hostile = [
    "BASH_ENV",
    "ENV",
    "LD_PRELOAD",
    "LD_LIBRARY_PATH",
    "DYLD_INSERT_LIBRARIES",
    "NODE_OPTIONS",
    "GIT_SSH_COMMAND",
    "OPENAI_API_KEY",
    "GITHUB_TOKEN",
    "SSH_AUTH_SOCK",
    "XDG_RUNTIME_DIR",
    "LESSOPEN",
    "MANPAGER",
    "NODE_PATH",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "PERL5LIB",
    "PERL5OPT",
    "RUBYOPT",
    "RUBYLIB",
    "JAVA_TOOL_OPTIONS",
    "GIT_DIR",
    "GIT_CONFIG_COUNT",
    "GIT_EXTERNAL_DIFF",
    "EDITOR",
    "VISUAL",
    "DBUS_SESSION_BUS_ADDRESS",
    "DOCKER_HOST",
    "ANTHROPIC_API_KEY",
    "AWS_SECRET_ACCESS_KEY",
    "DISPLAY",
    "IFS",
    "SHELLOPTS",
    "PS4",
    "PROMPT_COMMAND",
    "CARGO_HOME",
  ];
  const env = Object.fromEntries(hostile.map((name) => [name, "evil"]));
  await using at = await place({
    env: {
      ...env,
      PATH: `.::relative:/usr/bin:/bin`,
      LANG: "C.UTF-8",
      LC_TIME: "C",
      PAGER: "less",
      RUSTUP_HOME: "/opt/rust",
    },
  });
  const result = await at.run(["env"], { env: { ADDED: "yes" } });
  const seen = new Map(
    text(result.stdout.head).trim().split("\n").map((line) => line.split(/=(.*)/s) as [string, string]),
  );
  for (const name of hostile) assert.ok(!seen.has(name), name);
  assert.equal(seen.get("PATH"), "/usr/bin:/bin");
  assert.deepEqual(
    ["LANG", "LC_TIME", "PAGER", "GIT_PAGER", "GIT_TERMINAL_PROMPT", "ADDED", "RUSTUP_HOME", "HOME"].map((
      name,
    ) => seen.get(name)),
    ["C.UTF-8", "C", "cat", "cat", "0", "yes", "/opt/rust", at.cwd],
  );
});

Deno.test("run() says clearly that a program or a folder is not there", async () => {
  await using at = await place();
  await Deno.writeTextFile(join(at.cwd, "plain"), "");
  const failsWith = (work: Promise<unknown>, message: RegExp) =>
    assert.rejects(work, (error) => {
      assert.ok(error instanceof PryxError && error.code === "not_found", String(error));
      assert.match(error.message, message);
      return true;
    });
  await failsWith(at.run(["no-such-program-xyz"]), /no program of that name is on PATH/);
  await failsWith(at.run(["./plain"]), /no such program/);
  await failsWith(at.run(["true"], { cwd: join(at.cwd, "gone") }), /gone: the folder does not exist/);
  await failsWith(at.run(["true"], { cwd: join(at.cwd, "plain") }), /is not a folder/);
});

Deno.test("run() keeps head and tail, counts what it drops, and shows the sink everything", async () => {
  await using at = await place();
  let seen = 0;
  const result = await at.sh("head -c 500000 /dev/zero | tr '\\0' x; printf END", {
    maxOutputBytes: 100,
    sink: (bytes) => seen += bytes.length,
  });
  assert.deepEqual([result.stdout.head.length, result.stdout.tail.length, result.stdout.dropped, seen], [
    50,
    50,
    499_903,
    500_003,
  ]);
  assert.ok(text(result.stdout.tail).endsWith("xEND"));
});

Deno.test("run() decodes characters that are cut between two pieces of output", async () => {
  await using at = await place();
  const pieces: string[] = [];
  await at.sh("printf '\\303'; sleep 0.05; printf '\\251'", { onOutput: (piece) => pieces.push(piece) });
  assert.equal(pieces.join(""), "é");
});

Deno.test("run() with mergeStderr keeps the order of both streams", async () => {
  await using at = await place();
  const result = await at.sh("for i in 1 2 3; do echo out$i; echo err$i >&2; done", { mergeStderr: true });
  assert.equal(text(result.stdout.head), "out1\nerr1\nout2\nerr2\nout3\nerr3\n");
  assert.equal(result.stderr.head.length, 0);
});

Deno.test("run() ends the whole group when the time is up, also one that ignores TERM", async () => {
  await using at = await place();
  let pids = "";
  const result = await at.sh("trap '' TERM; (trap '' TERM; exec sleep 60) & echo $$ $!; wait; sleep 60", {
    timeoutMs: 300,
    onOutput: (piece) => pids += piece,
  });
  assert.deepEqual([result.timedOut, result.signal, result.code], [true, "SIGKILL", null]);
  for (const pid of pids.trim().split(" ")) await untilDead(Number(pid));
});

Deno.test("run() rejects with the reason when it is cancelled, and the group is dead", async () => {
  await using at = await place();
  const controller = new AbortController();
  let pids = "";
  const work = at.sh("sleep 60 & echo $$ $!; wait", {
    signal: controller.signal,
    onOutput: (piece) => {
      pids += piece;
      controller.abort(new PryxError("cancelled", "Enough"));
    },
  });
  await assert.rejects(work, { code: "cancelled", message: "Enough" });
  for (const pid of pids.trim().split(" ")) await untilDead(Number(pid));
  await assert.rejects(at.sh("true", { signal: controller.signal }), { code: "cancelled" });
});

Deno.test("run() ends a child that writes more than it may", async () => {
  await using at = await place();
  const result = await at.run(["yes"], { killAfterBytes: 1_000_000 });
  assert.deepEqual([result.outputExceeded, result.timedOut], [true, false]);
});

Deno.test("run() does not wait for a background process that holds the pipes", async () => {
  await using at = await place();
  const result = await at.sh("sleep 60 & echo $!", { timeoutMs: 30_000 });
  assert.ok(result.ms < 5_000, `${result.ms} ms`);
  assert.equal(result.background, false);
  await untilDead(Number(text(result.stdout.head)));
});

Deno.test("run() leaves a background process that let go of the pipes until the sandbox is disposed of", async () => {
  const at = await place();
  let pid = 0;
  {
    await using _ = at;
    const result = await at.sh("sleep 60 >/dev/null 2>&1 & echo $!");
    pid = Number(text(result.stdout.head));
    assert.equal(result.background, true);
    assert.ok(isAlive(pid));
  }
  await untilDead(pid);
});

Deno.test("run() limits CPU time, file size and core dumps of every process", async () => {
  await using at = await place({ limits: { cpuSeconds: 1, fileBytes: 51_200, memoryBytes: 400_000_000 } });
  const spin = await at.sh("while :; do :; done");
  assert.ok(spin.signal === "SIGKILL" || spin.signal === "SIGXCPU", String(spin.signal));
  await at.sh("head -c 1000000 /dev/zero > big");
  assert.ok((await Deno.stat(join(at.cwd, "big"))).size <= 102_400);
  assert.equal(text((await at.sh("ulimit -c; ulimit -d")).stdout.head), "0\n390625\n");
});

Deno.test("run() gives the child no terminal and its own group", async () => {
  await using at = await place();
  const result = await at.sh("(: </dev/tty) 2>/dev/null && echo tty; ps -o pgid= -p $$ | tr -d ' '; echo $$");
  const [group, pid] = text(result.stdout.head).trim().split("\n");
  assert.equal(group, pid);
});

Deno.test("run() passes over programs of that name that come from a folder it is told", async () => {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  const work = `${folder}/work`;
  try {
    await Deno.mkdir(`${work}/bin`, { recursive: true });
    await Deno.mkdir(`${folder}/linked`);
    await Deno.mkdir(`${folder}/good`);
    for (
      const [path, said] of [[`${work}/bin/hello`, "planted"], [`${folder}/good/hello`, "good"]] as const
    ) {
      await Deno.writeTextFile(path, `#!/bin/sh\necho ${said}\n`, { mode: 0o755 });
    }
    await Deno.symlink(`${work}/bin/hello`, `${folder}/linked/hello`);
    await Deno.symlink(`${work}/bin`, `${folder}/also`);
    const PATH = `${work}/bin:${folder}/linked:${folder}/also:${folder}/good:/usr/bin:/bin`;
    await using at = await place({ env: { PATH } });
    assert.equal(text((await at.run(["hello"])).stdout.head), "planted\n");
    assert.equal(text((await at.run(["hello"], { notFrom: work })).stdout.head), "good\n");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
