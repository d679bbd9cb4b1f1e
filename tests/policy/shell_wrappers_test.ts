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

/** The needs of a command; `?` before those that only a person can allow. */
const WRAPPED: readonly (readonly [command: string, ...needs: string[]])[] = [
  ["sudo -u root rm x", "? run=sudo -u root rm x", "run=rm x"],
  ["doas rm x", "? run=doas rm x", "run=rm x"],
  ["/usr/bin/env A=1 ls", "run=/usr/bin/env A=1 ls", "run=ls"],
  ["env -i -u X ls -l", "run=env -i -u X ls -l", "run=ls -l"],
  ["env PATH=x ls", "? run=env PATH=x ls", "run=ls"],
  ["env -C sub ./x", "run=env -C sub ./x", "? run=./x"],
  ["env -S 'rm x'", "? run=env -S 'rm x'"],
  ["ls | xargs rm -f", "run=ls", "run=xargs rm -f", "run=rm -f …"],
  ["xargs -I X cp X y", "run=xargs -I X cp X y", "run=cp X y"],
  ["xargs -I X X", "run=xargs -I X X", "? run=X"],
  ["xargs sh -c", "run=xargs sh -c", "? run=sh -c …"],
  ["xargs git log", "run=xargs git log", "? run=git log …"],
  ["nohup ls", "run=nohup ls", "run=ls"],
  ["\\time -p ls", "run=time -p ls", "run=ls"],
  ["timeout -k 3 5 npm test", "run=timeout -k 3 5 npm test", "run=npm test"],
  ["timeout $t rm x", "? run=timeout $t rm x"],
  ["nice -n 5 ls", "run=nice -n 5 ls", "run=ls"],
  ["ionice -c2 ls", "run=ionice -c2 ls", "run=ls"],
  ["stdbuf -oL ls", "run=stdbuf -oL ls", "run=ls"],
  ["setsid -w ls", "run=setsid -w ls", "run=ls"],
  ["chrt -f 1 ls", "run=chrt -f 1 ls", "run=ls"],
  ["taskset -c 0 ls", "run=taskset -c 0 ls", "run=ls"],
  ["caffeinate -i -t 5 rm x", "run=caffeinate -i -t 5 rm x", "run=rm x"],
  ["flock l rm y", "run=flock l rm y", "write=/ws/l", "run=rm y"],
  ["flock l -c 'rm y'", "run=flock l -c 'rm y'", "write=/ws/l", "run=rm y"],
  ["watch -n1 'rm x'", "run=watch -n1 'rm x'", "run=rm x"],
  ["script -qc 'rm z' /dev/null", "run=script -qc 'rm z' /dev/null", "run=rm z"],
  ["bash -c 'rm x'", "run=bash -c 'rm x'", "run=rm x"],
  [`sh -ec 'rm "$1"' _ y`, `run=sh -ec 'rm "$1"' _ y`, "run=rm y"],
  ['bash -c "$x"', '? run=bash -c "$x"'],
  ["D=a; bash -c 'ls > $D'", "run=bash -c 'ls > $D'", "? run=ls > $D", "run=ls"],
  ["bash <<'EOF'\nrm x\nEOF", "run=bash", "run=rm x"],
  ["bash -s a <<< 'rm $1'", "run=bash -s a", "run=rm a"],
  ["cat x | sh", "run=cat x", "? run=sh"],
  ["sh < x", "read=/ws/x", "? run=sh < x"],
  ["bash <(ls)", "run=ls", "? run=bash <(ls)"],
  ["sh -c '[[ a ]]'", "run=sh -c '[[ a ]]'", "? run=[[ a ]]"],
  ["bash --init-file x", "? run=bash --init-file x"],
  ["zsh -c ls", "? run=zsh -c ls"],
  ["busybox rm x", "run=busybox rm x", "run=rm x"],
  ["find . -exec rm {} +", "run=find . -exec rm {} +", "run=rm {}"],
  [
    `find . -exec sh -c 'rm "$1"' _ {} ';'`,
    `run=find . -exec sh -c 'rm "$1"' _ {} ';'`,
    `run=sh -c 'rm "$1"' _ {}`,
    'run=rm "$1"',
  ],
  ["find . -execdir ./x {} ';'", "run=find . -execdir ./x {} ';'", "? run=./x {}"],
  ["find . -delete", "? run=find . -delete"],
  ["find . -name -name -delete", "? run=find . -name -name -delete"],
  ['git commit -m -m "$x"', '? run=git commit -m -m "$x"'],
  ['git log -m "$x"', '? run=git log -m "$x"'],
  ["git commit -m $x", "? run=git commit -m $x"],
  ["find . -fprintf out x", "? run=find . -fprintf out x"],
  ['find . -name "$x"', 'run=find . -name "$x"'],
  ['find "$x"', '? run=find "$x"'],
  ["fd -x rm {}", "run=fd -x rm {}", "run=rm {}"],
  ["parallel rm", "? run=parallel rm"],
  ["strace ls", "? run=strace ls"],
  ["command -v x", "run=bash -c 'command -v x'"],
  ["command rm x", "run=rm x"],
  ["exec rm x", "run=rm x"],
  ["ssh host 'rm x'", "run=ssh host 'rm x'"],
  ["ssh -oProxyCommand=x host", "? run=ssh -oProxyCommand=x host"],
  ["sed -i 's/a/b/g; 1,3d' x", "run=sed -i 's/a/b/g; 1,3d' x"],
  ["sed 's/a/b/e' x", "? run=sed 's/a/b/e' x"],
  ["sed 's|a|b|w out' x", "? run=sed 's|a|b|w out' x"],
  ["sed -n '1e rm' x", "? run=sed -n '1e rm' x"],
  ['sed "s/a/$x/" y', '? run=sed "s/a/$x/" y'],
  ["awk -F: '{print $1}' x", "run=awk -F: '{print $1}' x"],
  [`awk 'BEGIN{system("rm")}'`, `? run=awk 'BEGIN{system("rm")}'`],
  [`awk '{print > "x"}' y`, `? run=awk '{print > "x"}' y`],
  ["rg --pre x y", "? run=rg --pre x y"],
  ["rg $x", "? run=rg $x"],
  ['rg -- "$x"', 'run=rg -- "$x"'],
  ["tar -cf a *", "? run=tar -cf a *"],
  ["tar -cf a ./*", "run=tar -cf a ./*"],
  ["tar -Ix -cf a b", "? run=tar -Ix -cf a b"],
  ["rsync -e x a b", "? run=rsync -e x a b"],
  ["sort --compress-program=x", "? run=sort --compress-program=x"],
  ["git -c alias.x='!sh' x", "? run=git -c alias.x='!sh' x"],
  ["git -calias.x='!sh' x", "? run=git -calias.x='!sh' x"],
  ["git -C sub --exec-path=x log", "? run=git -C sub --exec-path=x log"],
  ["git --config-env=core.pager=X log", "? run=git --config-env=core.pager=X log"],
  ["git log --output=.git/hooks/post-commit", "? run=git log --output=.git/hooks/post-commit"],
  ["git diff --outp x", "? run=git diff --outp x"],
  ["git grep -Oless x", "? run=git grep -Oless x"],
  ["git fetch --upl=x origin", "? run=git fetch --upl=x origin"],
  ["git rebase -x make main", "? run=git rebase -x make main"],
  ["git bisect run make", "? run=git bisect run make"],
  ["git submodule foreach make", "? run=git submodule foreach make"],
  ["git filter-branch", "? run=git filter-branch"],
  ["git clone -c core.fsmonitor=x y", "? run=git clone -c core.fsmonitor=x y"],
  ['git commit -m "$x"', 'run=git commit -m "$x"'],
  ['git log "$x"', '? run=git log "$x"'],
  ['git log -- "$x"', 'run=git log -- "$x"'],
  ["git $x", "? run=git $x"],
];

