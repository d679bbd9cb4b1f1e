import assert from "node:assert/strict";
import { withModel } from "../support/built_pryx.ts";

Deno.test("kill -9 in the middle of a command loses no finished event, leaves no child, and is not run again", async () => {
  // A number that no other process on this machine has in its command line: the command sees numbers of its own.
  const seconds = `300.${crypto.getRandomValues(new Uint32Array(1))[0]}`;
  await using pryx = await withModel([
    { calls: [{ name: "write_file", args: { path: "done.txt", content: "done\n" } }] },
    { calls: [{ name: "shell", args: { command: `echo once >>ran; exec sleep ${seconds}` } }] },
    { text: "I see that it was interrupted." },
  ]);
  await using started = pryx.start(["run", "go", "--preset", "dangerously-full", "--json"]);
  await started.printed(/"type":"decision".*"verdict":"allow".*"type":"decision".*"verdict":"allow"/s);
  const child = await processOf(["sleep", seconds]);
  started.kill("SIGKILL");
  await started.finished();
  await gone(child);

  const listed = await pryx.json(["sessions", "list"]) as { id: string }[] | { sessions: { id: string }[] };
  const [session] = Array.isArray(listed) ? listed : listed.sessions;
  assert.ok(session);
  const again = await pryx.run(["run", "--continue", "what happened?", "--json"]);
  assert.equal(again.code, 0, again.stderr);
  const told = pryx.server.requests[2]?.body.messages as { role: string; content: string }[];
  assert.match(told.findLast((message) => message.role === "tool")?.content ?? "", /Interrupted/);
  assert.ok(told.some((message) => message.role === "tool" && /done\.txt/.test(message.content)));
  assert.equal(await pryx.read("ran"), "once\n");
  const { events } = await pryx.json(["sessions", "show", session.id]) as {
    events: { type: string; data: { name: string; status: string } }[];
  };
  const calls = events.filter(({ type }) => type === "tool.finished").map((
    { data },
  ) => [data.name, data.status]);
  assert.deepEqual(calls, [["write_file", "done"], ["shell", "interrupted"]]);
});

Deno.test("kill -9 while a message streams keeps what was streamed", async () => {
  const never = new Promise(() => {});
  const pieces = Array.from({ length: 4 }, (_, n) => `piece${n} `);
  const later = Promise.withResolvers<void>();
  await using pryx = await withModel([
    { text: pieces, gates: { 3: later.promise, 4: never } },
    { text: "going on" },
  ]);
  await using started = pryx.start(["run", "talk", "--json"]);
  await started.printed("piece1");
  // The row of the streamed message is written at the first piece after 250 ms.
  await new Promise((resolve) => setTimeout(resolve, 300));
  later.resolve();
  await started.printed("piece2");
  started.kill("SIGKILL");
  await started.finished();
  const again = await pryx.run(["run", "-c", "go on"]);
  assert.equal(again.code, 0, again.stderr);
  const shown = pryx.server.requests[1]?.body.messages.map((message: { content: string }) => message.content);
  assert.match(shown[2], /^piece0 piece1 piece2/);
});

/** The process with that command line, once there is one. */
async function processOf(argv: readonly string[]): Promise<number> {
  const wanted = argv.map((word) => `${word}\0`).join("");
  for (let i = 0; i < 500; i++) {
    for await (const { name } of Deno.readDir("/proc")) {
      if (!/^\d+$/.test(name)) continue;
      const found = await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => "");
      if (found === wanted) return Number(name);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`there is no process ${argv.join(" ")}`);
}

async function gone(pid: number): Promise<void> {
  for (let i = 0; i < 500; i++) {
    const stat = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => "");
    if (stat === "" || /\) Z /.test(stat)) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`process ${pid} is still there`);
}
