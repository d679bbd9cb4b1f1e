import assert from "node:assert/strict";
import { join } from "node:path";
import { graphOf, linkWith, project } from "./_project.ts";

const FILES = {
  "job.pryx.ts":
    `import { a } from "./a.ts"; export const permissions = { read: ["."] }; export const b: number = a;`,
  "a.ts": `import type { T } from "./none.ts"; import d from "./d.json"; export const a: T = d;`,
  "d.json": "1",
};

async function cached(files: Readonly<Record<string, string>> = FILES) {
  const here = await project(files);
  const folder = join(here.outer, "cache/links");
  const options = { cacheFolder: folder };
  return {
    ...here,
    folder,
    graph: (name = "job.pryx.ts") => here.graph(name, options),
    problems: (name = "job.pryx.ts") => here.problems(name, options),
    files: async () => (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => join(folder, name)),
    [Symbol.asyncDispose]: here[Symbol.asyncDispose],
  };
}

/** Whether a program links this file in which the transformer cannot be loaded. */
async function linksWithoutTransformer(file: string, cacheFolder: string, place: string): Promise<boolean> {
  const link = new URL("../../core/automation/link.ts", import.meta.url);
  const program = `
    import { createLinker } from ${JSON.stringify(link.href)};
    const cacheFolder = ${JSON.stringify(cacheFolder)};
    const link = createLinker({ may: async () => {}, patternProblem: () => undefined, cacheFolder });
    console.log("graph" in await link({ file: ${JSON.stringify(file)} }));
  `;
  await Deno.writeTextFile(join(place, "program.ts"), program);
  const { imports } = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));
  const config = { imports: { ...imports, "sucrase/": "./there_is_none/" } };
  await Deno.writeTextFile(join(place, "deno.json"), JSON.stringify(config));
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      "--no-lock",
      "--config",
      join(place, "deno.json"),
      join(place, "program.ts"),
    ],
    env: { NO_COLOR: "1" },
  }).output();
  if (new TextDecoder().decode(stdout) === "true\n") return true;
  assert.match(new TextDecoder().decode(stderr), /there_is_none/);
  return false;
}

Deno.test("the link cache gives the same graph again", async () => {
  await using here = await cached();
  const first = await here.graph();
  const [file, ...others] = await here.files();
  assert.deepEqual(others, [], "one file for the graph");
  const written = await Deno.stat(file ?? "");
  assert.deepEqual(await here.graph(), first);
  assert.deepEqual(await here.files(), [file]);
  assert.equal((await Deno.stat(file ?? "")).ino, written.ino, "nothing is written again");
  if (Deno.build.os !== "windows") {
    assert.equal((written.mode ?? 0) & 0o777, 0o600);
    assert.equal(((await Deno.stat(here.folder)).mode ?? 0) & 0o777, 0o700);
  }
});

Deno.test("the link cache is used: code comes from it, hashes and imports from the files", async () => {
  await using here = await cached();
  const before = await here.graph();
  const [file = ""] = await here.files();
  const body = (await Deno.readTextFile(file)).split("\n").slice(1).join("\n").replace(
    "const b",
    "const kept",
  );
  await Deno.writeTextFile(file, `${await digest(body)}\n${body}`);
  const after = await here.graph();
  assert.match(after.modules.at(-1)?.code ?? "", /const kept/);
  assert.equal(after.hash, before.hash);
  assert.deepEqual(after.permissions, { read: ["."] });
});

Deno.test("the link cache forgets what changed, and keeps the rest", async () => {
  await using here = await cached();
  const before = await here.graph();
  await here.write("a.ts", "export const a = 2;");
  const after = await here.graph();
  assert.notEqual(after.hash, before.hash);
  assert.deepEqual(after.modules.map(({ id }) => id), ["a.ts", "job.pryx.ts"]);
  await Deno.remove(here.path("a.ts"));
  assert.deepEqual(await here.problems(), ['job.pryx.ts:1:19 There is no file "./a.ts"']);
});

Deno.test("the link cache does not keep what has problems", async () => {
  await using here = await cached({ "job.pryx.ts": `import "./a.ts";`, "a.ts": "import.meta;" });
  const problems = await here.problems();
  assert.deepEqual(await here.problems(), problems);
  await assert.rejects(Array.fromAsync(Deno.readDir(here.folder)), Deno.errors.NotFound);
});

