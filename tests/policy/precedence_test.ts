import assert from "node:assert/strict";
import fc from "fast-check";
import { type Need, NEED_KINDS } from "../../core/domain/need.ts";
import { LAYERS, PRESETS, type Rule } from "../../core/domain/policy.ts";
import { createPolicy } from "../../core/policy/create_policy.ts";
import type { Policy, PolicyContext } from "../../core/policy/policy.ts";
import { patternProblem } from "../../core/policy/rules.ts";
import { CALM, grant } from "./_policy.ts";

const PATTERNS: Readonly<Record<Need["kind"], readonly string[]>> = {
  read: [".", "src", "src/a.ts", "*.ts", "**/src", "/out", "/**", "*", ".env", "src/*", "~/x"],
  write: [".", "src", "src/a.ts", "*.ts", "**/src", "/out", "/**", "*", "AGENTS.md", ".env"],
  net: ["*", "example.org", "*.example.org", "example.org:443", "127.0.0.1"],
  run: ["*", "git", "git log", "=git log", "git * -p", "/usr/bin/git", "./x.sh"],
  env: ["*", "HOME", "H*"],
  use: ["*", "agent", "mcp/a", "mcp/*/b"],
};

const TARGETS: Readonly<Record<Need["kind"], readonly string[]>> = {
  read: ["/ws", "/ws/src/a.ts", "/ws/b/src/c", "/out/a", "/ws/.env", "/home/u/x", "/etc/x"],
  write: ["/ws/src/a.ts", "/ws/b/src/c", "/out/a", "/ws/AGENTS.md", "/ws/.env", "/etc/x"],
  net: ["example.org", "a.example.org:443", "example.org:443", "127.0.0.1", "localhost"],
  run: ["git", "git log", "git log -p", "ls", "./x.sh"],
  env: ["HOME", "PATH"],
  use: ["agent", "mcp/a/b", "mcp/c/b"],
};

const kind = fc.constantFrom(...NEED_KINDS);

const rule: fc.Arbitrary<Rule> = kind.chain((kind) =>
  fc.record({
    kind: fc.constant(kind),
    pattern: fc.constantFrom(...PATTERNS[kind]),
    verdict: fc.constantFrom("allow", "ask", "deny"),
    layer: fc.constantFrom(...LAYERS.filter((layer) => layer !== "preset")),
    source: fc.constantFrom("one", "two"),
    // What a rule says counts, not what it inherits from.
  }, { noNullPrototype: true })
);
const rules = fc.array(rule, { maxLength: 8 });

const need: fc.Arbitrary<Need> = kind.chain((kind) =>
  fc.record({ kind: fc.constant(kind), target: fc.constantFrom(...TARGETS[kind]) }).chain((one) =>
    fc.constantFrom<Need>(
      one,
      kind === "run" ? { ...one, argv: one.target.split(" "), executable: "/usr/bin/git" } : one,
      { ...one, opaque: "a variable" },
    )
  )
);
const preset = fc.constantFrom(...PRESETS);
const context: fc.Arbitrary<PolicyContext> = fc.record({
  origin: fc.constantFrom("model", "human", "automation", "mcp", "channel"),
  taint: fc.constantFrom<readonly string[]>([], ["https://evil.example"]),
  grants: fc.array(
    kind.chain((kind) =>
      fc.record({ pattern: fc.constantFrom(...PATTERNS[kind]), untrusted: fc.boolean() })
        .map(({ pattern, untrusted }) => grant([`${kind}=${pattern}`], { untrusted }))
    ),
    { maxLength: 3 },
  ),
});

function policyOf(name: (typeof PRESETS)[number], rules: readonly Rule[]): Policy {
  return createPolicy({
    preset: name,
    workspace: "/ws",
    home: "/home/u",
    rules,
    protectedPaths: ["/home/u/.config/pryx"],
    networkAllowlist: ["example.org"],
    ignoreCase: false,
  });
}

