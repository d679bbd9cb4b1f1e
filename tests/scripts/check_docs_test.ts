import assert from "node:assert/strict";
import { ERROR_CODES, EXIT } from "../../core/domain/error.ts";
import { EVENTS } from "../../core/domain/event.ts";
import { VERSION } from "../../core/domain/version.ts";
import { checkDocs } from "../../scripts/check_docs.ts";
import { brokenLinks, foreignWords, missingTests } from "../../scripts/doc_rules.ts";
import { renderErrors, renderEvents } from "../../scripts/doc_tables.ts";

const exists = (path: string) => ["README.md", "docs/events.md", "docs", "tests/a_test.ts"].includes(path);

Deno.test("brokenLinks() finds relative links that lead nowhere, with their line", () => {
  const text =
    "# A\n[good](../README.md#top) ![no](pic.png)\n[web](https://example.org/x) [up](../../out.md) [top](#top)\n";
  assert.deepEqual(brokenLinks("docs/a.md", text, exists), [
    "docs/a.md:2: links to pic.png: there is no such file",
    "docs/a.md:3: links to ../../out.md: there is no such file",
  ]);
});

Deno.test("brokenLinks() leaves code alone", () => {
  assert.deepEqual(
    brokenLinks("README.md", "```md\n[no](no.md)\n```\n`[no](no.md)`\n[yes](docs/events.md)\n", exists),
    [],
  );
});

Deno.test("missingTests() finds named tests that are not there", () => {
  assert.deepEqual(missingTests("docs/acceptance.md", "| `tests/a_test.ts` | `tests/b_test.ts` |", exists), [
    "docs/acceptance.md:1: names tests/b_test.ts: there is no such file",
  ]);
});

Deno.test("foreignWords() finds the checkout's own folder and registry hosts", () => {
  const host = ["registry", "npmjs", "org"].join(".");
  const text = `ok\nin /srv/my/pryx/core\nfrom https://${host}/x\n`;
  assert.deepEqual(foreignWords("a.ts", text, "/srv/my/pryx"), [
    "a.ts:2: names the folder of this checkout, /srv/my/pryx",
    "a.ts:3: names the host of a package registry",
  ]);
});

Deno.test("renderEvents() documents every event and every field of it", () => {
  const page = renderEvents(EVENTS, 1);
  for (const [name, event] of Object.entries(EVENTS)) {
    const start = page.indexOf(`\n## ${name}\n`);
    assert.ok(start > 0, name);
    const end = page.indexOf("\n## ", start + 1);
    const part = page.slice(start, end < 0 ? undefined : end);
    for (const field of Object.keys(event.data.properties)) assert.ok(part.includes(`| \`${field}\``), field);
  }
});

Deno.test("renderErrors() lists every error code once, beside its exit code", () => {
  const page = renderErrors(ERROR_CODES, EXIT);
  for (const [code, exit] of Object.entries(ERROR_CODES)) {
    const lines = page.split("\n").filter((line) => line.includes(`\`${code}\``));
    assert.equal(lines.length, 1, code);
    assert.ok(lines[0]?.startsWith(`| ${exit} |`), code);
  }
});

Deno.test("checkDocs() reports stale documents, another version and folders of core without a README", async () => {
  const root = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${root}/core/tools`, { recursive: true });
    await Deno.writeTextFile(`${root}/core/tools/tool.ts`, "");
    await Deno.writeTextFile(`${root}/deno.json`, `{ "version": "0.0.7" }`);
    assert.deepEqual(await checkDocs(root), [
      "core/tools:1: has no README.md: say what it owns",
      `deno.json:1: its version is not that of core/domain/version.ts, ${VERSION}`,
      "docs/errors.md:1: is stale: run deno task docs",
      "docs/events.md:1: is stale: run deno task docs",
    ]);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
