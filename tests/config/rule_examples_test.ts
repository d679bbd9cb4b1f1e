import assert from "node:assert/strict";
import { openConfigFile } from "../../core/config/config_file.ts";
import { configJsonSchema } from "../../core/config/schema.ts";
import { Workspace } from "./_workspace.ts";

const ENTRY = {
  rule: "run=git log",
  match: ["git log --oneline"],
  not_match: ["git push", "git -c x=y log"],
  reason: "only looks",
};

Deno.test("loadConfig() reads a rule's examples and reason, each with its line, in every layer's file", async () => {
  await using at = new Workspace();
  const { match: _, reason: __, ...short } = ENTRY;
  at.managedPolicy({ ask: [ENTRY] });
  at.local({ policy: { deny: [short] } });
  at.project({ policy: { deny: ["run=rm", short] } });
  at.user({ profile: "p", policy: { allow: [ENTRY] }, profiles: { p: { policy: { allow: [short] } } } });
  const { rules } = await at.load();
  const found = rules.filter((rule) => rule.examples).map((rule) => ({
    layer: rule.layer,
    reason: rule.reason,
    examples: rule.examples?.map(({ text, matches }) => `${matches ? "+" : "-"} ${text}`),
  }));
  const others = ["- git push", "- git -c x=y log"];
  assert.deepEqual(found, [
    { layer: "managed", reason: "only looks", examples: ["+ git log --oneline", ...others] },
    { layer: "local", reason: undefined, examples: others },
    { layer: "project", reason: undefined, examples: others },
    { layer: "profile", reason: undefined, examples: others },
    { layer: "user", reason: "only looks", examples: ["+ git log --oneline", ...others] },
  ]);
  assert.ok(rules.every((rule) => rule.verdict === "deny" || rule.pattern === "git log"));
  const user = rules.at(-1);
  const lines = Deno.readTextFileSync(at.paths.configFile).split("\n");
  for (const { text, source } of user?.examples ?? []) {
    assert.match(source, /^~\/\.config\/pryx\/config\.jsonc:\d+$/);
    assert.ok(lines[Number(source.split(":").at(-1)) - 1]?.includes(`"${text}"`), source);
  }
});

for (
  const [title, entry, message] of [
    [
      "an unknown key",
      { rule: "run=x", matches: [] },
      /"policy\.deny\[0\]\.matches" is not a known key.*"match"/,
    ],
    ["no rule", { match: ["x"] }, /policy\.deny\[0\]\.rule is missing/],
    ["a rule that is none", { rule: "runs=x" }, /"runs=x" is not kind=target/],
    ["an empty rule", { rule: "" }, /policy\.deny\[0\]\.rule must not be empty/],
    [
      "an example that is no text",
      { rule: "run=x", match: [1] },
      /policy\.deny\[0\]\.match\[0\] must be text/,
    ],
    ["a number", 7, /policy\.deny\[0\] must be text, not a number/],
  ] as const
) {
  Deno.test(`loadConfig() names the place of a rule with ${title}`, async () => {
    await using at = new Workspace();
    const path = at.user({ policy: { deny: [entry] } });
    const { code, message: said } = await at.failure();
    assert.equal(code, "config_invalid");
    assert.match(said, message);
    assert.match(said, new RegExp(`${path.replaceAll(/[.\\/]/g, "\\$&")}:\\d+:\\d+: `));
  });
}

Deno.test("a project's file may not allow by an object either", async () => {
  await using at = new Workspace();
  at.project({ policy: { allow: [ENTRY] } });
  assert.match((await at.failure()).message, /a project may not allow anything/);
});

Deno.test("setText() with add takes a rule with examples as a JSON object, once", async () => {
  await using at = new Workspace();
  const file = openConfigFile(at.paths.configFile);
  for (const _ of [1, 2]) await file.setText("policy.allow", JSON.stringify(ENTRY), { add: true });
  await file.setText("policy.allow", "run=ls", { add: true });
  assert.deepEqual(await file.get("policy.allow"), [ENTRY, "run=ls"]);
  await assert.rejects(file.setText("policy.allow", "{rule", { add: true }), { code: "usage" });
  await assert.rejects(file.setText("policy.allow", '{"rule": "x"}', { add: true }), {
    code: "config_invalid",
  });
});

Deno.test("configJsonSchema() has rules as text or as closed objects", () => {
  const schema = JSON.parse(JSON.stringify(configJsonSchema()));
  const [text, object] = schema.properties.policy.properties.deny.items.anyOf;
  assert.equal(text.type, "string");
  assert.equal(object.additionalProperties, false);
  assert.deepEqual(Object.keys(object.properties), ["rule", "match", "not_match", "reason"]);
});
