import assert from "node:assert/strict";
import { join } from "node:path";
import { type BuiltPryx, withModel } from "../support/built_pryx.ts";

/** What one request told the model: the texts of its messages, newest last. */
function told(
  pryx: { server: { requests: readonly { body: { messages: { content: string }[] } }[] } },
  at: number,
) {
  return pryx.server.requests[at]?.body.messages.map(({ content }) => content) ?? [];
}

const USES_AGENT = 'export const permissions = { read: ["."], write: ["out"], use: ["agent"] };\n';

async function job(pryx: BuiltPryx, text: string, ...args: readonly string[]) {
  await pryx.write("pryx.lock", "");
  await pryx.write("job.pryx.ts", `import { agent, defineTool } from "pryx";\n${USES_AGENT}${text}`);
  return await pryx.run(["run", "--allow", "use=agent", ...args, "job.pryx.ts"]);
}

Deno.test("agent.ask() gives the answer, its cost and its session, and prints nothing of it", async () => {
  await using pryx = await withModel([{ text: "It is blue.", usage: { input: 10, output: 5 } }]);
  const { code, stdout, stderr } = await job(
    pryx,
    `const { text, session, cost, usage } = await agent.ask("Which colour?", { context: "THE SKY" });
console.log(text, session.length > 5, cost > 0, usage.input, usage.output);
`,
  );
  assert.deepEqual([code, stdout], [0, "It is blue. true true 10 5\n"], stderr);
  assert.match(told(pryx, 0).at(-1) ?? "", /^Which colour\?[^]*THE SKY/);
  assert.doesNotMatch(stderr, /blue/);
  const listed = await pryx.json(["sessions", "list"]) as unknown[];
  assert.equal(listed.length, 2);
});

Deno.test("agent.ask() with a schema gives a value that fits, mended once, and fails when it still does not fit", async () => {
  const schema = '{ type: "object", properties: { n: { type: "number" } }, required: ["n"] }';
  const ask = `const { n } = await agent.ask("n?", { schema: ${schema} });\nconsole.log(n + 1);\n`;
  await using mended = await withModel([{ text: '{"n": "three"}' }, { text: '{"n": 3}' }]);
  assert.equal((await job(mended, ask)).stdout, "4\n");
  assert.equal(mended.server.requests.length, 2);

  await using broken = await withModel([{ text: "no" }, { text: "still no" }]);
  const { code, stdout, stderr } = await job(broken, ask);
  assert.deepEqual([code, stdout], [1, ""]);
  assert.match(stderr, /job\.pryx\.ts:3/);
});

Deno.test("agent.stream() gives pieces as they come, and a session remembers", async () => {
  const later = Promise.withResolvers<void>();
  await using pryx = await withModel([
    { text: ["one ", "two"], gates: { 2: later.promise } },
    { text: "first" },
    { text: "second" },
  ]);
  await pryx.write("pryx.lock", "");
  await pryx.write(
    "job.pryx.ts",
    `import { agent } from "pryx";
${USES_AGENT}for await (const piece of agent.stream("count")) console.log(piece);
const session = agent.session();
await session.ask("a");
console.log((await session.ask("b")).text, session.id !== undefined);
`,
  );
  await using started = pryx.start(["run", "--allow", "use=agent", "job.pryx.ts"]);
  await started.printed("one");
  later.resolve();
  const { code, stdout, stderr } = await started.finished();
  assert.deepEqual([code, stdout], [0, "one \ntwo\nsecond true\n"], stderr);
  assert.deepEqual(told(pryx, 2).slice(-3), ["a", "first", "b"]);
});

Deno.test("an agent does no more than its automation declares, whatever policy allows", async () => {
  const write = (path: string) => ({ calls: [{ name: "write_file", args: { path, content: "x" } }] });
  await using pryx = await withModel([write("a.txt"), write("out/a.txt"), { text: "tried" }]);
  const { code, stdout, stderr } = await job(
    pryx,
    'console.log((await agent.ask("write")).text);\n',
    "--preset",
    "dangerously-full",
  );
  assert.deepEqual([code, stdout], [0, "tried\n"], stderr);
  await assert.rejects(pryx.read("a.txt"), Deno.errors.NotFound);
  assert.equal(await pryx.read("out/a.txt"), "x");
  assert.match(told(pryx, 1).at(-1) ?? "", /does not declare it/);
});

