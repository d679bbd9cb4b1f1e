import assert from "node:assert/strict";
import { type BuiltPryx, builtPryx } from "../support/built_pryx.ts";
import { runExample, withExamples } from "./_project.ts";

async function withDocuments(pryx: BuiltPryx): Promise<void> {
  await withExamples(pryx);
  await Deno.mkdir(`${pryx.workspace}/docs`);
  await pryx.write(
    "docs/a.md",
    "# First part\n\n[up](../b.md) [gone](gone.md) [b](../b.md#no-such) [a](#first-part)\n",
  );
  await pryx.write("b.md", "# B\n\n[out](../../etc/passwd) `[code](x.md)`\n");
}

Deno.test("link_checker finds links that lead nowhere, with file, line and column", async () => {
  await using pryx = await builtPryx();
  await withDocuments(pryx);
  const { code, stdout, stderr } = await runExample(pryx, "link_checker", ["b.md", "docs/a.md"]);
  assert.equal(code, 1, stderr);
  assert.deepEqual(stdout.trim().split("\n"), [
    "b.md:3:7: ../../etc/passwd: leads out of the project",
    "docs/a.md:3:22: gone.md: there is no docs/gone.md",
    'docs/a.md:3:35: ../b.md#no-such: b.md has no heading "no-such"',
  ]);
  assert.match(stderr, /2 files, 5 links, 3 lead nowhere/);
});

Deno.test("link_checker writes annotations for GitHub, and JSON", async () => {
  await using pryx = await builtPryx();
  await withDocuments(pryx);
  const github = await runExample(pryx, "link_checker", ["docs/a.md", "--format", "github"]);
  assert.match(
    github.stdout,
    /^::error file=docs\/a\.md,line=3,col=22::gone\.md: there is no docs\/gone\.md$/m,
  );
  const json = await runExample(pryx, "link_checker", ["docs/a.md", "--format=json"]);
  assert.deepEqual(JSON.parse(json.stdout)[0], {
    target: "gone.md",
    line: 3,
    column: 22,
    file: "docs/a.md",
    why: "there is no docs/gone.md",
  });
});

Deno.test("link_checker --remote asks each address once, and again when a server is not well", async () => {
  const asked: string[] = [];
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const path = new URL(request.url).pathname;
    asked.push(`${request.method} ${path}`);
    if (path === "/gone") return new Response("no", { status: 404 });
    if (path === "/flaky" && asked.filter((one) => one.endsWith("/flaky")).length < 3) {
      return new Response("later", { status: 503 });
    }
    return new Response(request.method === "HEAD" ? null : "ok");
  });
  await using pryx = await builtPryx();
  await withExamples(pryx);
  const host = `127.0.0.1:${server.addr.port}`;
  await pryx.write(
    "c.md",
    `[a](http://${host}/ok) [b](http://${host}/ok#x) [c](http://${host}/gone) <http://${host}/flaky>\n`,
  );
  // This machine's own services are reached only when a manifest spells them out.
  const denied = await runExample(pryx, "link_checker", ["c.md", "--remote"]);
  assert.equal(denied.code, 3, denied.stdout);
  const source = await pryx.read("link_checker.pryx.ts");
  await pryx.write("link_checker.pryx.ts", source.replace('net: ["*"]', `net: ["${host}"]`));
  asked.length = 0;
  const { code, stdout, stderr } = await pryx.run([
    "run",
    "--allow",
    `net=${host}`,
    "link_checker.pryx.ts",
    "c.md",
    "--remote",
  ]);
  assert.equal(code, 1, stderr);
  assert.match(stdout, /^c\.md:1:\d+: http:\/\/127\.0\.0\.1:\d+\/gone: answers 404\n$/);
  assert.equal(asked.filter((one) => one === "HEAD /ok").length, 1);
  assert.ok(asked.includes("GET /flaky"));
});
