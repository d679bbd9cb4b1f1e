import assert from "node:assert/strict";
import { PRESETS } from "../../core/domain/policy.ts";
import { PRESET_RULES } from "../../core/policy/presets.ts";
import { policyWith, verdictOf } from "./_policy.ts";

const DOCS = await Deno.readTextFile(new URL("../../docs/policy.md", import.meta.url));

const quoted = (text = "") => [...text.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? "");

/** Cells of the rows of a table, without its head. */
function rows(markdown: string): string[][] {
  return markdown.split("\n").filter((line) => line.startsWith("| `"))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
}

Deno.test("docs/policy.md says of every pattern what it matches", () => {
  const table = /<!-- patterns[^>]*-->([\s\S]*?)<!-- \/patterns -->/.exec(DOCS)?.[1] ?? "";
  const all = rows(table);
  assert.ok(all.length > 10);
  for (const [rule, covered, others] of all) {
    const [text = ""] = quoted(rule);
    const verdict = text.startsWith("allow") ? "allow" : "deny";
    // Under this preset everything else asks, and a denial shows beside an allowance of everything.
    const policy = verdict === "allow"
      ? policyWith("read-only", [`user ${text}`], { workspace: "/ws" })
      : policyWith("dangerously-full", [`user ${text}`]);
    for (const need of quoted(covered)) assert.equal(verdictOf(policy, need), verdict, `${text}: ${need}`);
    for (const need of quoted(others)) assert.notEqual(verdictOf(policy, need), verdict, `${text}: ${need}`);
  }
});

Deno.test("docs/policy.md says of every preset what it decides", () => {
  const table = DOCS.slice(DOCS.indexOf("| preset |"));
  const needs = ["read=/ws/a", "write=/ws/a", "run=make", "net=example.org", "env=HOME"];
  const shown = rows(table).slice(0, PRESETS.length);
  assert.deepEqual(shown.map(([name]) => quoted(name)[0]), Object.keys(PRESET_RULES));
  for (const [name, ...cells] of shown) {
    const preset = PRESETS.find((one) => one === quoted(name)[0]);
    assert.ok(preset);
    const policy = policyWith(preset);
    const verdicts = needs.map((need) => verdictOf(policy, need));
    assert.deepEqual(verdicts, cells.map((cell) => cell.split(" ").at(-1)), preset);
  }
});
