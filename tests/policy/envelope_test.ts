import assert from "node:assert/strict";
import type { Envelope } from "../../core/domain/envelope.ts";
import type { Need } from "../../core/domain/need.ts";
import type { Policy, PolicyContext } from "../../core/policy/policy.ts";
import { CALM, grant, need, policyWith, TAINTED } from "./_policy.ts";

const BASELINE = { read: ["/usr", "/etc", "/home/u/.cargo"], temp: "/tmp/pryx-x/tmp" };

/** Outputs that were kept may be read on. */
const OUTPUTS = "/home/u/.local/state/pryx/outputs";

function envelopeOf(
  policy: Policy,
  needs: readonly (string | Need)[] = [],
  more: Partial<PolicyContext & { workspace: boolean }> = {},
): Envelope {
  const all = needs.map((one) => typeof one === "string" ? need(one) : one);
  return policy.envelope(all, { baseline: BASELINE, workspace: true, ...CALM, ...more });
}

function hostsOf({ network }: Envelope): readonly string[] | string {
  return typeof network === "string" ? network : network.hosts;
}

Deno.test("envelope() opens the workspace as the preset does", () => {
  const readOnly = envelopeOf(policyWith("read-only"));
  assert.deepEqual([readOnly.read, readOnly.write], [["/ws", OUTPUTS], []]);
  assert.equal(readOnly.access("/ws/a.ts"), "read");
  const writing = envelopeOf(policyWith("workspace"));
  assert.deepEqual(writing.write, ["/ws"]);
  assert.equal(writing.access("/ws/a.ts"), "write");
  for (const one of [readOnly, writing]) {
    assert.equal(one.access("/home/u/notes"), "none");
    assert.equal(one.access("/ws2/a"), "none");
    assert.equal(one.access("/tmp/pryx-x/tmp/a"), "write");
    assert.equal(one.access("/tmp/a"), "none");
    assert.equal(one.network, "none");
    assert.equal(one.unixSockets, false);
  }
});

Deno.test("envelope() keeps secret and protected files closed inside what is open", () => {
  const one = envelopeOf(policyWith("workspace"));
  assert.equal(one.access("/ws/.env"), "none");
  assert.equal(one.access("/ws/deep/in/.env.local"), "none");
  assert.equal(one.access("/ws/.env.example"), "write");
  assert.equal(one.access("/ws/.git/config"), "read");
  assert.equal(one.access("/ws/.git/hooks/pre-commit"), "read");
  assert.equal(one.access("/ws/.git/index"), "write");
  assert.equal(one.access("/ws/AGENTS.md"), "read");
});

Deno.test("envelope() opens a secret file that a person's rule names, and no other", () => {
  const one = envelopeOf(policyWith("read-only", ["flag allow read=.env"]));
  assert.equal(one.access("/ws/.env"), "read");
  assert.equal(one.access("/ws/a/.env"), "none");
});

Deno.test("envelope() opens what was decided for the call, but never what is denied", () => {
  const policy = policyWith("read-only", ["user deny write=/data/keep"]);
  const one = envelopeOf(policy, ["write=/data", "read=/home/u/x", "read=/ws/.env", "write=/home/u/.ssh/a"]);
  assert.equal(one.access("/data/new"), "write");
  assert.equal(one.access("/data/keep/a"), "read");
  assert.equal(one.access("/home/u/x"), "read");
  assert.equal(one.access("/ws/.env"), "none");
  assert.equal(one.access("/home/u/.ssh/a"), "none");
});

Deno.test("envelope() closes in the system only what is closed at its place", () => {
  const one = envelopeOf(policyWith("read-only", ["user ask read=/etc/app", "user deny read=*.conf"]));
  assert.equal(one.access("/usr/bin/env"), "read");
  assert.equal(one.access("/etc/ssl/certs/ca.pem"), "read");
  assert.equal(one.access("/etc/resolv.conf"), "read");
  assert.equal(one.access("/etc/shadow"), "none");
  assert.equal(one.access("/etc/app/x"), "none");
  assert.equal(one.access("/home/u/.cargo/credentials.toml"), "none");
  assert.ok(one.closed.some((entry) => entry.startsWith("/etc/{shadow")));
  assert.ok(!one.closed.some((entry) => entry.startsWith("**") || entry.includes(".env")));
});

Deno.test("envelope() lets the workspace's rules speak when it lies in the system", () => {
  const policy = policyWith("workspace", ["user ask read=*.sql"], { workspace: "/usr/src/app" });
  const one = envelopeOf(policy);
  assert.equal(one.access("/usr/src/app/.env"), "none");
  assert.equal(one.access("/usr/src/app/a.sql"), "none");
  assert.equal(one.access("/usr/src/app/a.ts"), "write");
  assert.equal(one.access("/usr/src/other/a.sql"), "read");
});

