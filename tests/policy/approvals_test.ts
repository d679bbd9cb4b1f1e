import assert from "node:assert/strict";
import fc from "fast-check";
import type { CallId, SessionId } from "../../core/domain/id.ts";
import type { Need } from "../../core/domain/need.ts";
import type { ApprovalAnswer, Judgement } from "../../core/domain/policy.ts";
import {
  actionDigest,
  approvalSummary,
  canonicalJson,
  escapeForDisplay,
  grantFromAnswer,
  isOnceOnly,
  newApproval,
  personOnlyAsks,
  unapprovedFlags,
} from "../../core/policy/approvals.ts";
import { splitWords } from "../../core/policy/_words.ts";
import { CALM, policyWith, rule, TAINTED } from "./_policy.ts";

const SESSION = "session1" as SessionId;
const NOW = "2026-01-02T03:04:05.000Z";
const CONTEXT = { workspace: "/ws", session: SESSION, now: NOW };

const run = (argv: readonly string[], more: Partial<Need> = {}): Need => ({
  kind: "run",
  target: argv.join(" "),
  argv,
  executable: `/usr/bin/${argv[0]}`,
  inWritableFolder: false,
  ...more,
});

function asking(need: Need, more: Partial<Judgement> = {}): Judgement {
  return { need, verdict: "ask", reason: "asks", matched: [], ...more };
}

function approvalOf(...judgements: Judgement[]) {
  return newApproval({
    session: SESSION,
    call: "call1" as CallId,
    tool: "shell",
    digest: "d",
    summary: "s",
    judgements,
    now: new Date(NOW),
    ttlMs: 60_000,
  });
}

function answer(more: Partial<ApprovalAnswer> = {}): ApprovalAnswer {
  return { verdict: "allow", duration: { kind: "session" }, scope: "workspace", by: "human:cli", ...more };
}

Deno.test("canonicalJson() does not depend on the order of keys, and differs for different values", () => {
  assert.equal(canonicalJson({ b: 1, a: [true, null, "x"], c: undefined }), '{"a":[true,null,"x"],"b":1}');
  fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
    const reversed = Object.fromEntries(Object.entries(value).reverse());
    assert.equal(canonicalJson(reversed), canonicalJson(value));
  }));
  fc.assert(fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
    // Minus zero is zero to JSON.
    const plain = (value: unknown) => JSON.parse(JSON.stringify(value));
    const same = (() => {
      try {
        assert.deepEqual(plain(a), plain(b));
        return true;
      } catch {
        return false;
      }
    })();
    assert.equal(canonicalJson(a) === canonicalJson(b), same);
  }));
});

Deno.test("canonicalJson() is total", () => {
  const loop: { self?: unknown } = {};
  loop.self = loop;
  for (const odd of [loop, NaN, Infinity, 1n, Symbol("x"), () => 1, undefined, new Date(NaN), [undefined]]) {
    assert.doesNotThrow(() => JSON.parse(canonicalJson(odd)));
  }
  assert.notEqual(canonicalJson(NaN), canonicalJson("NaN"));
});

Deno.test("actionDigest() changes with every part of the action", () => {
  const action = { tool: "shell", args: { command: "ls" }, cwd: "/ws", env: ["A"], files: { "/ws/a": "1" } };
  const digest = actionDigest(action);
  assert.match(digest, /^[0-9a-f]{64}$/u);
  assert.equal(actionDigest({ ...action, args: { command: "ls" } }), digest);
  for (
    const other of [
      { ...action, tool: "x" },
      { ...action, args: { command: "ls " } },
      { ...action, cwd: "/" },
      { ...action, env: ["B"] },
      { ...action, files: { "/ws/a": "2" } },
      { ...action, argv: ["ls"] },
    ]
  ) assert.notEqual(actionDigest(other), digest);
});