Deno.test("a preset narrows what an agent may do, and never widens it", async () => {
  const write = { calls: [{ name: "write_file", args: { path: "out/a.txt", content: "x" } }] };
  await using pryx = await withModel([write, { text: "could not" }, write, { text: "no" }]);
  const narrowed = await job(
    pryx,
    'await agent.ask("w", { preset: "read-only" });\n',
    "--preset",
    "workspace",
  );
  assert.match(told(pryx, 1).at(-1) ?? "", /[Dd]enied/, narrowed.stderr);
  const widened = await job(
    pryx,
    'await agent.ask("w", { preset: "workspace" });\n',
    "--preset",
    "read-only",
  );
  assert.equal(widened.code, 3, widened.stderr);
  await assert.rejects(pryx.read("out/a.txt"), Deno.errors.NotFound);
});

Deno.test("tools name what an agent is offered, and one that the script defines is called in it", async () => {
  await using pryx = await withModel([
    { calls: [{ name: "add", args: { a: "x", b: 2 } }] },
    { calls: [{ name: "add", args: { a: 40, b: 2 } }] },
    { calls: [{ name: "add", args: { a: -1, b: 0 } }] },
    { text: "42" },
  ]);
  const { code, stdout, stderr } = await job(
    pryx,
    `const seen: number[] = [];
const add = defineTool({
  name: "add",
  description: "Adds",
  parameters: { type: "object", properties: { a: { type: "number" }, b: { type: "number" } }, required: ["a", "b"] },
  run({ a, b }) {
    if (a < 0) throw new Error("too small");
    seen.push(a);
    return { sum: a + b };
  },
});
const { text } = await agent.ask("40+2?", { tools: ["read_file", add] });
console.log(text, seen);
`,
  );
  assert.deepEqual([code, stdout], [0, "42 [ 40 ]\n"], stderr);
  const offered = pryx.server.requests[0]?.body.tools.map((tool: { function: { name: string } }) =>
    tool.function.name
  );
  assert.deepEqual(offered.sort(), ["add", "read_file"]);
  assert.match(told(pryx, 1).at(-1) ?? "", /a: .*number/);
  assert.match(told(pryx, 2).at(-1) ?? "", /"sum":42/);
  assert.match(told(pryx, 3).at(-1) ?? "", /too small/);
});

Deno.test("--max-cost holds for all questions together, and ends with 4 when nobody catches it", async () => {
  const dear = { text: "x", usage: { input: 1000, output: 1000 } };
  await using pryx = await withModel([dear, dear, dear, dear]);
  const { code, stdout, stderr } = await job(
    pryx,
    `for (let n = 0; n < 4; n++) {
  await agent.ask("again", { tools: [] });
  console.log(n);
}
`,
    "--max-cost",
    "5",
  );
  assert.equal(code, 4, stderr);
  assert.match(stdout, /^0\n1\n/);
  assert.doesNotMatch(stdout, /3/);
  assert.match(stderr, /budget|cost limit/);
});

Deno.test("a provider that fails ends an automation with 5, unless it catches that", async () => {
  await using pryx = await withModel(() => ({ status: 401, body: { error: { message: "bad key" } } }));
  const thrown = await job(pryx, 'await agent.ask("x");\n');
  assert.equal(thrown.code, 5, thrown.stderr);
  assert.match(thrown.stderr, /job\.pryx\.ts:3/);
  const caught = await job(pryx, 'await agent.ask("x").catch(({ code }) => console.log(code));\n');
  assert.deepEqual([caught.code, caught.stdout], [0, "provider_auth\n"]);
});

Deno.test("without use=agent an automation asks no agent", async () => {
  await using pryx = await withModel([{ text: "x" }]);
  await pryx.write("pryx.lock", "");
  await pryx.write(
    "job.pryx.ts",
    'import { agent } from "pryx";\nexport const permissions = { read: ["."] };\nawait agent.ask("x");\n',
  );
  const { code, stderr } = await pryx.run(["run", "--preset", "dangerously-full", "job.pryx.ts"]);
  assert.equal(code, 3, stderr);
  assert.equal(pryx.server.requests.length, 0);
});

