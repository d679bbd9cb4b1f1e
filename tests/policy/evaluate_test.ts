import assert from "node:assert/strict";
import type { Need } from "../../core/domain/need.ts";
import type { PresetName, Verdict } from "../../core/domain/policy.ts";
import { CALM, grant, need, policyWith, TAINTED, verdictOf } from "./_policy.ts";

type Row = readonly [preset: PresetName, rules: readonly string[], need: string, verdict: Verdict];

const R = "read-only";
const W = "workspace";
const N = "network-allowlist";
const F = "dangerously-full";

const ROWS: readonly Row[] = [
  // Presets.
  [R, [], "read=/ws", "allow"],
  [R, [], "read=/ws/src/a.ts", "allow"],
  [R, [], "read=/wsx/a", "ask"],
  [R, [], "read=/etc/passwd", "ask"],
  [R, [], "write=/ws/a", "ask"],
  [R, [], "run=git log", "ask"],
  [R, [], "net=example.org", "ask"],
  [R, [], "env=HOME", "ask"],
  [R, [], "use=mcp/github/list", "ask"],
  [W, [], "write=/ws/a", "allow"],
  [W, [], "write=/tmp/a", "ask"],
  [W, [], "run=ls", "ask"],
  [W, [], "net=example.org", "ask"],
  [N, [], "net=api.example.org", "allow"],
  [N, [], "net=a.cdn.example.net", "allow"],
  [N, [], "net=example.net", "ask"],
  [N, [], "net=other.org", "ask"],
  [N, [], "write=/ws/a", "allow"],
  [F, [], "write=/etc/passwd", "allow"],
  [F, [], "run=rm -rf /", "allow"],
  [F, [], "net=10.0.0.1", "allow"],
  [F, [], "use=agent", "allow"],
  // Protected writes.
  ...[
    ".pryx/config.jsonc",
    "sub/.pryx/x",
    "pryx.lock",
    "a.pryx.ts",
    "sub/b.pryx.ts",
    "AGENTS.md",
    "sub/CLAUDE.md",
  ]
    .flatMap((path): Row[] => [
      [W, [], `write=/ws/${path}`, "ask"],
      [N, [], `write=/ws/${path}`, "ask"],
      [W, [], `read=/ws/${path}`, "allow"],
      [F, [], `write=/ws/${path}`, "allow"],
      [W, ["flag allow write=."], `write=/ws/${path}`, "ask"],
      [W, [`flag allow write=${path}`], `write=/ws/${path}`, "allow"],
    ]),
  [W, [], "write=/ws/.git/hooks/pre-commit", "ask"],
  [W, [], "write=/ws/sub/.git/config", "ask"],
  [W, [], "write=/ws/.git/modules/lib/config", "ask"],
  [W, [], "write=/ws/.git/modules/lib/sub/hooks/post-checkout", "ask"],
  [W, [], "write=/ws/.git/config.worktree", "ask"],
  [W, [], "write=/ws/.git/worktrees/w/config.worktree", "ask"],
  [W, [], "write=/ws/.git/worktrees/w/commondir", "ask"],
  [W, [], "write=/ws/.git/commondir", "ask"],
  [W, [], "write=/ws/.git/HEAD", "allow"],
  [W, ["user allow write=.git/hooks/**"], "write=/ws/.git/hooks/pre-commit", "allow"],
  [W, ["user allow write=*.pryx.ts"], "write=/ws/sub/b.pryx.ts", "allow"],
  [W, ["project allow write=AGENTS.md"], "write=/ws/AGENTS.md", "ask"],
  // Secret files.
  ...[R, W, N, F].flatMap((preset): Row[] => [
    [preset as PresetName, [], "read=/ws/.env", "deny"],
    [preset as PresetName, [], "write=/ws/sub/.env.local", "deny"],
    [preset as PresetName, [], "read=/home/u/.ssh/id_ed25519", "deny"],
    [preset as PresetName, [], "read=/home/u/.ssh", "deny"],
    [preset as PresetName, [], "read=/home/u/.config/google-chrome-beta/Default/Cookies", "deny"],
    [preset as PresetName, [], "read=/proc/12/environ", "deny"],
    [preset as PresetName, [], "read=/etc/shadow", "deny"],
    [preset as PresetName, [], "read=/ws/keys/server.pem", "deny"],
    [preset as PresetName, [], "read=/ws/a\nb/.env", "deny"],
    [preset as PresetName, [], "read=/ws/../ws/./sub//.env", "deny"],
  ]),
  [R, [], "read=/ws/.env.example", "allow"],
  [R, [], "read=/ws/sub/.env.template", "allow"],
  [R, [], "read=/ws/.env.example/.env", "deny"],
  [R, [], "read=/ws/environment.ts", "allow"],
  [R, ["flag allow read=.env"], "read=/ws/.env", "allow"],
  [R, ["flag allow read=.env"], "read=/ws/sub/.env", "deny"],
  [R, ["user allow read=.env"], "read=/ws/.env", "allow"],
  [R, ["environment allow read=/ws/.env"], "read=/ws/.env", "allow"],
  [R, ["managed allow read=.env"], "read=/ws/.env", "allow"],
  [R, ["profile allow read=.env"], "read=/ws/.env", "allow"],
  [R, ["project allow read=.env"], "read=/ws/.env", "deny"],
  [R, ["local allow read=.env"], "read=/ws/.env", "deny"],
  [R, ["flag allow read=.env*"], "read=/ws/.env", "deny"],
  [R, ["flag allow read=."], "read=/ws/.env", "deny"],
  [R, ["flag allow read=/**"], "read=/ws/.env", "deny"],
  [R, ["flag allow read=.env"], "write=/ws/.env", "deny"],
  [R, ["flag allow write=.env"], "write=/ws/.env", "allow"],
  [R, ["flag allow read=.env", "user deny read=.env"], "read=/ws/.env", "deny"],
  [R, ["flag allow read=.env", "flag ask read=.env"], "read=/ws/.env", "ask"],
  [R, ["flag allow read=~/.aws/config"], "read=/home/u/.aws/config", "allow"],
  [R, ["flag allow read=~/.aws"], "read=/home/u/.aws/credentials", "deny"],
  // pryx's own files.
  ...[R, F].flatMap((preset): Row[] => [
    [preset as PresetName, [], "read=/home/u/.config/pryx/config.jsonc", "deny"],
    [
      preset as PresetName,
      ["flag allow read=~/.config/pryx/config.jsonc"],
      "read=/home/u/.config/pryx/config.jsonc",
      "deny",
    ],
    [preset as PresetName, ["managed allow write=/opt/pryx"], "write=/opt/pryx/pryx", "deny"],
    [preset as PresetName, [], "read=/home/u/.local/state/pryx/outputs/x.txt", "allow"],
    [preset as PresetName, [], "write=/home/u/.local/state/pryx/outputs/x.txt", "deny"],
    [preset as PresetName, [], "read=/home/u/.local/state/pryx/blobs/x", "deny"],
  ]),
  // Layers.
  [R, ["user deny run=git", "flag allow run=git"], "run=git log", "deny"],
  [R, ["project deny run=git", "managed allow run=git"], "run=git log", "deny"],
  [R, ["user ask run=git", "flag allow run=git"], "run=git log", "allow"],
  [R, ["user allow run=git", "flag ask run=git"], "run=git log", "ask"],
  [R, ["user allow run=git", "project ask run=git"], "run=git log", "ask"],
  [R, ["user allow run=git log", "user ask run=git"], "run=git log", "ask"],
  [R, ["project allow run=git"], "run=git log", "ask"],
  [R, ["local allow run=git"], "run=git log", "ask"],
  [R, ["environment allow run=git", "profile ask run=git"], "run=git log", "allow"],
  [W, ["user ask write=src"], "write=/ws/src/a", "ask"],
  [F, ["user ask run=rm"], "run=rm x", "ask"],
  [F, ["user deny net=evil.example"], "net=evil.example", "deny"],
  // Reading and writing.
  [R, ["user allow write=/out"], "read=/out/a", "allow"],
  [R, ["user allow read=/out"], "write=/out/a", "ask"],
  [W, ["user deny read=private"], "write=/ws/private/a", "deny"],
  [W, ["user deny write=private"], "read=/ws/private/a", "allow"],
  [W, ["user ask read=private"], "write=/ws/private/a", "allow"],
  // Paths.
  [R, ["user allow write=CHANGELOG.md"], "write=/ws/CHANGELOG.md", "allow"],
  [R, ["user allow write=CHANGELOG.md"], "write=/ws/sub/CHANGELOG.md", "ask"],
  [R, ["user deny read=secret.txt"], "read=/ws/a/b/secret.txt", "deny"],
  [R, ["user deny read=secret.txt"], "read=/other/secret.txt/x", "deny"],
  [R, ["user deny read=./secret.txt"], "read=/ws/a/secret.txt", "allow"],
  [R, ["user allow write=*.md"], "write=/ws/a/b.md", "allow"],
  [R, ["user allow write=*.md"], "write=/other/b.md", "ask"],
  [R, ["user allow write=**/gen"], "write=/ws/a/gen/x", "allow"],
  [R, ["user allow write=**/gen"], "write=/other/gen/x", "ask"],
  [R, ["user deny read=**/gen"], "read=/other/gen/x", "deny"],
  [R, ["user allow write=src/*.ts"], "write=/ws/src/a.ts", "allow"],
  [R, ["user allow write=src/*.ts"], "write=/ws/src/sub/a.ts", "ask"],
  [R, ["user allow write=src/**/*.ts"], "write=/ws/src/sub/deep/a.ts", "allow"],
  [R, ["user allow write=src/**/*.ts"], "write=/ws/src/a.ts", "allow"],
  [R, ["user allow write=src/"], "write=/ws/src/a", "allow"],
  [R, ["user allow write=src/**"], "write=/ws/src", "allow"],
  [R, ["user allow write=../lib"], "write=/lib/a", "allow"],
  [R, ["user allow write=~/notes"], "write=/home/u/notes/a", "allow"],
  [R, ["user allow write=/**"], "write=/any/thing", "allow"],
  [R, ["user allow write=*"], "write=/any/thing", "ask"],
  [R, ["user allow write=*"], "write=/ws/thing", "allow"],
  [R, ["user deny read=*"], "read=/any/thing", "deny"],
  [R, ["user deny read=/ws/[!a]*"], "read=/ws/bc", "deny"],
  [R, ["user deny read=/ws/[!a]*"], "read=/ws/ab", "allow"],
  [R, ["user deny read=/ws/x?z"], "read=/ws/xyz", "deny"],
  [R, ["user deny read=/ws/{a,b}/c"], "read=/ws/b/c/d", "deny"],
  [R, ["user deny read=/ws/a\\*b"], "read=/ws/a*b", "deny"],
  [R, ["user deny read=/ws/a\\*b"], "read=/ws/axb", "allow"],
  [R, ["user deny read=/ws/(a)|b"], "read=/ws/(a)|b", "deny"],
  [R, ["user deny read=/"], "read=/ws/a", "deny"],
  [R, ["user allow read=/other"], "read=/other/../etc/x", "ask"],
  [R, ["user allow read=/other"], "read=relative", "ask"],
  [R, ["user allow read=/other"], "read=/other/a\0b", "ask"],
  // Commands.
  [R, ["user allow run=git log"], "run=git log --oneline", "allow"],
  [R, ["user allow run=git log"], "run=git logx", "ask"],
  [R, ["user allow run=git log"], "run=git", "ask"],
  [R, ["user allow run=git log *"], "run=git log", "allow"],
  [R, ["user allow run==git log"], "run=git log", "allow"],
  [R, ["user allow run==git log"], "run=git log -p", "ask"],
  [R, ["user allow run=npm run test:*"], "run=npm run test:unit", "allow"],
  [R, ["user allow run=npm run test:*"], "run=npm run build", "ask"],
  [R, ["user allow run=/usr/bin/git"], "run=git log", "allow"],
  [R, ["user allow run=/opt/git"], "run=git log", "ask"],
  [R, ["user allow run=*"], "run=anything at all", "allow"],
  [R, ["user deny run=*"], "run=anything", "deny"],
  // Hosts.
  [R, ["user allow net=example.org"], "net=example.org", "allow"],
  [R, ["user allow net=example.org"], "net=EXAMPLE.org.", "allow"],
  [R, ["user allow net=example.org"], "net=example.org:8443", "allow"],
  [R, ["user allow net=example.org"], "net=a.example.org", "ask"],
  [R, ["user allow net=example.org:443"], "net=example.org:8443", "ask"],
  [R, ["user allow net=example.org:443"], "net=example.org", "ask"],
  [R, ["user deny net=example.org:443"], "net=example.org", "deny"],
  [R, ["user allow net=*.example.org"], "net=a.b.example.org", "allow"],
  [R, ["user allow net=*.example.org"], "net=example.org", "ask"],
  [R, ["user allow net=*.example.org"], "net=evilexample.org", "ask"],
  [R, ["user allow net=*"], "net=example.org", "allow"],
  [R, ["user allow net=*"], "net=127.0.0.1", "ask"],
  [R, ["user allow net=*"], "net=0x7f.1", "ask"],
  [R, ["user allow net=*"], "net=2130706433", "ask"],
  [R, ["user allow net=*"], "net=[::1]:80", "ask"],
  [R, ["user allow net=*"], "net=localhost:3000", "ask"],
  [R, ["user allow net=*"], "net=a.localhost", "ask"],
  [R, ["user allow net=127.0.0.1:8080"], "net=127.0.0.1:8080", "allow"],
  [R, ["user allow net=[::1]:8080"], "net=[::1]:8080", "allow"],
  [R, ["user allow net=localhost"], "net=localhost:3000", "allow"],
  [R, ["user deny net=*"], "net=127.0.0.1", "deny"],
  [R, ["user allow net=*"], "net=exa mple/evil", "ask"],
  // Names.
  [R, ["user allow env=AWS_*"], "env=AWS_REGION", "allow"],
  [R, ["user allow env=HOME"], "env=HOMEX", "ask"],
  [R, ["user allow use=mcp/github"], "use=mcp/github/list", "allow"],
  [R, ["user allow use=mcp/github"], "use=mcp/githubx/list", "ask"],
  [R, ["user allow use=mcp/*/list"], "use=mcp/github/list", "allow"],
  [R, ["user deny use=mcp/github"], "use=mcp//github/list", "deny"],
  [R, ["user allow use=*"], "use=agent", "allow"],
];

