import assert from "node:assert/strict";
import { apiProblems, withApi } from "../../scripts/api_reference.ts";
import { type BuiltPryx, withModel } from "../support/built_pryx.ts";
import type { ModelAnswer } from "../support/model_server.ts";
import { git } from "../examples/_project.ts";
import { placesOf } from "./_check.ts";

const PAGE = "docs/automations.md";
const [text = "", readme = ""] = await Promise.all(
  [PAGE, "README.md"].map((path) => Deno.readTextFile(new URL(`../../${path}`, import.meta.url))),
);
const declarations = await Deno.readTextFile(
  new URL("../../core/automation/api.d.ts", import.meta.url),
);

/** A file that the page shows. */
interface Block {
  /** Where it begins in the page. */
  readonly line: number;
  readonly code: string;
  readonly runs: boolean;
  readonly test: boolean;
  /** What the model answers, in order: a text, or a whole answer of the scripted model server. */
  readonly answers: readonly (string | ModelAnswer)[];
  /** What it waits for, and what comes. */
  readonly trigger?: { readonly name: string; readonly body: string };
}

const BLOCK =
  /^```ts\b(?<info>.*)\n(?<code>[\s\S]*?)^```\n(?:<!-- model: (?<model>.*) -->\n)?(?:<!-- trigger: (?<name>\S+) (?<body>.*) -->\n)?/gm;

const blocksOf = (page: string) =>
  [...page.matchAll(BLOCK)].map(({ groups = {}, index }): Block => ({
    line: page.slice(0, index).split("\n").length,
    code: groups.code ?? "",
    runs: !/\bno-run\b/.test(groups.info ?? ""),
    test: /\btest\b/.test(groups.info ?? ""),
    answers: JSON.parse(groups.model ?? "[]"),
    ...(groups.name === undefined ? {} : { trigger: { name: groups.name, body: groups.body ?? "" } }),
  }));
const blocks = blocksOf(text);

Deno.test("docs/automations.md has the tables of the API as they are, all of them, and an example of each export", () => {
  assert.deepEqual(apiProblems(PAGE, text, declarations), []);
  assert.equal(text, withApi(text, declarations), "it is stale: run deno task docs");
});

Deno.test("apiProblems() finds what a page lacks, and what it has too much", () => {
  const api = "export declare const tea: { brew(): void };\nexport interface Leaf {\n  kind: string;\n}\n";
  const page =
    "<!-- api tea -->\n<!-- /api -->\n<!-- api coffee -->\n<!-- /api -->\n```ts\nimport {} from 1;\n```\n";
  assert.deepEqual(apiProblems("a.md", page, api), [
    "a.md:1: says nothing of Leaf, which the API exports",
    "a.md:1: has no example of tea, which the API exports",
    "a.md:1: has a table of coffee, which the API has not",
  ]);
  assert.equal(
    withApi("<!-- api tea -->\nold\n<!-- /api -->\n", api),
    "<!-- api tea -->\n| `tea` | |\n|---|---|\n| `tea.brew(): void` |  |\n<!-- /api -->\n",
  );
});

Deno.test("every file that docs/automations.md and README.md show is well typed", async () => {
  assert.ok(blocks.length > 20);
  const files: Record<string, string> = {
    "todo_rules.ts": "export const priority = (text: string) => text.length;",
  };
  for (const { line, code } of blocks) files[`line_${line}.pryx.ts`] = code;
  for (const { line, code } of blocksOf(readme)) files[`readme_${line}.pryx.ts`] = code;
  assert.deepEqual(await placesOf(files, Object.keys(files)), []);
});

for (const block of blocks.filter(({ runs }) => runs)) {
  Deno.test(`docs/automations.md:${block.line} runs, with its own manifest as the limit`, async () => {
    const script = block.answers.map((one) => typeof one === "string" ? { text: one } : one);
    await using pryx = await withModel(script);
    await using server = serve();
    await prepare(pryx);
    const host = `127.0.0.1:${server.addr.port}`;
    const code = block.code.replaceAll("https://api.example.org", `http://${host}`)
      .replaceAll('"api.example.org"', `"${host}"`);
    const name = block.test ? "example.test.pryx.ts" : "example.pryx.ts";
    await pryx.write(name, code);
    const { trigger } = block;
    const flags = trigger ? ["--trigger", trigger.name] : [];
    const { code: exitCode, stdout, stderr } = await pryx.run(
      ["run", "--preset", "dangerously-full", ...flags, name],
      trigger ? { stdin: trigger.body } : {},
    );
    assert.equal(exitCode, 0, stdout + stderr);
    assert.equal(pryx.server.requests.length, script.length);
  });
}

/** A small project, with a history. */
async function prepare(pryx: BuiltPryx): Promise<void> {
  await Deno.mkdir(`${pryx.workspace}/src`);
  await pryx.write("README.md", "# Tea\n");
  await pryx.write("src/a.ts", "// TODO: boil water\n");
  await git(pryx.workspace, "init", "-q");
  await git(pryx.workspace, "config", "user.name", "Ann");
  await git(pryx.workspace, "config", "user.email", "ann@example.org");
  await git(pryx.workspace, "add", "-A");
  await git(pryx.workspace, "commit", "-qm", "First");
}

/** Stands for api.example.org. */
function serve(): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/user") return Response.json({ name: "Ann" });
    return pathname === "/notes"
      ? Response.json({ id: 1 }, { status: 201 })
      : new Response("no", { status: 404 });
  });
}