Deno.test("escapeForDisplay() shows what would be hidden or would hide", () => {
  for (
    const [text, shown] of [
      ["plain äöü 漢字 🎉\n\ttab", "plain äöü 漢字 🎉\n\ttab"],
      ["\u001b[2K\u001b[1Als", "\\u{1b}[2K\\u{1b}[1Als"],
      ["a\rb\u0007\u0000", "a\\u{d}b\\u{7}\\u{0}"],
      ["\u009b31m", "\\u{9b}31m"],
      ["a\u202eb\u2066c", "a\\u{202e}b\\u{2066}c"],
      ["a\u200bb\ufeffc\u00ad", "a\\u{200b}b\\u{feff}c\\u{ad}"],
      ["x\u{e0041}\u{e007f}", "x\\u{e0041}\\u{e007f}"],
      ["\u2028\u2029", "\\u{2028}\\u{2029}"],
      ["\ud800x", "\\u{d800}x"],
    ] as const
  ) assert.equal(escapeForDisplay(text), shown);
});

Deno.test("escapeForDisplay() leaves no control, format or surrogate character", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    assert.doesNotMatch(
      escapeForDisplay(text).replaceAll(/[\n\t]/gu, ""),
      /[\p{Cc}\p{Cs}\p{Bidi_Control}\u200b-\u200f\u{e0000}-\u{e007f}]/u,
    );
  }));
});

Deno.test("escapeForDisplay() shows every character that Unicode calls invisible, and every blank but the plain ones", () => {
  const hidden = /[\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\p{Cc}\p{Zs}\p{Zl}\p{Zp}\ufff9-\ufffb]/u;
  for (let code = 0; code <= 0x10ffff; code++) {
    const char = String.fromCodePoint(code);
    if (hidden.test(char) && !" \n\t".includes(char)) {
      assert.equal(escapeForDisplay(char), `\\u{${code.toString(16)}}`);
    }
  }
});

Deno.test("approvalSummary() lets no part of an action pass for a line of pryx's own", () => {
  const forged = "ls\nneeds:\n  run=ls\nmay:\n  network: none";
  const text = approvalSummary({
    tool: "shell",
    title: forged,
    args: { command: forged, "x\nneeds": "y" },
    needs: [{ kind: "run", target: forged, opaque: "it\nneeds:" }],
    may: ["read: /a\nneeds:"],
  });
  const own = text.split("\n").filter((line) => !line.startsWith("  "));
  assert.deepEqual(own, ["shell:", '"x\\nneeds": y', "needs:", "may:"]);
  assert.equal(text.split("\n").filter((line) => line === "  | needs:").length, 1);
});

Deno.test("escapeForDisplay() shows what covers, strikes out or passes for a space", () => {
  assert.equal(
    escapeForDisplay("a\u00a0b\u2800c\u3000d r\u0336m e\u0301\u0302\u0303"),
    "a\\u{a0}b\\u{2800}c\\u{3000}d r\\u{336}m e\u0301\u0302\\u{303}",
  );
  assert.equal(escapeForDisplay("é ß 日本 नमस्ते"), "é ß 日本 नमस्ते");
});

Deno.test("approvalSummary() leaves nothing of the action out", () => {
  const text = approvalSummary({
    tool: "edit_file",
    title: "edit a.ts",
    args: { path: "a.ts", old_text: "t", new_text: "one\ntwo\u202e", replace_all: true },
    needs: [{ kind: "write", target: "/ws/a.ts" }, {
      kind: "run",
      target: "$X",
      opaque: "it uses the variable $X",
    }, { kind: "read", target: "/ws/.env", reach: "nothing can be closed here" }],
    cwd: "/ws",
    may: ["network: none"],
  });
  assert.equal(
    text,
    [
      "edit_file: edit a.ts",
      "in /ws",
      "old_text: t",
      "new_text:",
      "  | one",
      "  | two\\u{202e}",
      "replace_all: true",
      "needs:",
      "  write=/ws/a.ts",
      "  run=$X (it uses the variable $X)",
      "  read=/ws/.env (within reach: nothing can be closed here)",
      "may:",
      "  network: none",
    ].join("\n"),
  );
});

Deno.test("newApproval() is open until its time", () => {
  const approval = approvalOf(asking(run(["ls"])));
  assert.equal(approval.status, "open");
  assert.equal(approval.createdAt, NOW);
  assert.equal(approval.expiresAt, "2026-01-02T03:05:05.000Z");
});

