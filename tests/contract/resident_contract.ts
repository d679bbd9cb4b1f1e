import assert from "node:assert/strict";
import type { Registered } from "../../core/automation/wire.ts";
import type { Json } from "../../core/domain/schema.ts";

/** A message that went out to a channel. */
export interface SentMessage {
  readonly channel: string;
  readonly text: string;
  readonly to?: string;
  readonly thread?: string;
}

/** What keeps an automation connected: channels and MCP servers that answer, and events that come in. */
export interface ResidentHost extends AsyncDisposable {
  /** What the automation waits for, once it has run to its end. */
  readonly registered: Registered;
  /** In the order they were sent. */
  readonly sent: readonly SentMessage[];
  /** Brings one event. Resolves with the answer; rejects with what the handler threw. */
  bring(kind: Registered["triggers"][number]["kind"], name: string, data: Json): Promise<Json>;
}

/** Tools of the MCP server `notes` that every host offers: `add {text}` answers `{added: text}`. */
export const MCP_TOOLS = [{ name: "add", description: "Adds a note" }] as const;

/**
 * What a resident automation may rely on. `open` runs a file's text and keeps it. The text declares what it needs, and
 * nothing of it asks.
 */
export function residentContract(name: string, open: (text: string) => Promise<ResidentHost>): void {
  const test = (what: string, text: string, work: (host: ResidentHost) => Promise<void>) =>
    Deno.test(`${name}: ${what}`, async () => {
      await using host = await open(text);
      await work(host);
    });

  test(
    "a file tells what it waits for, and is brought it as often as it comes",
    `import { on } from "pryx";
    let count = 0;
    on.webhook("deploy", (request) => ({ count: ++count, said: request.json().ref, by: request.headers["x-by"], q: request.query.q }));
    on.schedule("0 9 * * mon", () => { count += 10; });`,
    async (host) => {
      assert.deepEqual(host.registered.triggers, [
        { kind: "webhook", name: "deploy" },
        { kind: "schedule", name: "0 9 * * mon" },
      ]);
      const request = {
        method: "POST",
        headers: { "x-by": "ci" },
        query: { q: "1" },
        body: '{"ref":"main"}',
      };
      const answer = (count: number) => ({
        status: 200,
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ count, said: "main", by: "ci", q: "1" }),
      });
      assert.deepEqual(await host.bring("webhook", "deploy", request), answer(1));
      assert.equal(await host.bring("schedule", "0 9 * * mon", null), null);
      assert.deepEqual(await host.bring("webhook", "deploy", request), answer(12));
    },
  );

  test(
    "a message is answered where it came from",
    `import { on } from "pryx";
    export const permissions = { use: ["channel/team"] };
    on.message("team", async (message) => { await message.reply(message.from + ": " + message.text.toUpperCase()); });`,
    async (host) => {
      await host.bring("message", "team", { from: "ann", text: "hi", thread: "t1" });
      assert.deepEqual(host.sent, [{ channel: "team", text: "ann: HI", to: "ann", thread: "t1" }]);
    },
  );

  test(
    "channels are sent to, with and without a place in them",
    `import { channels } from "pryx";
    export const permissions = { use: ["channel/team"] };
    await channels.send("team", "one");
    await channels.send("team", { text: "two", to: "#ops", thread: "7" });`,
    (host) => {
      assert.deepEqual(host.sent, [
        { channel: "team", text: "one" },
        { channel: "team", text: "two", to: "#ops", thread: "7" },
      ]);
      return Promise.resolve();
    },
  );

  test(
    "the tools of an MCP server are listed and called",
    `import { mcp, on } from "pryx";
    export const permissions = { use: ["mcp/notes"] };
    on.webhook("note", async (request) => ({
      tools: (await mcp("notes").tools()).map((tool) => tool.name),
      answer: await mcp("notes").call("add", { text: request.body }),
    }));`,
    async (host) => {
      const answer = await host.bring("webhook", "note", {
        method: "POST",
        headers: {},
        query: {},
        body: "milk",
      });
      const { body } = answer as { readonly body: string };
      assert.deepEqual(JSON.parse(body), { tools: ["add"], answer: { added: "milk" } });
    },
  );

  test(
    "a handler that throws fails its own event, and the next one is answered",
    `import { on } from "pryx";
    on.webhook("w", (request) => { if (request.body === "bad") throw new Error("no: " + request.body); return "ok"; });`,
    async (host) => {
      const request = (body: string) => ({ method: "POST", headers: {}, query: {}, body });
      await assert.rejects(host.bring("webhook", "w", request("bad")), /no: bad/);
      const answer = await host.bring("webhook", "w", request("good"));
      assert.equal((answer as { readonly body: string }).body, "ok");
    },
  );
}