Deno.test("envelope() gives a tool that is no shell its needs alone", () => {
  const policy = policyWith("workspace", ["flag allow net=example.org"]);
  const one = envelopeOf(policy, ["read=/ws/src"], { workspace: false });
  assert.deepEqual([one.read, one.write, one.network], [["/ws/src"], [], "none"]);
  assert.equal(one.access("/ws/src/a"), "read");
  assert.equal(one.access("/ws/src/.env"), "none");
  assert.equal(one.access("/ws/other"), "none");
});

Deno.test("envelope() opens folders that rules and grants name", () => {
  const policy = policyWith("read-only", ["flag allow write=dist", "user allow read=/data"]);
  const one = envelopeOf(policy, [], { grants: [grant(["write=/ws/out"])] });
  assert.equal(one.access("/ws/dist/a"), "write");
  assert.equal(one.access("/data/a"), "read");
  assert.equal(one.access("/ws/out/a"), "write");
  assert.equal(one.access("/ws/src/a"), "read");
});

Deno.test("envelope() reads the program that was allowed to run", () => {
  const run: Need = { kind: "run", target: "~/bin/x", argv: ["~/bin/x"], executable: "/home/u/bin/x" };
  const one = envelopeOf(policyWith("read-only"), [run]);
  assert.equal(one.access("/home/u/bin/x"), "read");
  assert.equal(one.access("/home/u/bin/y"), "none");
});

Deno.test("envelope() lets nothing outside be written under taint", () => {
  const policy = policyWith("workspace", ["user allow write=/data/*", "user allow write=/data"]);
  assert.equal(envelopeOf(policy).access("/data/a"), "write");
  const tainted = envelopeOf(policy, [], TAINTED);
  assert.equal(tainted.access("/data/a"), "read");
  assert.equal(tainted.access("/ws/a"), "write");
});

Deno.test("envelope() opens hosts, one by one", () => {
  const one = envelopeOf(
    policyWith("workspace", ["user allow net=*.example.org", "user deny net=bad.example.org"]),
    [
      "net=api.test:443",
    ],
  );
  assert.deepEqual(hostsOf(one), ["api.test:443", "*.example.org"]);
  const { network } = one;
  assert.ok(typeof network === "object");
  assert.ok(network.allows("a.example.org", 80));
  assert.ok(network.allows("api.test", 443));
  assert.ok(!network.allows("api.test", 80));
  assert.ok(!network.allows("bad.example.org", 443));
  assert.ok(!network.allows("example.com", 443));
  assert.ok(!network.allows("127.0.0.1", 443));
  assert.ok(!network.allows("::1", 443));
});

Deno.test("envelope() opens no denied host, whatever was decided, and none that only rules name for a tool that is no shell", () => {
  const rules = ["user allow net=a.test", "user deny net=bad.example.org"];
  const decided = envelopeOf(policyWith("workspace", rules), ["net=*.example.org"]).network;
  assert.ok(typeof decided === "object");
  assert.ok(decided.allows("good.example.org", 443) && decided.allows("a.test", 443));
  assert.ok(!decided.allows("bad.example.org", 443));
  const tool = envelopeOf(policyWith("workspace", rules), ["net=b.test"], { workspace: false }).network;
  assert.ok(typeof tool === "object");
  assert.ok(tool.allows("b.test", 443));
  assert.ok(!tool.allows("a.test", 443));
});

Deno.test("envelope() keeps private addresses out of net=*, and net=** is everything", () => {
  const { network } = envelopeOf(policyWith("workspace", ["flag allow net=*"]));
  assert.ok(typeof network === "object");
  assert.ok(network.allows("example.com", 443));
  assert.ok(!network.allows("10.0.0.1", 443));
  assert.ok(!network.allows("localhost", 80));
  const local = envelopeOf(policyWith("workspace"), ["net=[::1]:8080", "net=127.0.0.1:80"]).network;
  assert.ok(typeof local === "object");
  assert.ok(local.allows("::1", 8080) && local.allows("127.0.0.1", 80));
  assert.ok(!local.allows("::1", 80));
  assert.equal(hostsOf(envelopeOf(policyWith("workspace", ["flag allow net=**"]))), "all");
  assert.equal(hostsOf(envelopeOf(policyWith("workspace"), ["net=**"])), "all");
});

Deno.test("envelope() leaves hosts out under taint that were not meant for it", () => {
  const policy = policyWith("workspace", ["user allow net=a.test", "flag allow net=b.test"]);
  const { network } = envelopeOf(policy, [], TAINTED);
  assert.deepEqual(typeof network === "object" && network.hosts, ["b.test"]);
  const before = { ...TAINTED, grants: [grant(["net=c.test"])] };
  const meant = { ...TAINTED, grants: [grant(["net=c.test"], { untrusted: true })] };
  assert.equal(hostsOf(envelopeOf(policyWith("workspace"), [], before)), "none");
  assert.deepEqual(hostsOf(envelopeOf(policyWith("workspace"), [], meant)), ["c.test"]);
});