Deno.test("evaluate() decides as the table says", async (t) => {
  for (const [preset, rules, text, expected] of ROWS) {
    await t.step(`${preset} [${rules.join(", ")}] ${JSON.stringify(text)}: ${expected}`, () => {
      const policy = policyWith(preset, rules, {
        networkAllowlist: ["api.example.org", "*.cdn.example.net"],
      });
      assert.equal(verdictOf(policy, text), expected);
    });
  }
});

Deno.test("evaluate() allows a bare command only outside writable folders", () => {
  const policy = policyWith("read-only", ["user allow run=tool", "user allow run=./own.sh"]);
  const run = (argv: readonly string[], executable: string | undefined, inWritableFolder: boolean) =>
    policy.evaluate([{
      kind: "run",
      target: argv.join(" "),
      argv,
      ...(executable === undefined ? {} : { executable }),
      inWritableFolder,
    }], CALM).verdict;
  assert.equal(run(["tool"], "/usr/bin/tool", false), "allow");
  assert.equal(run(["tool"], "/ws/node_modules/.bin/tool", true), "ask");
  assert.equal(run(["/usr/bin/tool"], "/usr/bin/tool", false), "allow");
  assert.equal(run(["./tool"], "/usr/bin/rm", false), "ask", "a link named like the tool");
  assert.equal(run(["/x/tool"], "/usr/bin/rm", false), "ask");
  assert.equal(run(["/x/tool"], undefined, false), "ask");
  assert.equal(run(["./own.sh"], "/ws/own.sh", true), "allow", "its path was named");
  assert.equal(run(["./own.sh"], "/other/own.sh", true), "ask");
});