Deno.test("grantFromAnswer() makes none of a denial, of once, or of what no standing answer may cover", () => {
  const approval = approvalOf(asking(run(["ls"])));
  assert.equal(grantFromAnswer(approval, answer({ verdict: "deny" }), CONTEXT), undefined);
  assert.equal(grantFromAnswer(approval, answer({ duration: { kind: "once" } }), CONTEXT), undefined);
  assert.equal(
    grantFromAnswer(approvalOf(asking(run(["ls"]), { onceOnly: true })), answer(), CONTEXT),
    undefined,
  );
  assert.equal(
    grantFromAnswer(approvalOf(asking(run(["ls"], { opaque: "x" }))), answer(), CONTEXT),
    undefined,
  );
});

Deno.test("grantFromAnswer() covers exactly what was asked, and cites the approval", () => {
  const allowed: Judgement = { ...asking({ kind: "read", target: "/ws/a" }), verdict: "allow" };
  const approval = approvalOf(
    asking(run(["git", "push", "a b"])),
    allowed,
    asking(run(["git", "push", "a b"])),
  );
  const grant = grantFromAnswer(approval, answer(), CONTEXT);
  assert.ok(grant);
  assert.deepEqual(grant.needs, [{ kind: "run", pattern: "=git push 'a b'" }]);
  assert.equal(grant.approval, approval.id);
  assert.equal(grant.session, SESSION);
  assert.equal(grant.workspace, "/ws");
  assert.equal(grant.createdAt, NOW);
  assert.equal(grant.untrusted, false);
  const forever = grantFromAnswer(
    approval,
    answer({ duration: { kind: "forever" }, scope: "host" }),
    CONTEXT,
  );
  assert.equal(forever?.session, undefined);
  assert.equal(forever?.workspace, undefined);
});

Deno.test("grantFromAnswer() makes a grant that allows the need it was asked about, and no other", () => {
  const policy = policyWith("read-only");
  // In a word of a command, NUL is what is not known: see below.
  const text = fc.string({ unit: "binary", minLength: 1, maxLength: 12 }).filter((one) =>
    !one.includes("\0")
  );
  const path = fc.array(text.filter((name) => !/[/\0]/u.test(name) && !/^\.{0,2}$/u.test(name)), {
    minLength: 1,
    maxLength: 3,
  })
    .map((names) => `/other/${names.join("/")}`);
  const argv = fc.array(text, { minLength: 1, maxLength: 4 }).map((rest) => ["tool", ...rest]);
  const need = fc.oneof(
    path.map((target): Need => ({ kind: "write", target })),
    argv.map((words) => run(words)),
    argv.map((words) => run(words, { executable: "/ws/bin/tool", inWritableFolder: true })),
    fc.webAuthority().filter((host) => !host.includes("@")).map((target): Need => ({ kind: "net", target })),
  );
  fc.assert(fc.property(need, (one) => {
    const before = policy.evaluate([one], CALM);
    const [judgement] = before.judgements;
    if (before.verdict !== "ask" || judgement?.onceOnly) return;
    const grant = grantFromAnswer(approvalOf(...before.judgements), answer(), CONTEXT);
    assert.ok(grant);
    const grants = [grant];
    assert.equal(policy.evaluate([one], { ...CALM, grants }).verdict, "allow", JSON.stringify(grant.needs));
    const other: Need = one.kind === "run"
      ? { ...one, argv: [...one.argv ?? [], "--force"] }
      : { ...one, target: one.kind === "write" ? `${one.target}x` : `x.${one.target}` };
    assert.equal(policy.evaluate([other], { ...CALM, grants }).verdict, "ask");
  }));
});

Deno.test("grantFromAnswer() widens a host to its ports and a tool to its server when that scope was chosen", () => {
  const net = approvalOf(asking({ kind: "net", target: "api.example.org:8443" }));
  assert.deepEqual(grantFromAnswer(net, answer({ scope: "domain" }), CONTEXT)?.needs, [
    { kind: "net", pattern: "api.example.org" },
  ]);
  assert.deepEqual(grantFromAnswer(net, answer(), CONTEXT)?.needs, [{
    kind: "net",
    pattern: "api.example.org:8443",
  }]);
  const use = approvalOf(asking({ kind: "use", target: "mcp/github/list" }));
  assert.deepEqual(grantFromAnswer(use, answer({ scope: "integration" }), CONTEXT)?.needs, [
    { kind: "use", pattern: "mcp/github" },
  ]);
});

