import assert from "node:assert/strict";
import { ulimits } from "../../core/sandbox/_limits.ts";
import { confinedPlace, type KernelName, whyNot } from "./_confined_place.ts";

const MIB = 1024 * 1024;

for (const layer of ["bubblewrap", "landlock"] as const satisfies readonly KernelName[]) {
  const why = await whyNot(layer);
  const test = (name: string, fn: () => Promise<void>) =>
    Deno.test({
      name: `${name} (${layer}${why === undefined ? "" : `: ${why}`})`,
      ignore: why !== undefined,
      fn,
    });

  test("a command that forks without end is ended, and the result says why", async () => {
    await using at = await confinedPlace(layer, { limits: { processes: 60 } });
    const said = await at.sh(
      "i=0; while [ $i -lt 300 ]; do sleep 30 & i=$((i+1)); done; wait",
    );
    // Root's processes are counted by the watch, a user's by the system: then a fork fails.
    assert.ok(said.limit === "processes" || /fork|temporarily unavailable/i.test(said.out), said.out);
    assert.equal(
      (await at.sh("i=0; while [ $i -lt 10 ]; do true & i=$((i+1)); done; wait; echo fine")).out,
      "fine\n",
    );
  });

  test("memory is limited for one process and for all together", async () => {
    await using at = await confinedPlace(layer, { limits: { memoryBytes: 200 * MIB } });
    const one = await at.sh("head -c 400000000 /dev/zero | tail -c 400000000 | wc -c");
    assert.ok(!one.out.includes("400000000\n"), one.out);
    const take = "tail -c 100000000 | { cat >/dev/null; }";
    const many = await at.sh(
      `for i in 1 2 3 4; do { head -c 100000000 /dev/zero; sleep 20; } | ${take} & done; wait; echo done`,
    );
    assert.equal(many.limit, "memory", `${many.out} ${many.ms}`);
    assert.equal((await at.sh("head -c 1000000 /dev/zero | wc -c")).out.trim(), "1000000");
  });

  test("CPU time ends a loop and is named", async () => {
    await using at = await confinedPlace(layer, { limits: { cpuSeconds: 1 } });
    const said = await at.sh("while :; do :; done");
    assert.deepEqual([said.signal, said.limit, said.timedOut], ["SIGXCPU", "cpu", false]);
  });

  test("no limit can be raised again, and no signal be let pass instead", async () => {
    await using at = await confinedPlace(layer, { limits: { cpuSeconds: 1, fileBytes: MIB } });
    const said = await at.sh("for one in t f d c; do ulimit -H -$one; ulimit -$one unlimited; done");
    const limits = said.out.split("\n").filter((line) => /^(\d+|unlimited)$/.test(line));
    assert.deepEqual([limits[0], limits[1], limits.at(-1)], ["2", "2048", "0"], said.out);
    assert.ok(!limits.includes("unlimited"), said.out);
    const { signal, code, timedOut } = await at.sh("trap '' XCPU; while :; do :; done");
    assert.ok(!timedOut && (signal === "SIGKILL" || code === 137), `${signal} ${code}`);
  });

  test("a file larger than it may be is named", async () => {
    await using at = await confinedPlace(layer, { limits: { fileBytes: MIB } });
    const said = await at.sh("exec head -c 5000000 /dev/zero > big");
    assert.equal(said.limit, "file size");
  });
}

Deno.test("ulimits() bounds CPU, memory, files and, where they are counted for the child alone, processes", () => {
  const limits = { cpuSeconds: 5, memoryBytes: 64 * MIB, fileBytes: MIB, processes: 7 };
  const lines = (countedAlone: boolean, confined = true) =>
    ulimits({ limits, timeoutMs: 1000, confined, countedAlone }).join("\n");
  for (
    const one of ["ulimit -c 0", "-H -t 6", "-S -t 5", "ulimit -d 65536", "ulimit -f 2048", "ulimit -u 7"]
  ) {
    assert.ok(lines(true).includes(one), one);
  }
  assert.ok(!lines(false).includes("ulimit -u"));
  assert.match(
    ulimits({ limits: {}, timeoutMs: 1000, confined: true, countedAlone: false }).join(),
    /ulimit -f/,
  );
});
