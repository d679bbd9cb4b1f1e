import assert from "node:assert/strict";
import picomatch from "picomatch";
import type { Need } from "../../core/domain/need.ts";
import { CALM, need, policyWith } from "./_policy.ts";

const roots = (policy: ReturnType<typeof policyWith>, ...texts: string[]) => policy.roots(texts.map(need));

/** As the sandbox reads an entry: a path covers what is below it, a glob is one of picomatch. */
function isDenied(denied: readonly string[], path: string): boolean {
  return denied.some((entry) =>
    path === entry || path.startsWith(`${entry}/`) || picomatch.isMatch(path, entry, { dot: true })
  );
}

Deno.test("expand() opens the whole workspace for a file that the preset allows, and closes secrets in it", () => {
  const { read, write, denied } = roots(policyWith("workspace"), "read=/ws/src/a.ts");
  assert.deepEqual([read, write], [["/ws"], []]);
  for (
    const path of ["/ws/.env", "/ws/a/.env.local", "/ws/.env/x", "/ws/id_rsa", "/ws/k/a.pem", "/ws/a/.netrc"]
  ) {
    assert.ok(isDenied(denied, path), path);
  }
  for (const path of ["/ws/src/a.ts", "/ws", "/ws/AGENTS.md", "/ws/envs"]) {
    assert.ok(!isDenied(denied, path), path);
  }
});

Deno.test("expand() closes protected files in a writable root", () => {
  const { write, denied } = roots(policyWith("workspace"), "write=/ws/src/a.ts");
  assert.deepEqual(write, ["/ws"]);
  for (
    const path of [
      "/ws/AGENTS.md",
      "/ws/sub/CLAUDE.md",
      "/ws/.git/hooks/x",
      "/ws/.pryx/c",
      "/ws/a.pryx.ts",
      "/ws/.env",
    ]
  ) {
    assert.ok(isDenied(denied, path), path);
  }
  assert.ok(!isDenied(denied, "/ws/.git/HEAD"));
});

Deno.test("expand() opens exactly a path that no folder rule allows", () => {
  const policy = policyWith("read-only");
  assert.deepEqual(roots(policy, "read=/etc/hosts").read, ["/etc/hosts"]);
  assert.deepEqual(roots(policy, "write=/ws/a").write, ["/ws/a"]);
  const folder = roots(policy, "read=/home/u");
  assert.deepEqual(folder.read, ["/home/u"]);
  assert.ok(isDenied(folder.denied, "/home/u/.ssh/id_rsa"));
  assert.ok(isDenied(folder.denied, "/home/u/.config/pryx/config.jsonc"));
  assert.ok(isDenied(folder.denied, "/home/u/.config/google-chrome/x"));
});

Deno.test("expand() opens exactly the path of a need that an entry would close", () => {
  const lifted = policyWith("workspace", ["flag allow read=.env"]);
  assert.equal(lifted.evaluate([need("read=/ws/.env")], CALM).verdict, "allow");
  for (
    const [policy, path] of [
      [lifted, "/ws/.env"],
      [policyWith("workspace"), "/ws/.env.example"],
      [policyWith("workspace", ["user ask read=private"]), "/ws/private/a"],
      [policyWith("workspace"), "/home/u/.local/state/pryx/outputs/x"],
    ] as const
  ) {
    const { read, denied } = roots(policy, `read=${path}`);
    assert.ok(read.length === 1 && (read[0] === path || path.startsWith(`${read[0]}/`)), `${read}`);
    assert.notEqual(read[0], "/ws");
    assert.ok(!isDenied(denied, path), path);
  }
  const agents = roots(policyWith("workspace"), "write=/ws/AGENTS.md");
  assert.deepEqual(agents.write, ["/ws/AGENTS.md"]);
  assert.ok(!isDenied(agents.denied, "/ws/AGENTS.md"));
});

Deno.test("expand() closes what a rule of the same or a stronger layer asks about, not what it overrules", () => {
  const asked = roots(policyWith("workspace", ["user ask read=private"]), "read=/ws/a");
  assert.ok(isDenied(asked.denied, "/ws/private/x"));
  const overruled = roots(
    policyWith("workspace", ["user ask read=private", "flag allow read=."]),
    "read=/ws/a",
  );
  assert.ok(!isDenied(overruled.denied, "/ws/private/x"));
  const denied = roots(
    policyWith("workspace", ["user deny read=private", "flag allow read=."]),
    "read=/ws/a",
  );
  assert.ok(isDenied(denied.denied, "/ws/private/x"));
});

