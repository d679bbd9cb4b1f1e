import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { startModelServer } from "./model_server.ts";

const post = (url: string, model = "test") =>
  fetch(`${url}/chat/completions`, { method: "POST", body: JSON.stringify({ model, messages: [] }) });

Deno.test("startModelServer() answers in order, and says when its script is over", async () => {
  await using server = await startModelServer([{ text: "one" }, {
    status: 503,
    headers: { "retry-after": "3" },
  }]);
  assert.match(await (await post(server.url)).text(), /"content":"one"[\s\S]*data: \[DONE\]\n\n$/);
  const busy = await post(server.url);
  assert.deepEqual([busy.status, busy.headers.get("retry-after")], [503, "3"]);
  await busy.body?.cancel();
  const over = await post(server.url);
  assert.equal(over.status, 400);
  assert.match((await over.json()).error.message, /2 answers; this is request 3/);
  assert.equal(server.requests.length, 3);
});

Deno.test("startModelServer() refuses other keys and other models", async () => {
  await using keyed = await startModelServer([], { key: "right" });
  const refused = await post(keyed.url);
  assert.equal(refused.status, 401);
  await refused.body?.cancel();
  await using server = await startModelServer([{ text: "x" }], { models: ["test"] });
  const unknown = await post(server.url, "other");
  assert.equal(unknown.status, 404);
  assert.equal((await unknown.json()).error.code, "model_not_found");
});

Deno.test("startModelServer() floods with as many tokens as asked for", async () => {
  await using server = await startModelServer([{ flood: 12_345 }]);
  const text = await (await post(server.url)).text();
  assert.equal(text.split('"content":" token"').length - 1, 12_345);
  assert.match(text, /"completion_tokens":12345/);
});

Deno.test("model_server_main serves a script file as a process of its own", async () => {
  const file = await Deno.makeTempFile({ suffix: ".json" });
  try {
    await Deno.writeTextFile(file, JSON.stringify({ answers: [{ text: "hi" }], options: { repeat: true } }));
    const main = fileURLToPath(new URL("./model_server_main.ts", import.meta.url));
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-lock", decodeURIComponent(main), file],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const url = ((await lines.read()).value ?? "").trim();
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/v1$/);
    assert.match(await (await post(url)).text(), /"content":"hi"/);
    assert.equal(JSON.parse((await lines.read()).value ?? "").body.model, "test");
    await child.stdin.close();
    assert.equal((await child.status).code, 0, "it ends when its standard input closes");
    await lines.cancel();
  } finally {
    await Deno.remove(file);
  }
});
