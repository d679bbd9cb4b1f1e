import assert from "node:assert/strict";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { type CellsOptions, createCells } from "../../core/sandbox/cell.ts";
import { spawnCell } from "../../core/sandbox/cell_process.ts";
import { linesOf } from "../../core/sandbox/_line_stream.ts";
import { createSandbox } from "../../core/sandbox/create_sandbox.ts";
import { createKernel } from "../../core/sandbox/kernel.ts";
import { createReaper } from "../../core/sandbox/reaper.ts";
import type { Cell } from "../../core/sandbox/sandbox.ts";
import { loadMessage, SELF } from "../automation/_cell.ts";
import { kernelLayers } from "../support/kernel_layers.ts";

const UNIX = Deno.build.os !== "windows";
const LINUX = Deno.build.os === "linux";
const env = { PATH: "/usr/bin:/bin" };

/** Cells whose process is `program` where that is given: a fake of what a hostile one could say. */
function cellsOf(program?: string, more: Partial<CellsOptions> = {}) {
  const reaper = createReaper();
  const kernel = createKernel({
    home: "/nowhere",
    env,
    scopes: [],
    own: [],
    memoryBytes: 2 ** 31,
    self: SELF,
  });
  const self = program === undefined ? SELF : ["/bin/sh", "-c", program, "cell"] as const;
  const cells = createCells({ self, limits: {}, reaper, kernel: () => kernel, ...more });
  return {
    start: cells.start,
    async [Symbol.asyncDispose]() {
      await cells[Symbol.asyncDispose]();
      await kernel[Symbol.asyncDispose]();
      await reaper[Symbol.asyncDispose]();
    },
  };
}

const READY = `echo '{"t":"ready","v":1,"seal":{"permissions":true,"seccomp":true}}'`;

/** All it said, as values. */
async function said(cell: Cell): Promise<Record<string, unknown>[]> {
  const messages = [];
  for await (const line of cell.lines) {
    messages.push(JSON.parse(line));
    const { t } = messages.at(-1) as { t: string };
    if (t === "done" || t === "failed") cell.finish();
  }
  return messages;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return stat.slice(stat.lastIndexOf(")") + 2).charAt(0) !== "Z";
  } catch {
    return false;
  }
}

Deno.test("cell() starts this program sealed, runs a module in it, and it ends when told that nothing more comes", async () => {
  await using sandbox = createSandbox({ home: "/nowhere", env, self: SELF });
  await using cell = await sandbox.cell();
  if (LINUX) assert.deepEqual([cell.seal, cell.held], [{ permissions: true, seccomp: true }, "seccomp"]);
  cell.send(loadMessage("console.log('hello')"));
  const messages = await said(cell);
  assert.deepEqual(messages.map(({ t }) => t), ["ready", "say", "done"]);
  assert.deepEqual(await cell.ended, { code: 0, signal: null, stderr: "" });
});

Deno.test("cell() takes the process that was started before, and one that nobody takes is killed", async () => {
  const started = spawnCell(SELF);
  const { pid } = started.child;
  {
    await using sandbox = createSandbox({ home: "/nowhere", env, self: SELF, cell: started });
    await using cell = await sandbox.cell();
    assert.equal(cell.pid, pid);
    await using second = await sandbox.cell();
    assert.notEqual(second.pid, pid);
  }
  const unused = spawnCell(SELF);
  {
    await using _sandbox = createSandbox({ home: "/nowhere", env, self: SELF, cell: unused });
  }
  unused.child.ref();
  assert.equal((await unused.child.status).signal, "SIGKILL");
});

Deno.test({
  name: "a cell that loops is killed at once, and one that is disposed is gone",
  ignore: !UNIX,
  async fn() {
    await using cells = cellsOf();
    const cell = await cells.start();
    cell.send(loadMessage("console.log('on'); for (;;);"));
    for await (const line of cell.lines) if (line.includes('"say"')) break;
    const { signal } = await cell.ended;
    assert.equal(signal, "SIGKILL");
    const other = await cells.start();
    await other[Symbol.asyncDispose]();
    assert.equal(isAlive(other.pid), false);
  },
});

Deno.test({
  name: "a cell ends by itself when its input closes",
  ignore: !UNIX,
  async fn() {
    const child = spawnCell(SELF).take();
    assert.ok(child);
    child.ref();
    await child.stdin.close();
    assert.deepEqual({ ...await child.status }, { success: true, code: 0, signal: null });
    await Promise.all([child.stdout.cancel(), child.stderr.cancel()]);
  },
});

Deno.test({
  name: "what takes too much memory or CPU time is killed, and the end says why",
  ignore: !LINUX,
  async fn() {
    await using cells = cellsOf(undefined, { limits: { memoryBytes: 300 * 1024 ** 2, cpuSeconds: 2 } });
    await using greedy = await cells.start();
    greedy.send(loadMessage("const all = []; for (;;) all.push(new Uint8Array(1e7).fill(1));"));
    await said(greedy);
    assert.equal((await greedy.ended).limit, "memory");
    await using busy = await cells.start();
    busy.send(loadMessage("for (;;);"));
    await said(busy);
    assert.equal((await busy.ended).limit, "cpu");
    await using heap = await cells.start();
    heap.send(loadMessage("const all = []; for (let at = 0;; at++) all.push({ at, text: 'x' + at });"));
    await said(heap);
    assert.equal((await heap.ended).limit, "memory");
  },
});