Deno.test("evaluate() denies a command by name wherever it stands and however it is written", () => {
  const policy = policyWith("dangerously-full", ["user deny run=rm"]);
  for (const argv of [["rm", "x"], ["/bin/rm", "x"], ["./rm"]]) {
    assert.equal(
      policy.evaluate([{ kind: "run", target: "?", argv, inWritableFolder: true }], CALM).verdict,
      "deny",
    );
  }
  const linked: Need = { kind: "run", target: "delete", argv: ["delete"], executable: "/bin/rm" };
  assert.equal(policy.evaluate([linked], CALM).verdict, "deny");
});

Deno.test("evaluate() leaves what cannot be known to a person, or to dangerously-full", () => {
  const opaque: Need = {
    kind: "run",
    target: "git push $X",
    argv: ["git", "push"],
    opaque: "it uses the variable $X",
  };
  const judge = (preset: PresetName, rules: readonly string[]) =>
    policyWith(preset, rules).evaluate([opaque], { ...CALM, grants: [grant(["run=*", "run=git"])] })
      .judgements[0];
  const asked = judge("workspace", ["flag allow run=*", "managed allow run=git"]);
  assert.equal(asked?.verdict, "ask");
  assert.equal(asked?.onceOnly, true);
  assert.match(asked?.reason ?? "", /variable \$X/);
  assert.equal(judge("workspace", ["user deny run=git push"])?.verdict, "deny");
  assert.equal(judge("dangerously-full", [])?.verdict, "allow");
  assert.equal(judge("dangerously-full", ["user deny run=git push"])?.verdict, "deny");
  const doubtful = judge("dangerously-full", ["user deny run=rm"]);
  assert.equal(doubtful?.verdict, "ask", "the unknown part may be what is denied");
  assert.match(doubtful?.reason ?? "", /deny run=rm/);
});