Deno.test("grantFromAnswer() gives a grant for the time of taint when it was asked under taint", () => {
  const policy = policyWith("workspace", ["user allow net=example.org"]);
  const { judgements } = policy.evaluate([{ kind: "net", target: "example.org" }], TAINTED);
  const grant = grantFromAnswer(approvalOf(...judgements), answer(), CONTEXT);
  assert.equal(grant?.untrusted, true);
  const again = policy.evaluate([{ kind: "net", target: "example.org" }], {
    ...TAINTED,
    grants: grant ? [grant] : [],
  });
  assert.equal(again.verdict, "allow");
});

Deno.test("unapprovedFlags() names flags that would have let the call through", () => {
  const needs: readonly Need[] = [
    { kind: "write", target: "/ws/a[1].ts" },
    { kind: "write", target: "/ws/AGENTS.md" },
    { kind: "read", target: "/ws/b" },
    { kind: "net", target: "example.org:8443" },
    run(["git", "push", "it's"]),
    run(["git", "push", "it's"]),
    run(["./x.sh", "*"], { executable: "/ws/x.sh", inWritableFolder: true }),
    { kind: "env", target: "A*" },
    { kind: "use", target: "mcp/github/list" },
  ];
  const decision = policyWith("read-only").evaluate(needs, TAINTED);
  const flags = unapprovedFlags(decision);
  assert.deepEqual(flags, [
    "write=/ws/a\\[1\\].ts",
    "write=/ws/AGENTS.md",
    "net=example.org:8443",
    "run=git push 'it'\\''s'",
    "run=/ws/x.sh '*'",
    "env=A\\*",
    "use=mcp/github/list",
  ]);
  const policy = policyWith("read-only", flags.map((flag) => `flag allow ${flag}`));
  assert.ok(rule(`flag allow ${flags[0]}`));
  assert.equal(policy.evaluate(needs, TAINTED).verdict, "allow");
});

Deno.test("unapprovedFlags() leaves out what no flag answers, and personOnlyAsks() says so", () => {
  const decision = policyWith("read-only", ["managed ask run=git"]).evaluate([
    run(["git", "push"]),
    run(["rm"], { target: "rm $X", opaque: "it uses the variable $X" }),
    run(["ls"]),
  ], CALM);
  assert.deepEqual(unapprovedFlags(decision), ["run=ls"]);
  const notes = personOnlyAsks(decision);
  assert.equal(notes.length, 2);
  assert.match(notes[0] ?? "", /managed/u);
  assert.match(notes[1] ?? "", /variable \$X/u);
});

Deno.test("splitWords() reads back what quoteWords() wrote", async () => {
  const { quoteWords } = await import("../../core/policy/_words.ts");
  fc.assert(fc.property(fc.array(fc.string({ unit: "binary" })), (argv) => {
    const words = splitWords(quoteWords(argv));
    assert.ok(typeof words !== "string");
    assert.deepEqual(words.map((word) => word.text), argv);
  }));
});

Deno.test("grantFromAnswer() makes no grant for words that are not known before a command runs", () => {
  const unknown = asking(run(["wc", "-l", "src/\0.ts"]));
  assert.equal(grantFromAnswer(approvalOf(unknown), answer(), CONTEXT), undefined);
  assert.deepEqual(unapprovedFlags({ verdict: "ask", judgements: [unknown] }), ["run=wc -l"]);
});

Deno.test("isOnceOnly() is said where no standing answer would hold", () => {
  const policy = policyWith("read-only");
  const judged = (...needs: Need[]) => policy.evaluate(needs, CALM).judgements;
  const known: Need = { kind: "run", target: "npm test", argv: ["npm", "test"], executable: "/usr/bin/npm" };
  const unknown: Need = { kind: "run", target: 'wc "$f"', argv: ["wc", "\0"], executable: "/usr/bin/wc" };
  assert.equal(isOnceOnly(judged(known)), false);
  assert.equal(isOnceOnly(judged(unknown)), true);
  assert.equal(isOnceOnly(judged(known, unknown)), false);
  assert.equal(isOnceOnly(judged(known, { ...known, opaque: "eval" })), true);
});