Deno.test("envelope() has another key when access() may answer otherwise", () => {
  const policy = policyWith("workspace");
  const given = grant(["write=/ws/AGENTS.md"]);
  const contexts: readonly Partial<PolicyContext>[] = [
    {},
    TAINTED,
    { grants: [given] },
    { grants: [{ ...given, usesLeft: 0 }] },
  ];
  const keys = contexts.map((context) => envelopeOf(policy, [], context).key);
  assert.equal(new Set(keys).size, contexts.length);
  assert.equal(envelopeOf(policy, [], { grants: [given] }).access("/ws/AGENTS.md"), "write");
  assert.equal(envelopeOf(policy, [], {}).key, keys[0]);
});

Deno.test("envelope() opens Unix sockets only where they are named", () => {
  assert.equal(envelopeOf(policyWith("workspace", ["flag allow net=*"])).unixSockets, false);
  assert.equal(envelopeOf(policyWith("workspace", ["flag allow net=**"])).unixSockets, false);
  assert.equal(envelopeOf(policyWith("workspace", ["flag allow net=unix"])).unixSockets, true);
  assert.equal(envelopeOf(policyWith("workspace"), ["net=unix"]).unixSockets, true);
});

Deno.test("envelope() is everything but secrets under dangerously-full", () => {
  const one = envelopeOf(policyWith("dangerously-full"));
  assert.deepEqual(one.write, ["/", "/ws"]);
  assert.equal(one.access("/srv/x"), "write");
  assert.equal(one.access("/home/u/.ssh/id_rsa"), "none");
  assert.equal(one.access("/ws/.env"), "none");
  assert.equal(one.access("/home/u/.config/pryx/config.jsonc"), "none");
  assert.equal(one.network, "all");
  assert.equal(one.unixSockets, true);
});

Deno.test("a need within reach asks where a need of the command would be denied", () => {
  const policy = policyWith("workspace", ["user deny read=/ws/mine"]);
  const reach = (target: string): Need => ({ kind: "read", target, reach: "it cannot be closed here" });
  const judged = (target: string) => policy.evaluate([reach(target)], CALM).judgements[0];
  assert.equal(policy.evaluate([need("read=/ws/.env")], CALM).verdict, "deny");
  assert.equal(judged("/ws/.env")?.verdict, "ask");
  assert.match(judged("/ws/.env")?.reason ?? "", /it cannot be closed here/);
  assert.equal(judged("/ws/.env")?.onceOnly, undefined);
  assert.equal(judged("/ws/mine")?.onceOnly, true);
  const named = policyWith("workspace", ["flag allow read=.env"]);
  assert.equal(named.evaluate([reach("/ws/.env")], CALM).verdict, "allow");
  assert.equal(policyWith("dangerously-full").evaluate([reach("/ws/.env")], CALM).verdict, "allow");
});

Deno.test("an open folder in which not everything can be closed asks, until it is named", () => {
  const whole: Need = { kind: "write", target: "/ws", reach: "too many closed files" };
  const verdict = (policy: ReturnType<typeof policyWith>) => policy.evaluate([whole], CALM).verdict;
  assert.equal(verdict(policyWith("workspace")), "ask");
  assert.equal(verdict(policyWith("workspace", ["flag allow write=/ws"])), "allow");
  assert.equal(verdict(policyWith("dangerously-full")), "allow");
});

Deno.test("a need within reach opens nothing by itself", () => {
  const one = envelopeOf(policyWith("workspace"), [{
    kind: "read",
    target: "/ws/.env",
    reach: "cannot be closed",
  }]);
  assert.equal(one.access("/ws/.env"), "none");
});

Deno.test("net=** asks when a host is denied, which it would reach", () => {
  const policy = policyWith("workspace", ["flag allow net=**", "user deny net=evil.test"]);
  assert.equal(policy.evaluate([need("net=**")], CALM).verdict, "ask");
  assert.equal(policy.evaluate([need("net=evil.test")], CALM).verdict, "deny");
  assert.equal(policyWith("workspace", ["flag allow net=*"]).evaluate([need("net=**")], CALM).verdict, "ask");
  assert.equal(
    policyWith("workspace", ["flag allow net=**"]).evaluate([need("net=**")], CALM).verdict,
    "allow",
  );
});

Deno.test("envelope() has one key for commands that are open alike, another where anything differs", () => {
  const policy = policyWith("workspace");
  const ls: Need = { kind: "run", target: "ls", argv: ["ls"], executable: "/usr/bin/ls" };
  const key = envelopeOf(policy).key;
  assert.equal(envelopeOf(policy, [ls, "read=/ws/a", "write=/ws/out"]).key, key);
  assert.notEqual(envelopeOf(policy, ["read=/data"]).key, key);
  assert.notEqual(envelopeOf(policy, [], TAINTED).key, key);
  assert.notEqual(envelopeOf(policy, [], { grants: [grant(["read=/data"])] }).key, key);
  assert.notEqual(envelopeOf(policyWith("workspace")).key, key);
});

Deno.test("envelope() opens nothing of a folder that the shell only changes to", () => {
  const one = envelopeOf(policyWith("workspace"), [{ kind: "read", target: "/srv", enter: true }]);
  assert.equal(one.access("/srv/a"), "none");
});
