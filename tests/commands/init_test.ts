import assert from "node:assert/strict";
import { join } from "node:path";
import { TYPES_HEADER, writtenBy } from "../../core/commands/_init_files.ts";
import { commands } from "../../core/commands/init.ts";
import { PryxError } from "../../core/domain/error.ts";
import { VERSION } from "../../core/domain/version.ts";
import { fakeContext, fakeSurface } from "../support/fake_pryx.ts";
import { startTypeScriptServer } from "../support/tsserver.ts";
import { testAutomations } from "./_automations.ts";

const FILES = [
  ".pryx/types/pryx.d.ts",
  ".pryx/types/globals.d.ts",
  "automations/tsconfig.json",
  "automations/hello.pryx.ts",
];

/** An empty folder, and `pryx init` in it. */
async function emptyFolder() {
  const root = await Deno.realPath(await Deno.makeTempDir({ prefix: "pryx init " }));
  const automations = testAutomations(root);
  return {
    root,
    automations,
    read: (path: string) => Deno.readTextFile(join(root, path)),
    async write(path: string, text: string) {
      await Deno.mkdir(join(root, path, ".."), { recursive: true });
      await Deno.writeTextFile(join(root, path), text);
    },
    async init(folder?: string) {
      const [command] = commands;
      assert.ok(command);
      const context = fakeContext(fakeSurface(), new AbortController().signal, {
        cwd: root,
        automations: () => Promise.resolve(automations),
      });
      const { text = "", data } = await command.run(folder === undefined ? {} : { folder }, context);
      const { files } = data as unknown as { files: { path: string; outcome: string }[] };
      return { text, outcomes: Object.fromEntries(files.map(({ path, outcome }) => [path, outcome])) };
    },
    async [Symbol.asyncDispose]() {
      await automations[Symbol.asyncDispose]();
      await Deno.remove(root, { recursive: true });
    },
  };
}

Deno.test("init writes types, a configuration and a first automation, and says what is next", async () => {
  await using at = await emptyFolder();
  const { text, outcomes } = await at.init();
  assert.deepEqual(outcomes, Object.fromEntries(FILES.map((path) => [path, "written"])));
  assert.match(text, /^Written\n {2}\.pryx\/types\/pryx\.d\.ts\n/);
  assert.match(text, /\nNext\n {2}pryx run automations\/hello\.pryx\.ts /);
  assert.equal(await at.read(FILES[0] ?? ""), TYPES_HEADER + await at.automations.declarations());
  const { mode } = await Deno.stat(join(at.root, "automations/hello.pryx.ts"));
  assert.equal((mode ?? 0) & 0o777, 0o755);
  assert.equal(await at.automations.rootOf({ file: join(at.root, "automations/hello.pryx.ts") }), at.root);
});