Deno.test("a secret becomes its value on the way out, and is seen nowhere else", async () => {
  const value = `s3cr3t-${crypto.randomUUID()}`;
  const seen: (string | null)[] = [];
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    seen.push(request.headers.get("authorization"));
    return new Response(`you sent ${request.headers.get("authorization")}`, { headers: { "x-echo": value } });
  });
  const host = `127.0.0.1:${server.addr.port}`;
  await using pryx = await withModel([]);
  await pryx.run(["config", "set", "secretStore", "file"]);
  const set = await pryx.run(["secrets", "set", "hook"], { stdin: value });
  assert.equal(set.code, 0, set.stderr);
  await pryx.write("pryx.lock", "");
  await pryx.write(
    "job.pryx.ts",
    `import { http, log, secrets } from "pryx";
export const permissions = { net: ["${host}"], use: ["secret/hook"] };
const secret = secrets.use("hook");
const response = await http.get("http://${host}/", { headers: { authorization: secret.prefix("Bearer ") } });
const text = await response.text();
console.log(text, secret);
console.error(text);
log.info(text, { text, headers: response.headers });
throw new Error(text);
`,
  );
  const flags = ["--allow", `net=${host}`, "--allow", "use=secret/hook"];
  const plain = await pryx.run(["run", ...flags, "job.pryx.ts"]);
  const json = await pryx.run(["run", "--json", ...flags, "job.pryx.ts"]);
  assert.deepEqual([plain.code, json.code], [1, 1], plain.stderr);
  assert.deepEqual(seen, [`Bearer ${value}`, `Bearer ${value}`]);
  assert.match(plain.stdout, /you sent Bearer/, plain.stderr);
  const shown = await pryx.run(["sessions", "show", "--full"]);
  for (const { stdout, stderr } of [plain, json, shown]) assert.ok(!`${stdout}${stderr}`.includes(value));
  const kept = await filesWith(pryx.home, value);
  assert.deepEqual(kept.filter((path) => !path.includes("secrets")), []);
});

/** Files below a folder whose bytes hold a text. */
async function filesWith(folder: string, text: string): Promise<string[]> {
  const { stdout } = await new Deno.Command("grep", { args: ["-rlaF", "--", text, folder] }).output();
  return new TextDecoder().decode(stdout).split("\n").filter((line) => line !== "").map((line) => join(line));
}

Deno.test("http reaches what is declared and allowed, and nothing else", async () => {
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    async (request) =>
      Response.json({
        method: request.method,
        body: await request.text(),
        type: request.headers.get("content-type"),
      }, {
        status: new URL(request.url).pathname === "/gone" ? 404 : 200,
      }),
  );
  const host = `127.0.0.1:${server.addr.port}`;
  await using pryx = await withModel([]);
  await pryx.write("pryx.lock", "");
  await pryx.write(
    "job.pryx.ts",
    `import { http } from "pryx";
export const permissions = { net: ["${host}"] };
const posted = await http.post("http://${host}/a", { json: { n: 1 } });
console.log(posted.status, await posted.text());
console.log(await http.get("http://${host}/gone").then(() => "ok", (error) => [error.name, error.status]));
console.log(await http.get("http://127.0.0.1:1/").catch((error) => error.code));
`,
  );
  const denied = await pryx.run(["run", "job.pryx.ts"]);
  assert.equal(denied.code, 3);
  assert.ok(denied.stderr.includes(`--allow net=${host}`), denied.stderr);
  const { code, stdout, stderr } = await pryx.run(["run", "--allow", `net=${host}`, "job.pryx.ts"]);
  assert.equal(code, 0, stderr);
  const [first = "", ...rest] = stdout.split("\n");
  assert.deepEqual(JSON.parse(first.slice("200 ".length)), {
    method: "POST",
    body: '{"n":1}',
    type: "application/json",
  });
  assert.deepEqual(rest, ["[ 'HttpError', 404 ]", "denied", ""]);
});
