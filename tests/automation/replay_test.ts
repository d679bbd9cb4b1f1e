import assert from "node:assert/strict";
import { join } from "node:path";
import type { AutomationReplay, ReplayEnd } from "../../core/automation/automation.ts";
import type { RealFile } from "../../core/automation/overlay.ts";
import { rehearse } from "../../core/automation/rehearse.ts";
import { replayRun } from "../../core/automation/replay_run.ts";
import type { PryxEvent } from "../../core/domain/event.ts";
import type { Json } from "../../core/domain/schema.ts";
import { readCassette } from "../../core/providers/cassette.ts";
import { createRecording } from "../../core/providers/recording.ts";
import { sandboxWithCells } from "../support/cells.ts";
import { project } from "./_project.ts";

const redact = (text: string) => text;

/** A project whose `job.pryx.ts` was run once with these answers, one after the other. */
async function recorded(code: string, answers: readonly Json[]) {
  const stack = new AsyncDisposableStack();
  const home = stack.use(await project({ "job.pryx.ts": code }));
  const sandbox = stack.use(sandboxWithCells());
  const cassette = join(home.root, "job.cassette.jsonl");
  const places = { workspace: home.root, home: home.outer };
  const record = (file: string) => Promise.resolve(createRecording({ file, ...places, redact }));
  const left = [...answers];
  const first = await rehearse({
    graph: await home.graph(),
    cassette,
    now: new Date("2026-01-02T03:04:05.000Z"),
    answer: () => Promise.resolve(left.shift() ?? null),
    signal: new AbortController().signal,
  }, { sandbox: () => Promise.resolve(sandbox), record });
  return {
    home,
    cassette,
    first,
    /** Replays, after the file was changed to `now`. */
    async replay(now: string = code, more: Partial<AutomationReplay> = {}): Promise<Replayed> {
      await home.write("job.pryx.ts", now);
      const events: PryxEvent[] = [];
      const end = await replayRun({
        graph: await home.graph(),
        cassette,
        show: (event) => events.push(event),
        signal: new AbortController().signal,
        ...more,
      }, {
        sandbox: () => Promise.resolve(sandbox),
        redact,
        home: home.outer,
        readCassette,
        record,
        real: (path): Promise<RealFile> =>
          Deno.readFile(join(home.root, path)).then((bytes) => ({ bytes }), () => ({ bytes: null })),
      });
      return { ...end, events };
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

type Replayed = ReplayEnd & { readonly events: readonly PryxEvent[] };

const CALL = 'import { tools, workspace, sleep, log } from "pryx";\n';

Deno.test("replay: clock, chance and every answer are the recorded ones", async () => {
  const code = `${CALL}console.log(new Date().toISOString(), Date.now(), Math.random(), crypto.randomUUID());
console.log(new Date(2026, 0, 1).toString(), (1234.5).toLocaleString(), await tools.call("x", { a: 1 }));
await sleep(3_600_000);`;
  await using run = await recorded(code, [{ text: "answer" }]);
  assert.deepEqual(run.first, { status: "done" });
  const once = await run.replay();
  assert.equal(once.exitCode, 0, once.error?.message);
  assert.match(once.printed.stdout, /^2026-01-02T03:04:05\.000Z 1767323045000 0\.\d+ [0-9a-f-]{36}\n/);
  assert.match(once.printed.stdout, /GMT\+0000 \(Coordinated Universal Time\) 1,234\.5 answer\n$/);
  assert.deepEqual(once.printed, { stdout: once.recorded.stdout, stderr: "" });
  const again = await run.replay();
  assert.deepEqual(JSON.stringify(again.events), JSON.stringify(once.events));
});

Deno.test("replay: the first request that differs ends it, with both and the place in the file", async () => {
  await using run = await recorded(`${CALL}await tools.call("x", { a: 1 });`, [{ text: "" }]);
  const { error, exitCode, changed } = await run.replay(`${CALL}\n\n  await tools.call("x", { a: 2 });`);
  assert.equal(error?.code, "replay_differs");
  assert.equal(exitCode, 1);
  assert.equal(changed, true);
  assert.match(error?.message ?? "", /^Call 1 of job\.pryx\.ts is not as it was recorded/);
  assert.match(
    error?.message ?? "",
    /- recorded: x: \{"a":1\}\n {2}\+ now: {6}x: \{"a":2\}\n {2}at job\.pryx\.ts:4:\d+$/,
  );
});

Deno.test("replay: a request that differs ends it also where the automation catches everything", async () => {
  await using run = await recorded(`${CALL}await tools.call("x", { a: 1 });`, [{ text: "" }]);
  const { error } = await run.replay(
    `${CALL}for (;;) await tools.call("x", { a: 2 }).catch(() => new Promise(() => {}));`,
  );
  assert.equal(error?.code, "replay_differs");
});

Deno.test("replay: an automation that no longer asks for what was recorded is said to", async () => {
  const both = `${CALL}await Promise.all([tools.call("x"), tools.call("y")]);`;
  await using run = await recorded(both, [{ text: "" }, { text: "" }]);
  // As it is where answers take their time.
  const [head, start, x, answer, y, ...rest] = (await Deno.readTextFile(run.cassette)).split("\n");
  await Deno.writeTextFile(run.cassette, [head, start, x, y, answer, ...rest].join("\n"));
  assert.equal((await run.replay()).exitCode, 0);
  const { error } = await run.replay(`${CALL}await tools.call("x"); await tools.call("y");`);
  assert.equal(error?.code, "replay_differs");
  assert.match(
    error?.message ?? "",
    /asks for nothing more, and the recording goes on[\s\S]*- recorded: y: /,
  );
  const less = await run.replay(`${CALL}tools.call("x");`);
  assert.equal(less.error?.code, "replay_differs");
});

Deno.test("replay: an automation that computes for long is waited for", async () => {
  const code = `${CALL}const end = performance.now(); let n = 0; for (let i = 0; i < 4e8; i++) n += i % 7;
await tools.call("x", { n });`;
  await using run = await recorded(code, [{ text: "" }]);
  const { exitCode, error } = await run.replay();
  assert.equal(exitCode, 0, error?.message);
});

Deno.test("replay: what is printed may be another; --update keeps it", async () => {
  await using run = await recorded(`${CALL}log.info("a"); console.log("old", await tools.call("x"));`, [{
    text: "answer",
  }]);
  const now = `${CALL}console.log("new", await tools.call("x")); console.error("more"); log.info("b");`;
  const changed = await run.replay(now, { update: true });
  assert.equal(changed.exitCode, 0, changed.error?.message);
  assert.equal(changed.recorded.stdout, "old answer\n");
  const { printed, recorded: kept, changed: stale } = await run.replay(now);
  assert.deepEqual(printed, { stdout: "new answer\n", stderr: "more\n" });
  assert.deepEqual({ stdout: kept.stdout, stderr: kept.stderr }, printed);
  assert.equal(stale, false);
});

Deno.test("replay: writes go nowhere and are shown as a diff, with the folders of this machine", async () => {
  const code = `${CALL}
await tools.call("write_file", { path: "a.txt", content: "one\\nnew\\n" });
await tools.call("write_file", { path: workspace + "/sub/b.txt", content: workspace + "\\n" });`;
  await using run = await recorded(code, [{ text: "" }, { text: "" }]);
  await run.home.write("a.txt", "one\nold\n");
  const { changes, events } = await run.replay();
  assert.deepEqual(changes.map(({ path, change }) => `${change} ${path}`), [
    "changed a.txt",
    "added sub/b.txt",
  ]);
  assert.match(
    changes[0]?.diff ?? "",
    /^--- a\/a\.txt\n\+\+\+ b\/a\.txt\n@@ -1,2 \+1,2 @@\n one\n-old\n\+new\n$/,
  );
  assert.ok(changes[1]?.diff?.includes(`+${run.home.root}\n`), changes[1]?.diff ?? "");
  assert.equal(events.filter(({ type }) => type === "replay.changed").length, 2);
  assert.equal(await Deno.readTextFile(run.home.path("a.txt")), "one\nold\n");
});

Deno.test("replay: arguments other than the recorded ones are refused", async () => {
  await using run = await recorded(`${CALL}await tools.call("x");`, [{ text: "" }]);
  await assert.rejects(
    run.replay(undefined, { args: ["--new"] }),
    /arguments are not those[\s\S]*none\n.*--new/,
  );
  assert.equal((await run.replay(undefined, { args: [] })).exitCode, 0);
});

Deno.test("replay: a recording that was cut off replays as far as it goes", async () => {
  await using run = await recorded(`${CALL}console.log(await tools.call("x")); await tools.call("y");`, [
    { text: "answer" },
    { text: "" },
  ]);
  const lines = (await Deno.readTextFile(run.cassette)).split("\n");
  const at = lines.findIndex((line) => line.includes('"tool":"y"'));
  await Deno.writeTextFile(run.cassette, `${lines.slice(0, at + 1).join("\n")}\n{"kind":"rep`);
  const { error, printed } = await run.replay();
  assert.equal(printed.stdout, "answer\n");
  assert.equal(error?.code, "replay_differs");
  assert.match(error?.message ?? "", /cut off/);
});

Deno.test("replay: an automation that failed fails as it did, with its place as it is now", async () => {
  await using run = await recorded(`${CALL}await tools.call("x"); throw new TypeError("boom");`, [{
    text: "",
  }]);
  assert.equal(run.first.status, "failed");
  const { error, exitCode, recorded: was } = await run.replay(
    `${CALL}await tools.call("x");\n\nthrow new TypeError("boom");`,
  );
  assert.equal(exitCode, was.exitCode);
  assert.match(error?.message ?? "", /TypeError: boom\n\s+at .*job\.pryx\.ts:4:7/);
});

Deno.test("replay: an abort ends it at once", async () => {
  await using run = await recorded(`${CALL}await tools.call("x");`, [{ text: "" }]);
  const controller = new AbortController();
  const show = (event: PryxEvent) => {
    if (event.type === "output") controller.abort(new Error("enough"));
  };
  const { status } = await run.replay(`console.log("on"); await null; await null; for (;;);`, {
    signal: controller.signal,
    show,
  });
  assert.notEqual(status, "done");
});
