import assert from "node:assert/strict";
import type { Mandate } from "../../core/domain/policy.ts";
import type { Need } from "../../core/domain/need.ts";
import type { PolicyContext } from "../../core/policy/policy.ts";
import { CALM, grant, need, policyWith, verdictOf } from "./_policy.ts";

const GRAPH = "a".repeat(64);
const BASELINE = { read: ["/usr"], temp: "/tmp/pryx-x/tmp" };

function within(needs: readonly string[], more: Partial<PolicyContext> = {}): PolicyContext {
  const mandate: Mandate = {
    automation: "job.pryx.ts",
    graph: GRAPH,
    needs: needs.map((text) => {
      const [kind = "", ...rest] = text.split("=");
      return { kind: kind as Need["kind"], pattern: rest.join("=") };
    }),
  };
  return { ...CALM, origin: "automation", mandate, ...more };
}

Deno.test("evaluate() denies an automation what its manifest does not declare, whatever allows it", () => {
  const policy = policyWith("dangerously-full", ["flag allow net=example.org", "flag allow read=."]);
  const context = within(["read=src"]);
  assert.equal(verdictOf(policy, "read=/ws/src/a.ts", context), "allow");
  for (
    const other of [
      "read=/ws/a.ts",
      "write=/ws/src/a.ts",
      "net=example.org",
      "run=git log",
      "env=HOME",
      "use=agent",
    ]
  ) {
    assert.equal(verdictOf(policy, other, context), "deny", other);
  }
  const [one] = policy.evaluate([need("net=example.org")], context).judgements;
  assert.equal(one?.reason, "job.pryx.ts does not declare it in its permissions");
});

Deno.test("evaluate() decides what a manifest declares as it would without one", () => {
  const policy = policyWith("workspace", ["user deny run=git push", "user ask read=src/private"]);
  const context = within(["read=.", "write=.", "run=git", "net=*"]);
  assert.equal(verdictOf(policy, "run=git push", context), "deny");
  assert.equal(verdictOf(policy, "run=git log", context), "ask");
  assert.equal(verdictOf(policy, "read=/ws/src/private", context), "ask");
  assert.equal(verdictOf(policy, "read=/ws/.env", context), "deny");
  assert.equal(verdictOf(policy, "write=/ws/a", context), "allow");
  assert.equal(verdictOf(policy, "write=/ws/other.pryx.ts", context), "ask");
});

Deno.test("evaluate() takes a manifest's leave to write for one to read", () => {
  assert.equal(verdictOf(policyWith("workspace"), "read=/ws/out/a", within(["write=out"])), "allow");
});

Deno.test("evaluate() lets a grant for a manifest lift no protection that it happens to cover", () => {
  const policy = policyWith("read-only");
  const given = grant(["write=.", "run=git log"], { graph: GRAPH });
  const context = within(["write=.", "run=git log"], { grants: [given] });
  assert.equal(verdictOf(policy, "write=/ws/a.ts", context), "allow");
  assert.equal(verdictOf(policy, "run=git log", context), "allow");
  for (
    const path of ["pryx.lock", "job.pryx.ts", ".git/hooks/post-commit", ".pryx/config.jsonc", "AGENTS.md"]
  ) {
    assert.equal(verdictOf(policy, `write=/ws/${path}`, context), "ask", path);
  }
  const named = within(["write=pryx.lock"], { grants: [grant(["write=pryx.lock"], { graph: GRAPH })] });
  assert.equal(verdictOf(policy, "write=/ws/pryx.lock", named), "allow");
});

Deno.test("evaluate() denies what cannot be known before it runs, unless the manifest declares all of its kind", () => {
  const policy = policyWith("workspace");
  const opaque: Need = { ...need("run=sh"), opaque: "it is made at run time" };
  const verdict = (needs: readonly string[]) => policy.evaluate([opaque], within(needs)).verdict;
  assert.equal(verdict(["run=git"]), "deny");
  assert.equal(verdict(["run=*"]), "ask");
});

