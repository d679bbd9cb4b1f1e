import assert from "node:assert/strict";
import { type BuiltPryx, builtPryx } from "../support/built_pryx.ts";
import { withExamples } from "./_project.ts";

const LATEST: Readonly<Record<string, string>> = {
  "/v1/packages/npm/left/resolved": "2.0.0",
  "/v1/packages/npm/@in/scope/resolved": "1.4.9",
  "/v1/packages/npm/same/resolved": "3.0.0",
};

/** An index on this machine in the place of the public one, in the file and in its manifest. */
async function withRegistry(pryx: BuiltPryx, host: string): Promise<void> {
  await withExamples(pryx);
  const source = await pryx.read("dependency_report.pryx.ts");
  const npm = /const REGISTRY = "https:\/\/([^"]+)"/.exec(source)?.[1] ?? "";
  await pryx.write(
    "dependency_report.pryx.ts",
    source.replace(`"https://${npm}"`, `"http://${host}"`).replace(`"${npm}"`, `"${host}"`),
  );
  await pryx.write(
    "package.json",
    JSON.stringify({ dependencies: { left: "^1.2.0", "@in/scope": "~1.4.0" } }),
  );
  await pryx.write(
    "deno.json",
    JSON.stringify({ imports: { same: "npm:same@3.0.0", lost: "npm:lost@1.0.0" } }),
  );
}

function serve(): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const version = LATEST[new URL(request.url).pathname];
    return version === undefined ? new Response("{}", { status: 404 }) : Response.json({ version });
  });
}

Deno.test("dependency_report shows what could be newer, the furthest behind first", async () => {
  await using server = serve();
  await using pryx = await builtPryx();
  const host = `127.0.0.1:${server.addr.port}`;
  await withRegistry(pryx, host);
  const { code, stdout, stderr } = await pryx.run([
    "run",
    "--allow",
    `net=${host}`,
    "dependency_report.pryx.ts",
  ]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(stdout.trim().split("\n").slice(2).map((line) => line.split(/ {2,}/)), [
    ["left", "^1.2.0", "2.0.0", "major", "package.json"],
    ["@in/scope", "~1.4.0", "1.4.9", "patch", "package.json"],
    ["lost", "1.0.0", "not there", "unknown", "deno.json"],
  ]);
  assert.match(stderr, /4 dependencies, 2 could be newer/);
});

Deno.test("dependency_report gives JSON, and fails as --fail-on says", async () => {
  await using server = serve();
  await using pryx = await builtPryx();
  const host = `127.0.0.1:${server.addr.port}`;
  await withRegistry(pryx, host);
  const run = (...args: string[]) =>
    pryx.run(["run", "--allow", `net=${host}`, "dependency_report.pryx.ts", ...args]);
  const json = await run("--json", "--all", "--fail-on", "major");
  assert.equal(json.code, 1, json.stderr);
  assert.equal(JSON.parse(json.stdout).length, 4);
  assert.deepEqual(JSON.parse(json.stdout).at(-1), {
    name: "same",
    wanted: "3.0.0",
    latest: "3.0.0",
    difference: "none",
    file: "deno.json",
  });
});

Deno.test("dependency_report reaches no host but the one of its manifest", async () => {
  await using server = serve();
  await using pryx = await builtPryx();
  await withRegistry(pryx, `127.0.0.1:${server.addr.port}`);
  const source = await pryx.read("dependency_report.pryx.ts");
  await pryx.write("dependency_report.pryx.ts", source.replace(/net: \[.*\]/, 'net: ["example.org"]'));
  const { code, stderr } = await pryx.run([
    "run",
    "--preset",
    "dangerously-full",
    "dependency_report.pryx.ts",
  ]);
  assert.equal(code, 3, stderr);
});