const SEVERITY = { allow: 0, ask: 1, deny: 2 };
const check = (property: fc.IProperty<never> | fc.IPropertyWithHooks<never>) =>
  fc.assert(property, { numRuns: 400 });

/** fast-check's types of a property name its tuple; the tests below only run them. */
function holds<T extends [unknown, ...unknown[]]>(property: fc.IPropertyWithHooks<T>): void {
  check(property as unknown as fc.IPropertyWithHooks<never>);
}

Deno.test("evaluate() denies when any layer denies, whatever else there is", () => {
  holds(fc.property(preset, rules, need, context, rules, (name, some, one, ctx, more) => {
    const before = policyOf(name, some).evaluate([one], ctx).judgements[0];
    const denied = before?.matched.some((rule) => rule.verdict === "deny" && rule.guard !== "secret");
    if (denied) assert.equal(before?.verdict, "deny");
    // More rules never take back a deny of a rule that is not a preset's about secrets.
    if (denied) assert.equal(policyOf(name, [...some, ...more]).evaluate([one], ctx).verdict, "deny");
  }));
});

Deno.test("evaluate() gives a deny rule that covers the need the last word", () => {
  holds(
    fc.property(
      preset,
      rules,
      kind,
      fc.constantFrom(...LAYERS.slice(0, -1)),
      context,
      (name, some, kind, layer, ctx) => {
        const all = kind === "read" || kind === "write" ? "/**" : "*";
        const deny: Rule = { verdict: "deny", kind, pattern: all, layer, source: "x" };
        for (const target of TARGETS[kind]) {
          assert.equal(
            policyOf(name, [...some, deny]).evaluate([{ kind, target }], ctx).verdict,
            "deny",
            target,
          );
        }
      },
    ),
  );
});

Deno.test("evaluate() never lets a grant beat a deny, and lets grants only turn ask into allow", () => {
  holds(fc.property(preset, rules, need, context, (name, some, one, ctx) => {
    const policy = policyOf(name, some);
    const without = policy.evaluate([one], { ...ctx, grants: [] }).verdict;
    const withGrants = policy.evaluate([one], ctx).verdict;
    if (without === "ask") assert.notEqual(withGrants, "deny");
    else assert.equal(withGrants, without);
  }));
});

Deno.test("evaluate() keeps a stronger layer's ask when a weaker layer allows", () => {
  holds(fc.property(preset, rules, need, fc.integer({ min: 0, max: 5 }), (name, some, one, at) => {
    const policy = policyOf(name, some);
    const before = policy.evaluate([one], CALM).judgements[0];
    if (before?.verdict !== "ask" || before.rule?.verdict !== "ask") return;
    const strength = LAYERS.indexOf(before.rule.layer);
    const weaker = LAYERS.slice(strength + 1, -1)[at];
    if (weaker === undefined) return;
    const more = PATTERNS[one.kind].map((pattern): Rule => ({
      verdict: "allow",
      kind: one.kind,
      pattern,
      layer: weaker,
      source: "weaker",
    }));
    // A secret's denial may be lifted by a name, an ask that decided may not.
    assert.equal(policyOf(name, [...some, ...more]).evaluate([one], CALM).verdict, "ask");
  }));
});

Deno.test("evaluate() is not widened by anything a project says", () => {
  const project = rules.map((list) =>
    list.map((rule, index): Rule => ({ ...rule, layer: index % 2 === 0 ? "project" : "local" }))
  );
  holds(fc.property(preset, rules, project, need, context, (name, some, theirs, one, ctx) => {
    const own = some.filter(({ layer }) => layer !== "project" && layer !== "local");
    const before = policyOf(name, own).evaluate([one], ctx).verdict;
    const onlyAllows = theirs.filter(({ verdict }) => verdict === "allow");
    assert.equal(policyOf(name, [...own, ...onlyAllows]).evaluate([one], ctx).verdict, before);
    const after = policyOf(name, [...own, ...theirs.filter(({ verdict }) => verdict === "deny")]);
    assert.ok(SEVERITY[after.evaluate([one], ctx).verdict] >= SEVERITY[before]);
  }));
});

