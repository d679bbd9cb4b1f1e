import assert from "node:assert/strict";
import { PryxError } from "../../core/domain/error.ts";
import type { LandlockRule } from "../../core/sandbox/_landlock_rules.ts";
import { createSpawner } from "../../core/sandbox/_spawner.ts";
import { confined, NO_KERNEL_SANDBOX, textOf } from "../support/confined.ts";

const test = (name: string, fn: () => Promise<void>) => Deno.test({ name, ignore: NO_KERNEL_SANDBOX, fn });
const encode = (text: string) => new TextEncoder().encode(text);

test("spawn() gives both streams, the exit code, and a group of its own", async () => {
  await using at = await confined();
  const result = await at.sh('echo out; echo err >&2; ps -o pgid= -p "$$" 2>/dev/null || echo "$$"; exit 7');
  assert.deepEqual([result.code, result.signal, result.stderr], [7, null, "err\n"]);
  assert.deepEqual(result.stdout.split(/\s+/).filter(Boolean), ["out", String(result.pid)]);
});

test("spawn() passes input on and tells of a signal", async () => {
  await using at = await confined();
  const child = await at.spawn(["/bin/sh", "-c", "cat; kill -9 $$"], {}, { stdin: "piped" });
  const writer = child.stdin.getWriter();
  await writer.write(encode("one "));
  await writer.write(encode("two"));
  await writer.close();
  assert.equal(await textOf(child.stdout), "one two");
  await child.stderr.cancel();
  assert.equal((await child.status).signal, "SIGKILL");
});

test("spawn() rejects a write when the child has ended, and when it has no input", async () => {
  await using at = await confined();
  const child = await at.spawn(["/bin/true"], {}, { stdin: "piped" });
  await Promise.all([textOf(child.stdout), textOf(child.stderr), child.status]);
  const big = child.stdin.getWriter();
  await assert.rejects(big.write(new Uint8Array(1_000_000)), { code: "io" });
  const none = await at.spawn(["/bin/true"]);
  await assert.rejects(none.stdin.getWriter().write(encode("x")), { code: "io" });
  await Promise.all([textOf(none.stdout), textOf(none.stderr), none.status]);
});

test("spawn() brings a large output whole", async () => {
  await using at = await confined();
  const child = await at.spawn(["/bin/sh", "-c", "head -c 9000000 /dev/zero; echo end >&2"]);
  const err = textOf(child.stderr);
  let bytes = 0;
  for await (const chunk of child.stdout) bytes += chunk.length;
  assert.equal(bytes, 9_000_000);
  assert.equal(await err, "end\n");
  assert.equal((await child.status).code, 0);
});

test("spawn() keeps a child waiting whose output nobody takes", async () => {
  await using at = await confined();
  const child = await at.spawn(["/bin/sh", "-c", "head -c 9000000 /dev/zero; : > done"]);
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  let bytes = value?.length ?? 0;
  // By the same worker, and more work than what the first one would have left.
  const other = await at.sh("head -c 90000000 /dev/zero | wc -c");
  assert.equal(other.stdout.trim(), "90000000");
  await assert.rejects(Deno.stat(`${at.open}/done`), Deno.errors.NotFound);
  for (let next = await reader.read(); !next.done; next = await reader.read()) bytes += next.value.length;
  assert.equal(bytes, 9_000_000);
  await child.stderr.cancel();
  assert.equal((await child.status).code, 0);
  assert.ok((await Deno.stat(`${at.open}/done`)).isFile);
});

test("cancelling a stream closes the child's pipe", async () => {
  await using at = await confined();
  const child = await at.spawn(["/usr/bin/yes"]);
  const reader = child.stdout.getReader();
  assert.ok(((await reader.read()).value?.length ?? 0) > 0);
  await reader.cancel();
  await child.stderr.cancel();
  assert.equal((await child.status).signal, "SIGPIPE");
});

test("spawn() rejects with io when the program cannot be started, and starts the next", async () => {
  await using at = await confined();
  await assert.rejects(
    at.spawn([`${at.open}/none`]),
    (error: unknown) =>
      error instanceof PryxError && error.code === "io" && /Cannot run .*none/.test(error.message),
  );
  assert.equal((await at.sh("echo next")).stdout, "next\n");
});

