import assert from "node:assert/strict";
import { parseRule } from "../../core/policy/rules.ts";
import { describeRule } from "../../core/policy/rules.ts";

const parse = (text: string, verdict: "allow" | "deny" = "allow", layer: "flag" | "user" = "flag") =>
  parseRule(text, { verdict, layer, source: "--allow" });

for (
  const [text, problem] of [
    ["read", /names no target/],
    ["frob=x", /the kind is one of read, write/],
    ["read=", /names no target/],
    ["read=a/{b", /never closed/],
    ["read=a/[b", /never closed/],
    ["read=a\\", /lone/],
    ["read=**/../x", /\.\. after a wildcard/],
    ["read=~root/x", /not ~USER/],
    ["read={a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}", /more than 256/],
    ["run=g*", /cannot have a wildcard/],
    ["run='git", /never closed/],
    ["run==", /names no command/],
    ["net=https://example.org/x", /net=example\.org/],
    ["net=exa*mple.org", /only alone or first/],
    ["net=*.0.0.1", /one by one/],
    ["net=10.0.0.0/8", /range of addresses/],
    ["net=example.org:99999", /not host/],
    ["net=a b", /not host/],
  ] as const
) {
  Deno.test(`parseRule() says what is wrong with ${text}`, () => {
    const result = parse(text);
    assert.equal(typeof result, "string");
    assert.match(String(result), problem);
  });
}

Deno.test("parseRule() marks what a person typed for this run by name as holding under taint", () => {
  const untrusted = (text: string, verdict: "allow" | "deny" = "allow", layer: "flag" | "user" = "flag") => {
    const rule = parse(text, verdict, layer);
    return typeof rule === "string" ? rule : rule.untrusted ?? false;
  };
  assert.equal(untrusted("net=example.org"), true);
  assert.equal(untrusted("net=example.org:443"), true);
  assert.equal(untrusted("write=/out/a"), true);
  assert.equal(untrusted("net=*"), false);
  assert.equal(untrusted("net=*.example.org"), false);
  assert.equal(untrusted("write=/out/*"), false);
  assert.equal(untrusted("read=/out"), false);
  assert.equal(untrusted("net=example.org", "deny"), false);
  assert.equal(untrusted("net=example.org", "allow", "user"), false);
});

Deno.test("describeRule() names verdict, target and place", () => {
  const rule = parse("run=git log");
  assert.ok(typeof rule !== "string");
  assert.equal(describeRule(rule), "allow run=git log (--allow)");
});
