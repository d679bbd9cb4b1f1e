import assert from "node:assert/strict";
import { join } from "node:path";
import { type ShellHost, shellNeeds } from "../../core/policy/shell_command.ts";

const host: ShellHost = {
  resolve: (path) => Promise.resolve(join("/ws", path)),
  findExecutable: (name) => Promise.resolve(`/usr/bin/${name}`),
  isWritable: () => false,
};

/** True when a person has to look at it each time. */
async function asks(command: string): Promise<boolean> {
  return (await shellNeeds(command, "/ws", host)).some(({ opaque }) => opaque !== undefined);
}

/** Each bends the shell, the loader, or a program. */
const VARIABLES = `
  PATH CDPATH PWD OLDPWD HOME SHELL SHELLOPTS ENV PS0 PS1 PS4 PROMPT_COMMAND GLOBIGNORE INPUTRC TIMEFORMAT
  BASH_ENV BASHOPTS BASH_FUNC_ls LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT DYLD_INSERT_LIBRARIES DYLD_LIBRARY_PATH
  GCONV_PATH LOCPATH MALLOC_CHECK_ GLIBC_TUNABLES TERMINFO
  GIT_DIR GIT_SSH GIT_SSH_COMMAND GIT_CONFIG_GLOBAL GIT_EXTERNAL_DIFF GIT_EXEC_PATH GIT_ASKPASS SSH_ASKPASS SSH_AUTH_SOCK
  PAGER GIT_PAGER MANPAGER EDITOR GIT_EDITOR VISUAL BROWSER LESSOPEN LESSCLOSE
  NODE_OPTIONS NODE_PATH NODE_EXTRA_CA_CERTS NPM_CONFIG_SCRIPT_SHELL npm_config_registry DENO_DIR
  PYTHONPATH PYTHONSTARTUP PYTHONHOME PYTHONBREAKPOINT PIP_INDEX_URL PYTEST_ADDOPTS
  PERL5OPT PERL5LIB RUBYOPT RUBYLIB PHPRC LUA_INIT JAVA_TOOL_OPTIONS _JAVA_OPTIONS CLASSPATH MAVEN_OPTS GRADLE_OPTS
  CC CXX CFLAGS LDFLAGS LD MAKEFLAGS RUSTC RUSTC_WRAPPER RUSTFLAGS CARGO_BUILD_RUSTC GOFLAGS GOPROXY
  DOCKER_HOST KUBECONFIG AWS_PROFILE OPENSSL_CONF SSL_CERT_FILE CURL_HOME TAR_OPTIONS RSYNC_RSH RIPGREP_CONFIG_PATH
  DBUS_SESSION_BUS_ADDRESS DISPLAY GNUPGHOME XDG_CONFIG_HOME HOSTALIASES
`.trim().split(/\s+/);
const HARMLESS = ["A", "NAME", "CI", "NODE_ENV", "PYTHONUNBUFFERED", "CARGO_TERM_COLOR", "GOARCH", "LC_ALL"];

Deno.test("shellNeeds() leaves to a person whatever sets a variable that bends programs", async () => {
  const ways = (name: string) => [`${name}=x ls`, `export ${name}=x; ls`, `env ${name}=x ls`];
  for (const name of VARIABLES) {
    for (const command of ways(name)) assert.ok(await asks(command), command);
  }
  for (const name of HARMLESS) {
    for (const command of ways(name)) assert.ok(!await asks(command), command);
  }
});

/** Programs that run what their words name, in ways that are not followed. */
const RUNNERS = `
  su pkexec runuser setpriv capsh gosu su-exec parallel prlimit unbuffer expect entr start-stop-daemon daemonize chroot
  unshare nsenter bwrap firejail fakeroot setarch linux32 linux64 strace ltrace gdb lldb valgrind perf xvfb-run
  dbus-run-session systemd-run at batch crontab toybox run-parts screen tmux numactl choom cgexec rlwrap dumb-init tini
  proot faketime ssh-agent dtach abduco chronic ifne cpulimit trickle torsocks proxychains proxychains4 pexec
  fish csh tcsh pwsh zsh ksh mksh rbash elvish nu xonsh hyperfine watchexec nodemon
  sudo doas ld-linux-x86-64.so.2 /lib64/ld-linux-x86-64.so.2
`.trim().split(/\s+/);