Deno.test("the link cache takes no manifest from a file that was not the one to run", async () => {
  await using here = await cached({
    "job.pryx.ts": `import "./a.ts";`,
    "a.ts": `export const permissions = { run: x };`,
  });
  await here.graph();
  assert.equal((await here.problems("a.ts")).length, 1);
  await here.write("a.ts", `export const permissions = { run: ["ls"] };`);
  assert.equal((await here.graph()).permissions, undefined);
  assert.equal((await here.graph()).permissions, undefined);
  assert.deepEqual((await here.graph("a.ts")).permissions, { run: ["ls"] });
});

Deno.test("the link cache ignores files that are not whole, not its own, or not private", async () => {
  await using here = await cached();
  const graph = await here.graph();
  const [file = ""] = await here.files();
  const text = await Deno.readTextFile(file);
  const body = text.split("\n").slice(1).join("\n");
  const evil = body.replace("const b", "const evil");
  const withHash = async (one: string) => `${await digest(one)}\n${one}`;
  const contents = [
    "",
    "\n",
    text.slice(0, -10),
    text.replace("const b", "const c"),
    evil,
    await withHash("null"),
    await withHash("[]"),
    await withHash("{"),
    await withHash(evil.replace(/"stamp":"[^"]*"/, '"stamp":"1 sucrase-3.0.0"')),
    await withHash(evil.replace('"imports":', '"imports":1,"x":')),
    await withHash(evil.replace('"permissions":{"read"', '"permissions":{"raed"')),
    await withHash(evil.replace(/"line":\d+/, '"line":"1"')),
  ];
  for (const content of contents) {
    await Deno.remove(file);
    await Deno.writeTextFile(file, content, { mode: 0o600 });
    assert.deepEqual(await here.graph(), graph, content);
  }
  if (Deno.build.os === "windows") return;
  await Deno.remove(file);
  await Deno.writeTextFile(file, await withHash(evil), { mode: 0o600 });
  await Deno.chmod(file, 0o622);
  assert.deepEqual(await here.graph(), graph, "others may write the file");
  await Deno.writeTextFile(file, await withHash(evil));
  await Deno.chmod(file, 0o600);
  await Deno.chmod(here.folder, 0o777);
  assert.deepEqual(await here.graph(), graph, "others may write the folder");
  await Deno.chmod(here.folder, 0o700);
  await Deno.writeTextFile(join(here.outer, "elsewhere"), await withHash(evil), { mode: 0o600 });
  await Deno.remove(file);
  await Deno.symlink(join(here.outer, "elsewhere"), file);
  assert.deepEqual(await here.graph(), graph, "it is a link");
  if (Deno.uid() !== 0) return;
  await Deno.remove(file);
  await Deno.writeTextFile(file, await withHash(evil), { mode: 0o600 });
  await Deno.chown(file, 65534, 65534);
  assert.deepEqual(await here.graph(), graph, "it is another user's");
});

Deno.test("the link cache may be out of reach", async () => {
  await using here = await cached();
  await Deno.writeTextFile(join(here.outer, "cache"), "a file");
  assert.equal((await here.graph()).entry, "job.pryx.ts");
});

Deno.test("the link cache keeps two hundred files, the newest", async () => {
  await using here = await cached();
  await Deno.mkdir(here.folder, { recursive: true, mode: 0o700 });
  for (let i = 0; i < 250; i++) {
    const path = join(here.folder, `${i}.json`);
    await Deno.writeTextFile(path, "");
    await Deno.utime(path, 1_000 + i, 1_000 + i);
  }
  await here.graph();
  const files = await here.files();
  assert.equal(files.length, 200);
  assert.ok(files.includes(join(here.folder, "249.json")) && !files.includes(join(here.folder, "50.json")));
  assert.ok(files.some((file) => !/\/\d+\.json$/.test(file)), "the new one is there");
});

Deno.test("link() loads no transformer for what the cache has", async () => {
  await using here = await cached();
  const links = () => linksWithoutTransformer(here.path("job.pryx.ts"), here.folder, here.outer);
  assert.equal(await links(), false, "it is needed once");
  await here.graph();
  assert.equal(await links(), true);
});

Deno.test("link() gives the same graph with and without a cache", async () => {
  await using here = await cached();
  const without = graphOf(await linkWith()({ file: here.path("job.pryx.ts") }));
  assert.deepEqual(await here.graph(), without);
  assert.deepEqual(await here.graph(), without);
});

async function digest(text: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))).toHex();
}

Deno.test("a linked graph keeps its manifest when a file that it imports has the same text", async () => {
  const text = `import "./b.pryx.ts"; export const permissions = { read: ["."] };`;
  await using here = await cached({ "job.pryx.ts": text, "b.pryx.ts": text });
  assert.deepEqual((await here.graph()).permissions, { read: ["."] });
  assert.deepEqual((await here.graph()).permissions, { read: ["."] });
});
