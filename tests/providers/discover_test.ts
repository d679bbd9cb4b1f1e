import assert from "node:assert/strict";
import { discoverLocal } from "../../core/providers/discover.ts";
import { PROVIDER_PRESETS } from "../../core/providers/presets.ts";
import { startModelServer } from "../support/model_server.ts";

const signal = () => new AbortController().signal;

/** A server that answers some paths with JSON, and others never or with 404. */
function serve(answers: Record<string, unknown>, silent = false) {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const body = answers[new URL(request.url).pathname];
    if (body !== undefined) return Response.json(body);
    if (silent) {
      await new Promise<void>((resolve) => request.signal.addEventListener("abort", () => resolve()));
    }
    return new Response("not found", { status: 404 });
  });
  return { server, url: `http://127.0.0.1:${server.addr.port}/v1` };
}

Deno.test("discoverLocal() finds the servers that run, with their models", async () => {
  await using openai = await startModelServer([], { models: ["qwen3", "llama3"] });
  const tagged = serve({ "/api/tags": { models: [{ name: "old:7b" }] } });
  await using _tagged = tagged.server;
  const stranger = serve({ "/v1/models": { hello: "world" } });
  await using _stranger = stranger.server;
  const mute = serve({}, true);
  await using _mute = mute.server;
  const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const nobody = `http://127.0.0.1:${closed.addr.port}/v1`;
  closed.close();
  const found = await discoverLocal({
    ollama: { baseUrl: openai.url, local: true },
    older: { baseUrl: tagged.url, local: true },
    stranger: { baseUrl: stranger.url, local: true },
    mute: { baseUrl: mute.url, local: true },
    nobody: { baseUrl: nobody, local: true },
    remote: { baseUrl: openai.url, local: false },
  }, signal());
  assert.deepEqual(found, [
    { name: "ollama", baseUrl: openai.url, models: [{ id: "qwen3" }, { id: "llama3" }] },
    { name: "older", baseUrl: tagged.url, models: [{ id: "old:7b" }] },
  ]);
});

Deno.test("discoverLocal() stops when its signal aborts", async () => {
  const reason = new Error("stop");
  await assert.rejects(
    discoverLocal(PROVIDER_PRESETS, AbortSignal.abort(reason)),
    (error) => error === reason,
  );
});

Deno.test("PROVIDER_PRESETS are addresses that can be used, local ones on this machine and without a key", () => {
  for (const [name, preset] of Object.entries(PROVIDER_PRESETS)) {
    const url = new URL(preset.baseUrl);
    assert.equal(url.hostname === "127.0.0.1", preset.local, name);
    assert.equal(url.protocol, preset.local ? "http:" : "https:", name);
    assert.equal(preset.keyEnv === undefined, preset.local, name);
  }
});