Deno.test({
  name: "a cell is started in the kernel layer where it cannot seal itself, and works there",
  ignore: !LINUX || !(kernelLayers.bubblewrap || kernelLayers.landlock > 0),
  async fn() {
    await using cells = cellsOf(undefined, { sealsItself: false });
    await using cell = await cells.start();
    assert.deepEqual(cell.seal, { permissions: true, seccomp: false, problem: "it was started confined" });
    assert.equal(cell.held, kernelLayers.bubblewrap ? "bubblewrap" : "landlock");
    cell.send(loadMessage("console.log(1 + 1)"));
    assert.deepEqual((await said(cell)).map(({ t }) => t), ["ready", "say", "done"]);
    assert.equal((await cell.ended).code, 0);
  },
});

Deno.test({
  name: "cell() rejects when its process dies or says something else first",
  ignore: !UNIX,
  async fn() {
    for (
      const program of [
        "echo broken >&2; exit 3",
        "echo '{}'; cat",
        "printf '\\377\\n'; cat",
        'echo \'{"t":"ready"}\'; cat',
      ]
    ) {
      await using cells = cellsOf(program);
      await assert.rejects(cells.start(), { code: "sandbox" }, program);
    }
  },
});

Deno.test({
  name: "lines that are no UTF-8 end it, and so does a reader who stops",
  ignore: !UNIX,
  async fn() {
    await using cells = cellsOf(`${READY}; printf 'good\\n\\303\\050\\n'; cat`);
    const cell = await cells.start();
    const lines: string[] = [];
    await assert.rejects(async () => {
      for await (const line of cell.lines) lines.push(line);
    }, { code: "output_invalid" });
    assert.deepEqual(lines.slice(1), ["good"]);
    assert.equal((await cell.ended).signal, "SIGKILL");
    const flooding = await cells.start();
    for await (const _ of flooding.lines) break;
    assert.equal((await flooding.ended).signal, "SIGKILL");
  },
});

Deno.test("linesOf() puts pieces together, drops what has no newline, and refuses what is too long", async () => {
  const stream = (...pieces: string[]) =>
    ReadableStream.from(pieces.map((piece) => new TextEncoder().encode(piece)));
  assert.deepEqual(await Array.fromAsync(linesOf(stream("a", "b\nc\n\n", "d"))), ["ab", "c", ""]);
  const bytes = new TextEncoder().encode("€\n");
  const cut = ReadableStream.from([bytes.subarray(0, 1), bytes.subarray(1)]);
  assert.deepEqual(await Array.fromAsync(linesOf(cut)), ["€"]);
  await assert.rejects(Array.fromAsync(linesOf(stream("12345\n"), { longest: 4 })), {
    code: "output_invalid",
  });
  await assert.rejects(Array.fromAsync(linesOf(stream("123", "45"), { longest: 4 })), {
    code: "output_invalid",
  });
});

Deno.test({
  name: "send() asks to be waited for when the process does not read, and says nothing when it has ended",
  ignore: !UNIX,
  async fn() {
    await using cells = cellsOf(`${READY}; exec sleep 60`);
    const cell = await cells.start();
    const line = "x".repeat(100_000);
    let waiting: Promise<void> | undefined;
    for (let sent = 0; sent < 100 && !waiting; sent++) waiting = cell.send(line) ?? undefined;
    assert.ok(waiting instanceof Promise);
    cell.kill();
    await waiting;
    await cell.ended;
    assert.equal(cell.send(line), undefined);
    await cell[Symbol.asyncDispose]();
  },
});

Deno.test({
  name: "the end has the last of what it wrote to standard error",
  ignore: !UNIX,
  async fn() {
    await using cells = cellsOf(`${READY}; head -c 100000 /dev/zero | tr '\\0' x >&2; echo end >&2; exit 7`);
    await using cell = await cells.start();
    const { code, stderr } = await cell.ended;
    assert.equal(code, 7);
    assert.ok(stderr.endsWith("xend\n") && stderr.length <= 16 * 1024, String(stderr.length));
  },
});

Deno.test({
  name: "a cell that loops does not outlive a host that is killed",
  ignore: !LINUX,
  async fn() {
    const script = `
      import { createSandbox } from ${
      JSON.stringify(new URL("../../core/sandbox/create_sandbox.ts", import.meta.url).href)
    };
      const sandbox = createSandbox({ home: "/nowhere", env: ${JSON.stringify(env)}, self: ${
      JSON.stringify(SELF)
    } });
      const cell = await sandbox.cell();
      cell.send(${JSON.stringify(loadMessage("console.log('on'); for (;;) {}"))});
      for await (const line of cell.lines) if (line.includes('"say"')) console.log(cell.pid);`;
    const host = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-check",
        "-c",
        fileURLToPath(new URL("../../deno.json", import.meta.url)),
        "-",
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const writer = host.stdin.getWriter();
    await writer.write(new TextEncoder().encode(script));
    await writer.close();
    const reader = host.stdout.getReader();
    const { value } = await reader.read();
    const pid = Number(new TextDecoder().decode(value));
    assert.ok(isAlive(pid));
    host.kill("SIGKILL");
    await host.status;
    await reader.cancel();
    const end = performance.now() + 10_000;
    while (isAlive(pid) && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(isAlive(pid), false);
  },
});