for (const [command, ...expected] of WRAPPED) {
  Deno.test(`shellNeeds() judges ${JSON.stringify(command)} and what it runs`, async () => {
    assert.deepEqual([...new Set(text(await needsOf(command)))], expected);
  });
}

Deno.test("shellNeeds() says which programs only start another one that stands beside them", async () => {
  const everything: ShellHost = {
    ...host,
    findExecutable: (name, cwd) => Promise.resolve(name.includes("/") ? join(cwd, name) : `/usr/bin/${name}`),
  };
  const wrappers = async (command: string) =>
    (await shellNeeds(command, "/ws", everything)).filter(({ wrapper }) => wrapper).map(({ target }) =>
      target
    );
  assert.deepEqual(await wrappers("timeout 5 nice ls"), ["timeout 5 nice ls", "nice ls"]);
  assert.deepEqual(await wrappers("ls | xargs env A=1 cat"), ["xargs env A=1 cat", "env A=1 cat …"]);
  for (
    const command of [
      "timeout",
      "sh -c ls",
      "sudo ls",
      "./timeout 5 ls",
      "timeout 5",
      "env PATH=x ls",
      "find . -exec ls {} +",
    ]
  ) {
    assert.deepEqual(await wrappers(command), [], command);
  }
  const elsewhere: ShellHost = { ...everything, findExecutable: () => Promise.resolve("/ws/bin/timeout") };
  assert.ok((await shellNeeds("timeout 5 ls", "/ws", elsewhere)).every(({ wrapper }) => !wrapper));
});