Deno.test("evaluate() asks again under taint for the network and for writes outside the workspace", () => {
  const verdict = (rules: readonly string[], text: string, preset: PresetName = "workspace") =>
    verdictOf(policyWith(preset, rules), text, TAINTED);
  assert.equal(verdict(["user allow net=example.org"], "net=example.org"), "ask");
  assert.equal(verdict(["flag allow net=example.org"], "net=example.org"), "allow");
  assert.equal(verdict(["environment allow net=example.org"], "net=example.org"), "allow");
  assert.equal(verdict(["flag allow net=*"], "net=example.org"), "ask");
  assert.equal(verdict(["flag allow net=*.example.org"], "net=a.example.org"), "ask");
  assert.equal(verdict(["flag allow net=*", "flag allow net=example.org"], "net=example.org"), "allow");
  assert.equal(verdict(["user allow write=/out"], "write=/out/a"), "ask");
  assert.equal(verdict(["flag allow write=/out/a"], "write=/out/a"), "allow");
  assert.equal(verdict([], "write=/ws/a"), "allow");
  assert.equal(verdict([], "read=/ws/a"), "allow");
  assert.equal(verdict(["user allow run=git"], "run=git log"), "allow");
  assert.equal(
    verdict(["flag allow net=example.org", "user deny net=example.org"], "net=example.org"),
    "deny",
  );
  assert.equal(verdict([], "net=example.org", "dangerously-full"), "allow");
  assert.equal(verdict(["user allow net=*"], "net=example.org", "dangerously-full"), "allow");
  assert.equal(verdict(["user ask net=*"], "net=example.org", "dangerously-full"), "ask");
  const [judgement] = policyWith("workspace", ["user allow net=example.org"])
    .evaluate([need("net=example.org")], TAINTED).judgements;
  assert.equal(judgement?.tainted, true);
  assert.match(judgement?.reason ?? "", /https:\/\/evil\.example\//);
});

Deno.test("evaluate() lets a named host of the allowlist through under taint, not a wildcard", () => {
  const policy = policyWith("network-allowlist", [], {
    networkAllowlist: ["api.example.org", "*.example.net"],
  });
  assert.equal(verdictOf(policy, "net=api.example.org", TAINTED), "allow");
  assert.equal(verdictOf(policy, "net=a.example.net"), "allow");
  assert.equal(verdictOf(policy, "net=a.example.net", TAINTED), "ask");
});

Deno.test("evaluate() turns ask into allow by a grant, and names it", () => {
  const policy = policyWith("read-only");
  const judge = (text: string, ...grants: ReturnType<typeof grant>[]) =>
    policy.evaluate([need(text)], { ...CALM, grants }).judgements[0];
  const given = judge("run=git push", grant(["run==git push"]));
  assert.equal(given?.verdict, "allow");
  assert.equal(given?.grant, "grant0001");
  assert.equal(judge("run=git push --force", grant(["run==git push"]))?.verdict, "ask");
  assert.equal(judge("read=/out/a", grant(["write=/out"]))?.verdict, "allow");
  assert.equal(judge("write=/out/a", grant(["read=/out"]))?.verdict, "ask");
  assert.equal(judge("read=/ws/.env", grant(["read=/ws/.env"]))?.verdict, "deny");
  assert.equal(
    judge("run=git", grant(["run=git"], { revokedAt: "2026-01-01T00:00:00.000Z" }))?.verdict,
    "ask",
  );
  assert.equal(judge("run=git", grant(["run=git"], { usesLeft: 0 }))?.verdict, "ask");
  assert.equal(
    judge("run=git", grant(["run=git"], { scope: "workspace", workspace: "/ws" }))?.verdict,
    "allow",
  );
  assert.equal(judge("run=git", grant(["run=git"], { scope: "workspace", workspace: "/b" }))?.verdict, "ask");
  assert.equal(
    judge("run=git", grant(["run='"]))?.verdict,
    "ask",
    "a grant that cannot be read gives nothing",
  );
});

Deno.test("evaluate() takes only an untrusted grant under taint", () => {
  const policy = policyWith("workspace");
  const verdict = (text: string, untrusted: boolean) =>
    verdictOf(policy, text, {
      ...TAINTED,
      grants: [grant(["net=example.org", "write=/out", "run=git"], { untrusted })],
    });
  assert.equal(verdict("net=example.org", false), "ask");
  assert.equal(verdict("net=example.org", true), "allow");
  assert.equal(verdict("write=/out/a", false), "ask");
  assert.equal(verdict("write=/out/a", true), "allow");
  assert.equal(verdict("run=git log", false), "allow");
});

Deno.test("evaluate() lets no grant answer an ask of managed policy", () => {
  const policy = policyWith("workspace", ["managed ask run=git", "flag allow run=git"]);
  const decision = policy.evaluate([need("run=git push")], { ...CALM, grants: [grant(["run=git"])] });
  assert.equal(decision.verdict, "ask");
  assert.equal(decision.judgements[0]?.onceOnly, true);
});

Deno.test("evaluate() gives every rule that matched, strongest layer first, and the worst verdict over all needs", () => {
  const policy = policyWith("workspace", [
    "user allow read=src",
    "flag ask read=src/a.ts",
    "project deny read=src/x",
  ]);
  const decision = policy.evaluate([need("read=/ws/src/a.ts"), need("read=/ws/b")], CALM);
  assert.equal(decision.verdict, "ask");
  assert.deepEqual(
    decision.judgements[0]?.matched.map((rule) =>
      `${rule.layer} ${rule.verdict} ${rule.kind}=${rule.pattern}`
    ),
    ["flag ask read=src/a.ts", "user allow read=src", "preset allow read=.", "preset allow write=."],
  );
  assert.equal(decision.judgements[0]?.rule?.layer, "flag");
  assert.match(decision.judgements[0]?.reason ?? "", /^by the rule ask read=src\/a\.ts \(test flag\)/);
  assert.deepEqual(decision.judgements.map((one) => one.verdict), ["ask", "allow"]);
  assert.equal(policy.evaluate([], CALM).verdict, "allow");
});

Deno.test("evaluate() compares names without case in denials where the file system does", () => {
  const policy = policyWith("workspace", ["user deny read=Private", "user allow run=x"], {
    ignoreCase: true,
  });
  for (const path of ["/ws/.ENV", "/HOME/U/.SSH/id", "/ws/a/PRIVATE/b", "/ws/Server.PEM", "/OPT/Pryx/x"]) {
    assert.equal(verdictOf(policy, `read=${path}`), "deny", path);
  }
  assert.equal(verdictOf(policy, "write=/ws/agents.md"), "ask");
  assert.equal(verdictOf(policyWith("workspace"), "read=/ws/.ENV"), "allow");
});

Deno.test("evaluate() understands Windows paths", () => {
  const policy = policyWith("workspace", [], {
    workspace: "C:\\ws",
    home: "C:\\Users\\u",
    protectedPaths: [],
  });
  assert.equal(verdictOf(policy, "write=C:\\ws\\a\\b.ts"), "allow");
  assert.equal(verdictOf(policy, "read=C:\\ws\\.env"), "deny");
  assert.equal(verdictOf(policy, "read=C:\\Users\\u\\.ssh\\id"), "deny");
  assert.equal(verdictOf(policy, "read=C:\\other"), "ask");
  assert.equal(verdictOf(policy, "write=C:\\ws\\..\\other"), "ask");
});

Deno.test("evaluate() works in a workspace whose name has pattern characters, and in the root", () => {
  const odd = policyWith("workspace", ["user deny read=./[x]"], { workspace: "/a[b]{c}*(d)" });
  assert.equal(verdictOf(odd, "write=/a[b]{c}*(d)/z"), "allow");
  assert.equal(verdictOf(odd, "write=/ab{c}*(d)/y"), "ask");
  assert.equal(verdictOf(odd, "read=/a[b]{c}*(d)/x"), "deny");
  const root = policyWith("workspace", [], { workspace: "/" });
  assert.equal(verdictOf(root, "write=/any/thing"), "allow");
  assert.equal(verdictOf(root, "read=/.env"), "deny");
});

Deno.test("evaluate() allows a program that only starts another, unless a rule speaks of it", () => {
  const wrapper: Need = { ...need("run=timeout 5 ls"), wrapper: true };
  assert.equal(policyWith("read-only").evaluate([wrapper], CALM).verdict, "allow");
  assert.equal(policyWith("read-only").evaluate([wrapper, need("run=ls")], CALM).verdict, "ask");
  assert.equal(policyWith("read-only", ["user deny run=timeout"]).evaluate([wrapper], CALM).verdict, "deny");
  assert.equal(policyWith("read-only", ["user ask run=timeout"]).evaluate([wrapper], CALM).verdict, "ask");
  assert.equal(policyWith("read-only").evaluate([{ ...wrapper, opaque: "x" }], CALM).verdict, "ask");
});

Deno.test("evaluate() allows to change to a folder, unless a rule speaks of it", () => {
  const enter: Need = { ...need("read=/srv"), enter: true };
  assert.equal(policyWith("read-only").evaluate([enter], CALM).verdict, "allow");
  assert.equal(policyWith("read-only").evaluate([need("read=/srv")], CALM).verdict, "ask");
  assert.equal(policyWith("read-only", ["user ask read=/srv"]).evaluate([enter], CALM).verdict, "ask");
  assert.equal(
    policyWith("read-only").evaluate([{ ...enter, target: "/home/u/.ssh" }], CALM).verdict,
    "deny",
  );
});

Deno.test("evaluate() denies what a word that is not known may become, and allows only the words that are known", () => {
  const run = (...argv: string[]): Need => ({
    kind: "run",
    target: argv.join(" ").replaceAll("\0", "$x"),
    argv,
    executable: `/usr/bin/${argv[0]}`,
    inWritableFolder: false,
  });
  const verdict = (rule: string, ...argv: string[]) =>
    policyWith("dangerously-full", [rule]).evaluate([run(...argv)], CALM).verdict;
  assert.equal(verdict("user deny run=git push", "git", "\0"), "deny");
  assert.equal(verdict("user deny run=git push", "git", "pu\0"), "deny");
  assert.equal(verdict("user deny run=git push", "git", "\0\0", "x"), "deny");
  assert.equal(verdict("user deny run==git push", "git", "\0"), "deny");
  assert.equal(verdict("user deny run=git push", "git", "log", "\0"), "allow");
  assert.equal(verdict("user deny run=git push", "git", "x\0"), "allow");
  const allowed = (rule: string, ...argv: string[]) =>
    policyWith("read-only", [rule]).evaluate([run(...argv)], CALM).verdict;
  assert.equal(allowed("user allow run=git push", "git", "\0"), "ask");
  assert.equal(allowed("user allow run==git push", "git", "push", "\0"), "ask");
  assert.equal(allowed("user allow run=git push", "git", "push", "\0"), "allow");
});