Deno.test("init makes the folder that it is given", async () => {
  await using at = await emptyFolder();
  const { text } = await at.init("new/place");
  assert.match(text, /^Written\n {2}new\/place\/\.pryx/);
  assert.match(text, /\n {2}cd new\/place\n/);
  assert.match(await at.read("new/place/automations/hello.pryx.ts"), /^#!\/usr\/bin\/env -S pryx run\n/);
});

Deno.test("init leaves alone what is there, and says so", async () => {
  await using at = await emptyFolder();
  for (const path of FILES) await at.write(path, `mine: ${path}`);
  const { text, outcomes } = await at.init();
  assert.deepEqual(outcomes, Object.fromEntries(FILES.map((path) => [path, "kept"])));
  assert.match(text, /^Left alone: it was there\n/);
  for (const path of FILES) assert.equal(await at.read(path), `mine: ${path}`);
});

Deno.test("init changes nothing the second time", async () => {
  await using at = await emptyFolder();
  await at.init();
  const { outcomes } = await at.init();
  assert.deepEqual(Object.values(outcomes), ["current", "current", "kept", "kept"]);
});

Deno.test("init writes types anew that an older pryx wrote, and leaves those of a newer one", async () => {
  await using at = await emptyFolder();
  await at.init();
  const [types = "", globals = ""] = FILES;
  const by = (version: string) => `${TYPES_HEADER.replace(VERSION, version)}old\n`;
  await at.write(types, by("0.0.9"));
  await at.write(globals, by("99.0.0"));
  const { outcomes } = await at.init();
  assert.deepEqual([outcomes[types], outcomes[globals]], ["updated", "kept"]);
  assert.equal(writtenBy(await at.read(types)), VERSION);
  assert.equal(writtenBy(await at.read(globals)), "99.0.0");
  const names: string[] = [];
  for await (const { name } of Deno.readDir(join(at.root, ".pryx/types"))) names.push(name);
  assert.deepEqual(names.sort(), ["globals.d.ts", "pryx.d.ts"]);
});

Deno.test("init does not write through links", async () => {
  for (const path of [".pryx", ".pryx/types", "automations"]) {
    await using at = await emptyFolder();
    await using elsewhere = await emptyFolder();
    if (path.includes("/")) await Deno.mkdir(join(at.root, ".pryx"));
    await Deno.symlink(elsewhere.root, join(at.root, path));
    await assert.rejects(at.init(), (error) => error instanceof PryxError && error.code === "io");
    assert.deepEqual([...Deno.readDirSync(elsewhere.root)], [], path);
  }
  await using at = await emptyFolder();
  await at.init();
  const target = join(at.root, "outside.txt");
  await Deno.writeTextFile(target, `${TYPES_HEADER.replace(VERSION, "0.0.1")}`);
  const types = join(at.root, ".pryx/types/pryx.d.ts");
  await Deno.remove(types);
  await Deno.symlink(target, types);
  assert.equal((await at.init()).outcomes[".pryx/types/pryx.d.ts"], "kept");
  assert.equal(writtenBy(await Deno.readTextFile(target)), "0.0.1");
});

Deno.test("the first automation is right: it links, its types check, and it may read and nothing else", async () => {
  await using at = await emptyFolder();
  await at.init();
  const file = join(at.root, "automations/hello.pryx.ts");
  assert.deepEqual(await at.automations.check([file]), []);
  const linking = await at.automations.link({ file });
  assert.ok("graph" in linking);
  assert.deepEqual(linking.graph.permissions, { read: ["."] });
});

Deno.test("an editor's TypeScript server needs nothing but what init wrote", async () => {
  await using at = await emptyFolder();
  await at.init();
  const hello = join(at.root, "automations/hello.pryx.ts");
  await using server = startTypeScriptServer(at.root);
  server.open(hello);
  assert.equal(await server.configuration(hello), join(at.root, "automations/tsconfig.json"));
  assert.deepEqual(await server.diagnostics(hello), []);

  const job = join(at.root, "automations/deep/job.pryx.ts");
  await at.write("automations/lib.ts", "export const count: number = 1;\n");
  await at.write("automations/rows.json", '[{ "a": 1 }]');
  await at.write(
    "automations/deep/job.pryx.ts",
    `#!/usr/bin/env -S pryx run
import { fs, sh } from "pryx";
import { count } from "../lib.ts";
import rows from "../rows.json";
const text = await sh\`ls\`.text();
fs.read(count);
console.log(text, rows[0]?.a, new URL("https://example.org"));
document.title;
fs.
`,
  );
  server.open(job);
  const [wrong, absent, ...rest] = await server.diagnostics(job);
  assert.match(wrong ?? "", /^9:4 TS1003: /);
  assert.match(
    absent ?? "",
    /^6:9 TS2345: Argument of type 'number' is not assignable to parameter of type 'string'/,
  );
  assert.match(rest.join("\n"), /^8:1 TS2584: Cannot find name 'document'/);
  const ofFs = await server.completions(job, 9, 4);
  for (const name of ["read", "write", "glob", "grep"]) assert.ok(ofFs.includes(name), name);
  const ofCommand = await server.completions(job, 5, 27);
  for (const name of ["text", "lines", "json", "quiet"]) assert.ok(ofCommand.includes(name), name);
  const { type, documentation } = await server.hover(job, 6, 5);
  assert.match(type, /read\(path: string\): Promise<string>/);
  assert.match(documentation, /^A text file \(UTF-8\)/);
});

Deno.test("an editor's TypeScript server lives with an automation that nothing was set up for", async () => {
  await using at = await emptyFolder();
  await at.write("job.pryx.ts", '#!/usr/bin/env -S pryx run\nimport { sh } from "pryx";\nawait sh`ls`;\n');
  await using server = startTypeScriptServer(at.root);
  const job = join(at.root, "job.pryx.ts");
  server.open(job);
  const found = await server.diagnostics(job);
  assert.match(found[0] ?? "", /^2:20 TS2(307|792): Cannot find module 'pryx'/);
  assert.ok(found.every((one) => !one.startsWith("1:")), "the shebang is none of its business");
});