Deno.test("evaluate() does not depend on the order of rules", () => {
  holds(fc.property(
    preset,
    rules.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
    need,
    context,
    (name, [a, b], one, ctx) => {
      assert.deepEqual(policyOf(name, b).evaluate([one], ctx), policyOf(name, a).evaluate([one], ctx));
    },
  ));
});

Deno.test("evaluate() is pure: asking twice, in any company, gives the same", () => {
  holds(fc.property(preset, rules, fc.array(need, { maxLength: 4 }), context, (name, some, needs, ctx) => {
    const policy = policyOf(name, some);
    const together = policy.evaluate(needs, ctx);
    assert.deepEqual(policy.evaluate(needs, ctx), together);
    for (const [index, one] of needs.entries()) {
      assert.deepEqual(policyOf(name, some).evaluate([one], ctx).judgements[0], together.judgements[index]);
    }
    const worst = Math.max(0, ...together.judgements.map((one) => SEVERITY[one.verdict]));
    assert.equal(SEVERITY[together.verdict], worst);
  }));
});

Deno.test("evaluate() is total: any text is judged, and nothing unreadable is allowed by a rule", () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.string().map((rest) => `/${rest}`));
  const any = fc.record({
    kind,
    target: text,
    argv: fc.option(fc.array(text), { nil: undefined }),
    executable: fc.option(text, { nil: undefined }),
    opaque: fc.option(text, { nil: undefined }),
  });
  const policy = policyOf("workspace", [
    { verdict: "allow", kind: "run", pattern: "*", layer: "flag", source: "x" },
    { verdict: "allow", kind: "read", pattern: "/**", layer: "flag", source: "x" },
    { verdict: "allow", kind: "net", pattern: "*", layer: "flag", source: "x" },
  ]);
  holds(fc.property(fc.array(any, { maxLength: 3 }), context, (needs, ctx) => {
    const decision = policy.evaluate(needs as Need[], ctx);
    assert.equal(decision.judgements.length, needs.length);
    for (const judgement of decision.judgements) {
      if (judgement.need.opaque !== undefined) assert.notEqual(judgement.verdict, "allow");
      if (judgement.need.kind === "read" && judgement.verdict === "allow") {
        assert.match(judgement.need.target, /^[/A-Za-z]/u);
      }
    }
    policy.roots(needs as Need[]);
    for (const one of needs) policy.isSecret(one.target);
  }));
});

Deno.test("patternProblem() is total, and what it accepts createPolicy() accepts", () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(..."*?[]{}!,/\\~.-ab'\" :@") }));
  holds(fc.property(kind, text, fc.constantFrom("allow", "deny"), need, (kind, pattern, verdict, one) => {
    const problem = patternProblem({ kind, pattern, verdict });
    const build = () => policyOf("workspace", [{ kind, pattern, verdict, layer: "user", source: "x" }]);
    if (problem === undefined) build().evaluate([one], CALM);
    else assert.throws(build, { code: "config_invalid" });
  }));
});

Deno.test("createPolicy() compiles rules once: deciding looks at no pattern text again", () => {
  let reads = 0;
  const watched: Rule = {
    verdict: "allow",
    kind: "read",
    get pattern() {
      reads++;
      return "/out/**/*.ts";
    },
    layer: "user",
    source: "x",
  };
  const policy = policyOf("workspace", [watched]);
  const afterCompiling = reads;
  assert.ok(afterCompiling > 0);
  // The workspace allows these: the watched rule is looked for, and its pattern is not read.
  for (let i = 0; i < 1_000; i++) policy.evaluate([{ kind: "read", target: `/ws/${i}.ts` }], CALM);
  assert.equal(reads, afterCompiling);
});
