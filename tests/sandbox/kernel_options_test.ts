import assert from "node:assert/strict";
import { join } from "node:path";
import type { Envelope } from "../../core/domain/envelope.ts";
import type { Need } from "../../core/domain/need.ts";
import { createKernel, type KernelOptions } from "../../core/sandbox/kernel.ts";

async function withKernel(
  options: (root: string) => Promise<Partial<KernelOptions>> | Partial<KernelOptions>,
  body: (kernel: ReturnType<typeof createKernel>, root: string) => Promise<void> | void,
): Promise<void> {
  const root = await Deno.realPath(await Deno.makeTempDir({ prefix: "pryx-kernel-" }));
  try {
    const base = { home: join(root, "home"), env: { PATH: "/usr/bin:/bin" }, scopes: [], own: [] };
    await using kernel = createKernel({ ...base, memoryBytes: 2 ** 31, ...await options(root) });
    await body(kernel, root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("the kernel takes no bwrap from where agents write", async () => {
  const bwrap = async (root: string) => {
    await Deno.mkdir(join(root, "ws/bin"), { recursive: true });
    await Deno.writeTextFile(join(root, "ws/bin/bwrap"), `#!/bin/sh\ntouch ${root}/ran\n`, { mode: 0o755 });
    return {
      scopes: [join(root, "ws")],
      env: { PATH: `${join(root, "ws/bin")}:/usr/bin:/bin` },
      os: "linux",
    };
  };
  await withKernel(bwrap, async (kernel, root) => {
    const layer = await kernel.layer();
    if (layer.name === "bubblewrap") assert.ok(!layer.bubblewrap.program.startsWith(root));
    await assert.rejects(Deno.stat(join(root, "ran")), Deno.errors.NotFound);
  });
});

Deno.test("the kernel keeps its own files out of where agents write, and pryx's folders out of the baseline", async () => {
  const inside = async (root: string) => {
    await Deno.mkdir(join(root, "ws/tmp"), { recursive: true });
    await Deno.mkdir(join(root, "pryx/bin"), { recursive: true });
    await Deno.mkdir(join(root, "tools/bin"), { recursive: true });
    const path = `${join(root, "pryx/bin")}:${join(root, "tools/bin")}:/usr/bin`;
    return {
      scopes: [join(root, "ws")],
      own: [join(root, "pryx")],
      env: { TMPDIR: join(root, "ws/tmp"), PATH: path },
    };
  };
  await withKernel(inside, (kernel, root) => {
    assert.ok(!kernel.folder.startsWith(join(root, "ws")), kernel.folder);
    const { read } = kernel.baseline();
    assert.ok(read.includes(join(root, "tools/bin")));
    assert.ok(!read.some((path) => path.startsWith(join(root, "pryx"))));
  });
});

Deno.test("each thing within reach has to be accepted by itself, in its own kind", async () => {
  const envelope: Envelope = {
    read: [],
    write: [],
    access: () => "none",
    closed: [],
    network: "none",
    unixSockets: false,
  };
  await withKernel(() => ({ os: "windows" }), async (kernel) => {
    const all = await kernel.shortfall(envelope);
    assert.deepEqual(all.map(({ kind, target }) => `${kind}=${target}`), [
      "read=/",
      "write=/",
      "net=**",
      "net=unix",
    ]);
    const prepare = (accepted: readonly Need[]) =>
      kernel.prepare(envelope, { cwd: "/", accepted, terminal: false, sharesLoopback: false });
    for (const left of all) {
      await assert.rejects(
        async () => await prepare(all.filter((need) => need !== left)),
        (error: Error) => error.message.includes(`${left.kind}=${left.target} is within its reach`),
      );
    }
    const prepared = await prepare(all);
    assert.equal((await prepared.confine({ cwd: "/" })).layer, "none");
    await prepared.release();
  });
});