Deno.test("shellNeeds() leaves to a person what runs another program in a way that is not followed", async () => {
  for (const name of RUNNERS) assert.ok(await asks(`${name} ls`), name);
});

/** What runs or writes more than it says, and beside it what does not. */
const OPTIONS: readonly (readonly [hidden: string, plain: string])[] = [
  ["rg --pre=x y", "rg --pretty y"],
  ["rg --hostname-bin x y", "rg y"],
  ["tar -Fx -cf a b", "tar -cf a b"],
  ["tar --to-command=x -xf a", "tar --totals -xf a"],
  ["tar --to-c x -xf a", "tar -xf a"],
  ["tar --checkpoint-action=exec=x -cf a b", "tar --checkpoint -cf a b"],
  ["tar --use-compress-program=x -cf a b", "tar --utc -tf a"],
  ["tar --info-script=x -cf a b", "tar -cf a ./b"],
  ["tar --new-volume-script=x -cf a b", "tar -cf a ./c"],
  ["tar --rsh-command=x -cf a b", "tar -cf a ./d"],
  ["tar --rmt-command=x -cf a b", "tar -cf a ./e"],
  ["rsync --rsh=x a b", "rsync a b"],
  ["rsync -ae x a b", "rsync -a a b"],
  ["ssh -o LocalCommand=x h", "ssh h"],
  ["ssh -F x h", "ssh -v h"],
  ["ssh -o PKCS11Provider=x h", "ssh -4 h"],
  ["scp -S x a h:", "scp a h:"],
  ["sftp -D x h", "sftp h"],
  ["find . -fls x", "find . -ls"],
  ["find . -fprint x", "find . -print"],
  ["find . -fprint0 x", "find . -print0"],
  ['fd "$x"', "fd x"],
  ['fdfind "$x"', "fdfind x"],
  ["zip -T -TT x a b", "zip a b"],
  ["man -P x ls", "man ls"],
  ["man --pager=x ls", "man -k ls"],
  ["man --html=x ls", "man -f ls"],
  ["vim -c '!x' a", "vim a"],
  ["vim +x a", "vim -R a"],
  ["vi --cmd x a", "vi a"],
  ["less +x a", "less a"],
  ["dc -e '!x'", "bc a"],
  ["ed a", "cat a"],
  ["ex a", "cat a"],
  ["sqlite3 a '.shell x'", "sqlite3 a 'select 1'"],
  ["sqlite3 -cmd x a", "sqlite3 a"],
  ["sort --compress-p=x a", "sort a"],
  ["split --filter=x a", "split a"],
  ["install --strip-program=x a b", "install a b"],
  ["wget --use-askpass=x h.test", "wget h.test"],
  ["wget --execute=x h.test", "wget -q h.test"],
  ["wget --config=x h.test", "wget -c h.test"],
  ["bat --pager=x a", "bat a"],
  ["batcat --pager=x a", "batcat a"],
  ["ag --pager=x a", "ag a"],
  ["ack --pager=x a", "ack a"],
  ["nice --what ls", "nice -n 3 ls"],
  ["timeout --what 5 ls", "timeout -v 5 ls"],
  ["git for-each-repo --config=x ls", "git log"],
  ["git remote-ext x y", "git remote -v"],
  ["git hook run x", "git hook list x"],
  ["git instaweb", "git status"],
  ["git send-email x", "git format-patch -1"],
  ["git difftool x", "git diff x"],
  ["git difftool", "git diff"],
  ["git mergetool", "git merge x"],
  ["git clone -u x y", "git clone y"],
  ["git clone --config=a=b y", "git clone --depth=1 y"],
  ["git clone --template=x y", "git clone --no-tags y"],
  ["git fetch --upload-pack=x", "git fetch --all"],
  ["git push --receive-pack=x", "git push --tags"],
  ["git push --exec=x", "git push --all"],
  ["git difftool --extcmd=x", "git diff --stat"],
  ["git grep --open-files-in-pager x", "git grep x"],
];

Deno.test("shellNeeds() leaves to a person the options that run or write more than they say", async () => {
  for (const [hidden, plain] of OPTIONS) {
    assert.ok(await asks(hidden), hidden);
    assert.ok(!await asks(plain), plain);
  }
});