Deno.test("expand() opens the workspace where the preset allows everything", () => {
  const { read, denied } = roots(policyWith("dangerously-full"), "read=/ws/a", "read=/ws/b");
  assert.deepEqual(read, ["/ws"]);
  assert.ok(isDenied(denied, "/ws/.env"));
  assert.deepEqual(roots(policyWith("dangerously-full"), "read=/etc/hosts").read, ["/etc/hosts"]);
});

Deno.test("expand() joins roots, leaves out those inside others, and knows only files", () => {
  const { read, write } = roots(
    policyWith("workspace"),
    "read=/ws",
    "read=/ws/a",
    "read=/b",
    "net=a.b",
    "run=ls",
  );
  assert.deepEqual([read, write], [["/b", "/ws"], []]);
});

Deno.test("expand() escapes the names in its globs", () => {
  const policy = policyWith("workspace", ["user deny read=./x[!a]*"], { workspace: "/a[b] (c)'d" });
  const { read, denied } = policy.roots([{ kind: "read", target: "/a[b] (c)'d/f" }]);
  assert.deepEqual(read, ["/a[b] (c)'d"]);
  assert.ok(isDenied(denied, "/a[b] (c)'d/sub/.env"));
  assert.ok(isDenied(denied, "/a[b] (c)'d/xb"));
  assert.ok(!isDenied(denied, "/a[b] (c)'d/xa"));
});

Deno.test("expand() never opens a path that a rule denies", () => {
  const policy = policyWith("workspace", [
    "user deny read=private",
    "user allow read=/out",
    "user deny write=/out/ro",
  ]);
  for (const target of ["/ws/a", "/ws", "/out", "/out/x", "/", "/ws/sub"]) {
    for (const kind of ["read", "write"] as const) {
      const { read, write, denied } = policy.roots([{ kind, target } satisfies Need]);
      for (const path of ["/ws/private/x", "/ws/.env", "/out/ro/x", "/home/u/.ssh/id", "/opt/pryx/x"]) {
        const open = (kind === "read" ? read : write).some((root) =>
          root === "/" || path === root || path.startsWith(`${root}/`)
        );
        if (!open || isDenied(denied, path)) continue;
        assert.notEqual(
          policy.evaluate([{ kind, target: path }], CALM).verdict,
          "deny",
          `${kind} ${target}: ${path}`,
        );
      }
    }
  }
});

Deno.test("isSecret() is true for secrets, pryx's own files and what is no path", () => {
  const policy = policyWith("dangerously-full", ["flag allow read=.env"]);
  for (const path of ["/ws/.env", "/home/u/.ssh/x", "/opt/pryx/pryx", "relative"]) {
    assert.ok(policy.isSecret(path), path);
  }
  for (const path of ["/ws/a", "/ws/.env.example", "/home/u/x"]) assert.ok(!policy.isSecret(path), path);
});

Deno.test("expand() keeps a denied path closed that was allowed all the same", () => {
  const policy = policyWith("workspace", ["user deny read=*.sql"]);
  for (
    const path of ["/ws/.env", "/ws/a/dump.sql", "/home/u/.ssh/id_rsa", "/home/u/.config/pryx/config.jsonc"]
  ) {
    for (const kind of ["read", "write"]) {
      const { read, write, denied } = roots(policy, `${kind}=${path}`);
      assert.ok([...read, ...write].some((root) => path === root || path.startsWith(`${root}/`)), path);
      assert.ok(isDenied(denied, path), `${kind}=${path}`);
    }
  }
});

Deno.test("expand() opens nothing for what is only within reach, or only changed to", () => {
  const roots = policyWith("workspace").roots([
    { kind: "read", target: "/srv", enter: true },
    { kind: "write", target: "/srv/x", reach: "it cannot be closed" },
  ]);
  assert.deepEqual([roots.read, roots.write], [[], []]);
});