Deno.test("envelope() opens no more than a manifest declares", () => {
  const policy = policyWith("workspace", ["flag allow net=example.org"]);
  const open = (needs: readonly string[]) =>
    policy.envelope([], { baseline: BASELINE, workspace: true, ...within(needs) });
  const some = open(["read=src", "write=out"]);
  assert.equal(some.access("/ws/src/a.ts"), "read");
  assert.equal(some.access("/ws/out/a"), "write");
  assert.equal(some.access("/ws/a"), "none");
  assert.equal(some.access("/tmp/pryx-x/tmp/a"), "write");
  assert.equal(some.network, "none");
  assert.deepEqual(some.write, ["/ws/out"]);
  const none = open([]);
  assert.deepEqual([none.write, none.access("/ws/a"), none.network], [[], "none", "none"]);
  const networked = open(["read=.", "net=example.org"]);
  assert.ok(typeof networked.network === "object");
  assert.deepEqual(networked.network.hosts, ["example.org"]);
  assert.equal(networked.network.allows("example.org", 443), true);
  assert.equal(networked.network.allows("other.example", 443), false);
  assert.equal(open(["read=.", "write=."]).access("/ws/.env"), "none");
});

Deno.test("envelope() has another key for another manifest", () => {
  const policy = policyWith("workspace");
  const key = (needs: readonly string[]) =>
    policy.envelope([], { baseline: BASELINE, workspace: true, ...within(needs) }).key;
  assert.notEqual(key(["read=a"]), key(["read=b"]));
  assert.equal(key(["read=a"]), key(["read=a"]));
  // The same folders are open, and not the same files in them.
  assert.notEqual(key(["read=*.ts"]), key(["read=*.md"]));
});

Deno.test("evaluate() asks about what the sandbox cannot keep away: no manifest could have declared it", () => {
  const reach: Need = { ...need("read=/ws/.env"), reach: "the sandbox cannot hide it here" };
  assert.equal(policyWith("workspace").evaluate([reach], within(["run=git"])).verdict, "ask");
});

Deno.test("evaluate() wants no declaration for what only leads to a command or a folder, unless a rule asks about it", () => {
  const wrapper: Need = { ...need("run=nice"), wrapper: true };
  const enter: Need = { ...need("read=/elsewhere"), enter: true };
  const context = within(["run=git"]);
  const verdict = (one: Need, rules: readonly string[] = []) =>
    policyWith("read-only", rules).evaluate([one], context).verdict;
  assert.deepEqual([verdict(wrapper), verdict(enter)], ["allow", "allow"]);
  assert.equal(verdict(wrapper, ["user ask run=nice"]), "deny");
  assert.equal(verdict(enter, ["user ask read=/elsewhere"]), "deny");
});

Deno.test("evaluate() lifts a protection for who names the file, or means all that it protects", () => {
  const policy = policyWith("workspace");
  const verdict = (pattern: string) =>
    verdictOf(
      policy,
      "write=/ws/sub/job.pryx.ts",
      within([`write=${pattern}`], { grants: [grant([`write=${pattern}`], { graph: GRAPH })] }),
    );
  assert.equal(verdict("sub/job.pryx.ts"), "allow");
  assert.equal(verdict("*.pryx.ts"), "allow");
  assert.equal(verdict("sub/*.ts"), "ask");
});

Deno.test("envelope() opens hosts that a rule allows and a wider pattern of the manifest declares", () => {
  const policy = policyWith("workspace", [
    "flag allow net=api.example.org",
    "flag allow net=*.other.example",
  ]);
  const { network } = policy.envelope([], {
    baseline: BASELINE,
    workspace: true,
    ...within(["net=*.example.org", "net=one.other.example"]),
  });
  assert.ok(typeof network === "object");
  assert.deepEqual(network.hosts, ["api.example.org"]);
});
