import assert from "node:assert/strict";
import fc from "fast-check";
import {
  broadReason,
  describeChanges,
  describePermission,
  diffPermissions,
  lockState,
} from "../../core/automation/capabilities.ts";
import { API_VERSION, type LinkedGraph, type Permissions } from "../../core/domain/automation.ts";
import { NEED_KINDS, type NeedKind } from "../../core/domain/need.ts";

function graph(permissions: Permissions | undefined, hash = "a"): LinkedGraph {
  return {
    file: "/p/job.pryx.ts",
    root: "/p",
    entry: "job.pryx.ts",
    modules: [],
    hash,
    permissions,
    test: false,
  };
}

Deno.test("describeChanges() reads like a review", () => {
  const changes = diffPermissions(
    { read: ["."], run: ["git log"], use: ["agent"] },
    {
      write: ["src/**"],
      run: ["git push", "=git log"],
      net: ["api.example.org", "*.npmjs.org"],
      use: ["secret/GH"],
      read: ["."],
    },
  );
  assert.deepEqual(describeChanges(changes, "job.pryx.ts"), [
    "job.pryx.ts may now write src/**",
    "job.pryx.ts may now reach any host below npmjs.org",
    "job.pryx.ts may now reach api.example.org",
    "job.pryx.ts may now run exactly `git log`",
    "job.pryx.ts may now run any `git push …`",
    "job.pryx.ts may now send the secret GH",
    "job.pryx.ts may no longer run any `git log …`",
    "job.pryx.ts may no longer ask the agent",
  ]);
});

Deno.test("describeChanges() says what is broad, of what was added alone", () => {
  const wide: Permissions = { run: ["*"], net: ["*"], write: ["."], read: ["~/**"], env: ["*"] };
  const added = describeChanges(diffPermissions(undefined, wide), "x");
  assert.deepEqual(added, [
    "x may now read ~/** (broad: far beyond the project)",
    "x may now write every file of the project (broad: its own code and that of others too)",
    "x may now reach any public host (broad: what it reads can be sent anywhere)",
    "x may now run any command (broad: it can do whatever you can)",
    "x may now read every environment variable (broad: keys and tokens are kept there)",
  ]);
  assert.ok(describeChanges(diffPermissions(wide, {}), "x").every((line) => !line.includes("broad")));
});

Deno.test("broadReason() knows wide patterns from narrow ones", () => {
  const broad: readonly (readonly [NeedKind, string])[] = [
    ["run", "**"],
    ["run", "bash"],
    ["run", "/usr/bin/env"],
    ["run", "sudo"],
    ["run", "node"],
    ["run", "=*"],
    ["net", "**"],
    ["net", "unix"],
    ["net", "*.com"],
    ["write", "./"],
    ["write", "**"],
    ["write", "./**"],
    ["write", "**/*"],
    ["write", "~"],
    ["write", "/"],
    ["write", "/home/me"],
    ["read", "/"],
    ["read", "/**"],
    ["read", "~"],
    ["read", "/root"],
    ["read", "/etc/**"],
    ["read", "$HOME"],
    ["read", ".."],
    ["read", "../.."],
    ["read", "../**"],
    ["use", "*"],
    ["use", "secret/*"],
  ];
  for (const [kind, pattern] of broad) assert.ok(broadReason(kind, pattern), `${kind}=${pattern}`);
  const narrow: readonly (readonly [NeedKind, string])[] = [
    ["run", "git log"],
    ["run", "bash scripts/x.sh"],
    ["run", "=bash"],
    ["run", "npm test"],
    ["net", "api.github.com"],
    ["net", "*.example.org"],
    ["write", "src/**"],
    ["write", "CHANGELOG.md"],
    ["read", "."],
    ["read", "**"],
    ["read", "~/notes.md"],
    ["read", "/etc/hosts"],
    ["read", "../other/x.md"],
    ["read", "a"],
    ["env", "HOME"],
    ["use", "agent"],
    ["use", "mcp/*"],
  ];
  for (const [kind, pattern] of narrow) {
    assert.equal(broadReason(kind, pattern), undefined, `${kind}=${pattern}`);
  }
});

Deno.test("describePermission() shows nothing that a terminal would obey", () => {
  for (const kind of NEED_KINDS) {
    const text = describePermission(kind, "a\u001b[2J\u202eb");
    assert.match(text, /a\\u\{1b\}\[2J\\u\{202e\}b/, kind);
  }
  assert.equal(describePermission("use", "mcp/github/list"), "call list of the MCP server github");
  assert.equal(describePermission("use", "mcp/github"), "call every tool of the MCP server github");
  assert.equal(describePermission("use", "channel/ops"), "write to the channel ops");
  assert.equal(describePermission("env", "CI"), "read the environment variable CI");
  assert.equal(
    describePermission("net", "**"),
    "reach the whole network, this machine's own services included",
  );
});

Deno.test("lockState() says what weighs most", () => {
  const permissions = { read: ["."] };
  const entry = { graph: "a", permissions, api: API_VERSION };
  assert.deepEqual(lockState(graph(permissions), entry), { kind: "same" });
  assert.deepEqual(lockState(graph(permissions), undefined), { kind: "new" });
  assert.deepEqual(lockState(graph(permissions, "b"), entry), { kind: "code", locked: "a", now: "b" });
  assert.deepEqual(lockState(graph(permissions, "b"), { ...entry, api: 99 }), {
    kind: "api",
    locked: 99,
    now: API_VERSION,
  });
  assert.deepEqual(lockState(graph(undefined, "b"), { ...entry, api: 99 }), {
    kind: "capabilities",
    changes: [{ change: "removed", kind: "read", pattern: "." }],
  });
  assert.deepEqual(lockState(graph(undefined), { ...entry, permissions: {} }), { kind: "same" });
});

Deno.test("diffPermissions() turns one manifest into the other", () => {
  const pattern = fc.constantFrom("a", "b", "c", "*");
  const manifest = fc.dictionary(fc.constantFrom(...NEED_KINDS), fc.uniqueArray(pattern)) as fc.Arbitrary<
    Permissions
  >;
  const flat = (one: Permissions) =>
    new Set(NEED_KINDS.flatMap((kind) => (one[kind] ?? []).map((each) => `${kind}=${each}`)));
  fc.assert(fc.property(manifest, manifest, (before, after) => {
    const now = flat(before);
    for (const { change, kind, pattern } of diffPermissions(before, after)) {
      const need = `${kind}=${pattern}`;
      assert.equal(now.has(need), change === "removed");
      if (change === "added") now.add(need);
      else now.delete(need);
    }
    assert.deepEqual([...now].sort(), [...flat(after)].sort());
    assert.deepEqual(diffPermissions(after, after), []);
  }));
});