test("spawn() rejects with sandbox and starts nothing when the thread cannot be restricted", async () => {
  await using at = await confined();
  const { rules, ...rest } = at.restriction();
  const first = rules[0] ?? assert.fail("no rules");
  const wrong = { ...first, rights: "everything" } as unknown as LandlockRule;
  const options = {
    program: "/bin/sh",
    args: ["-c", ": > started"],
    cwd: at.open,
    env: {},
    stdin: "null",
    output: "piped",
  } as const;
  await assert.rejects(
    at.spawner.spawn(options, { ...rest, rules: [wrong] }, "a command"),
    (error: unknown) =>
      error instanceof PryxError && error.code === "sandbox" &&
      /Cannot confine a command/.test(error.message),
  );
  await assert.rejects(Deno.stat(`${at.open}/started`), Deno.errors.NotFound);
  const child = await at.spawner.spawn(options, { ...rest, rules });
  await Promise.all([textOf(child.stdout), textOf(child.stderr), child.status]);
  assert.ok((await Deno.stat(`${at.open}/started`)).isFile);
});

test("a rule opens the very file it was made for and none that took its place", async () => {
  await using at = await confined();
  const path = `${at.root}/config`;
  await Deno.writeTextFile(path, "old");
  assert.equal((await at.sh(`cat ${path}`, { read: [path] })).stdout, "old");
  const restriction = at.restriction({ read: [path] });
  await Deno.rename(`${at.shut}/secret`, path);
  const spawner = createSpawner();
  try {
    const child = await spawner.spawn({
      program: "/bin/cat",
      args: [path],
      cwd: at.open,
      env: {},
      stdin: "null",
      output: "piped",
    }, restriction);
    const [out, err] = await Promise.all([textOf(child.stdout), textOf(child.stderr), child.status]);
    assert.equal(out, "");
    assert.match(err, /Permission denied/);
  } finally {
    spawner[Symbol.dispose]();
  }
});

test("spawn() keeps four idle workers, and uses one again for the same rules", async () => {
  await using at = await confined();
  for (let index = 0; index < 6; index++) {
    await Deno.mkdir(`${at.root}/${index}`);
    assert.equal((await at.sh("echo x", { read: [`${at.root}/${index}`] })).code, 0);
  }
  assert.equal(at.spawner.size, 4);
  await at.sh("echo x", { read: [`${at.root}/5`] });
  assert.equal(at.spawner.size, 4);
});

test("spawn() starts more than four at once with different rules", async () => {
  await using at = await confined();
  const children = [];
  for (let index = 0; index < 6; index++) {
    await Deno.mkdir(`${at.root}/${index}`);
    const rights = { read: [`${at.root}/${index}`] };
    children.push(await at.spawn(["/bin/cat"], rights, { stdin: "piped" }));
  }
  assert.equal(at.spawner.size, 6);
  for (const child of children) {
    await child.stdin.close();
    assert.equal(await textOf(child.stdout), "");
    await child.stderr.cancel();
    assert.equal((await child.status).code, 0);
  }
  await at.sh("echo x");
  assert.equal(at.spawner.size, 4);
});

test("disposal rejects what still waits, and refuses new children", async () => {
  await using at = await confined();
  const child = await at.spawn(["/bin/sh", "-c", "exec sleep 60"]);
  const reading = child.stdout.getReader().read();
  at.spawner[Symbol.dispose]();
  await assert.rejects(child.status, { code: "sandbox" });
  await assert.rejects(reading, { code: "sandbox" });
  await assert.rejects(at.spawn(["/bin/true"]), { code: "sandbox" });
  Deno.kill(-child.pid, "SIGKILL");
});

test("idle workers do not keep the process alive", async () => {
  const script = `
    import { createSpawner } from ${
    JSON.stringify(new URL("../../core/sandbox/_spawner.ts", import.meta.url).href)
  };
    const child = await createSpawner().spawn(
      { program: "/bin/true", args: [], cwd: "/", env: {}, stdin: "null", output: "piped" },
      { rules: [{ path: "/", rights: "read", folder: true, ...${
    JSON.stringify(identityOf("/"))
  } }], network: "none", unixSockets: false },
    );
    await child.stdout.cancel();
    await child.stderr.cancel();
    Deno.stdout.writeSync(new TextEncoder().encode(String((await child.status).code)));
  `;
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-config", "--no-lock", "--quiet", "--unstable-worker-options", script],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
    signal: AbortSignal.timeout(30_000),
  }).output();
  assert.deepEqual([code, new TextDecoder().decode(stdout)], [0, "0"]);
});

function identityOf(path: string) {
  const { dev, ino } = Deno.statSync(path);
  return { device: dev, inode: ino };
}
