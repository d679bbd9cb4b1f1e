import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import type { ProcessLimits } from "../../core/sandbox/processes.ts";
import type { ProcessSpec } from "../../core/sandbox/sandbox.ts";
import type { Said } from "./_confined_place.ts";
import { type Holding, type WarmPlace, warmPlace, whyNotWarm } from "./_warm_place.ts";

const missing = {
  bubblewrap: await whyNotWarm("bubblewrap"),
  landlock: await whyNotWarm("landlock"),
  none: await whyNotWarm("none"),
};
const ALL: readonly Holding[] = ["bubblewrap", "landlock", "none"];

/** A test for each layer that this machine has; on one without, it is ignored, and says which. */
function onEach(
  holdings: readonly Holding[],
  name: string,
  work: (at: WarmPlace, holding: Holding) => Promise<void>,
  limits?: ProcessLimits,
): void {
  for (const holding of holdings) {
    const why = missing[holding];
    Deno.test({
      name: `${name} (${holding}${why === undefined ? "" : `: ${why}`})`,
      ignore: why !== undefined,
      async fn() {
        await using at = await warmPlace(holding, limits);
        await work(at, holding);
      },
    });
  }
}

/** What is said of a command, without what differs between any two runs. */
function seen(said: Said) {
  const { code, signal, timedOut, outputExceeded, limit, background, refusals, connected, stdout, stderr } =
    said;
  return { code, signal, timedOut, outputExceeded, limit, background, refusals, connected, stdout, stderr };
}

/** The same whether a command has its own confinement, makes a shell, or is the next in one. */
async function isAlike(at: WarmPlace, command: string, more: Partial<ProcessSpec> = {}): Promise<Said> {
  const cold = await at.run(command, more);
  for (const when of ["first", "next"]) {
    const warm = await at.run(command, { ...more, reuse: "a" });
    assert.deepEqual(seen(warm), seen(cold), `${when}: ${command.slice(0, 200)}`);
  }
  return cold;
}

const ENDINGS = [
  ...[0, 1, 3, 126, 127, 128, 129, 143, 255].map((code) => `exit ${code}`),
  ...["TERM", "KILL", "SEGV", "USR1", "HUP", "ABRT", "XCPU"].map((name) => `kill -s ${name} $$; sleep 1`),
  "kill 0; sleep 1",
  "exec false",
  "exec /bin/sh -c 'exit 9'",
  "/nonexistent",
  "nonexistent-xyz",
  "if",
  "set -e; false; echo no",
  "set -o pipefail; false | true",
  "trap 'echo bye' EXIT; exit 4",
  "trap 'echo got; exit 5' TERM; kill $$; sleep 1",
  "trap '' TERM; kill $$; echo on",
  "(exit 6)",
  "false & wait $!",
];

const OUTPUTS = [
  "printf ''",
  "printf 'no end'",
  "echo out; echo err >&2",
  "printf '\\0\\1\\377\\0'; printf '\\0' >&2",
  "head -c 3000000 /dev/zero",
  "head -c 3000000 /dev/zero | tr '\\0' x >&2",
  "seq 100000",
  "echo x >/dev/stdout; echo y >/dev/stderr",
  "cat; read -r line; echo $?; wc -c </dev/stdin",
  "[ -p /dev/stdout ] && [ -p /dev/stderr ] && [ -c /dev/stdin ] && echo pipes",
  "ls /proc/self/fd",
  "for fd in /proc/self/fd/*; do [ -w $fd ] && echo ${fd##*/}; done",
];

const SURROUNDINGS = [
  "pwd; pwd -P; echo $PWD ${OLDPWD-unset}; cd -; echo $?",
  'echo "$0 $# $- $SHLVL $BASH_SUBSHELL"; shopt; set -o; alias; declare -F; trap -p',
  "env -u PRYX_RUN | sort",
  "compgen -v | sort",
  "ulimit -a; ulimit -H -a",
  "umask; umask 077; umask",
  'echo x > "$TMPDIR/x"; cat "$TMPDIR/x"; rm "$TMPDIR/x"',
  "cd /; export A=b; set -f; umask 0; alias a=b; ulimit -n 9; exec 9>&1",
  "grep -E '^(Sig(Blk|Ign|Cgt)|Seccomp|NoNewPrivs|Cap...):' /proc/self/status",
  "set -m; sleep 0.01 & fg; jobs; echo $?",
  "nice; ls -l /proc/self/cwd | sed 's/.*-> //'",
];

const BYTES = [
  "echo 'a b'\\''c \"d\" $HOME `id`'",
  "printf '%s\\n' one \\\n two",
  "cat <<'EOF'\nEOF2\n$x 'y'\nEOF",
  "-n",
  "echo ü 漢 \u{1f600}",
  "printf %s '\u0001\u007f\r\t\u001b[0m'",
  "echo \\",
  "'",
  `echo ${"x".repeat(30_000)} | wc -c`,
  `echo '${"y".repeat(100_000)}' | wc -c`,
];

onEach(ALL, "a command is told from one that has its own confinement by nothing", async (at) => {
  for (const command of [...ENDINGS, ...OUTPUTS, ...SURROUNDINGS, ...BYTES]) {
    await isAlike(at, command);
    await isAlike(at, command, { mergeStderr: true });
  }
});

onEach(ALL, "commands of one owner share a shell, and those of another have theirs", async (at, holding) => {
  await at.untilWarm();
  const one = await at.shell();
  assert.equal(await at.shell(), one);
  for (const more of [{ reuse: "b" }, { env: { A: "1" } }]) assert.notEqual(await at.shell(more), one);
  if (holding !== "none") assert.notEqual(await at.shell({}, { unixSockets: true }), one);
  assert.equal(await at.shell(), one);
});

onEach(ALL, "variables of a command are its own, those that shells set too", async (at) => {
  const variables: readonly Record<string, string>[] = [
    { A: "a'b\nc" },
    { PWD: "/", OLDPWD: "/x" },
    { SHLVL: "7", _: "u" },
    { TMPDIR: "/nowhere" },
    {
      pryx_code: "1",
      pryx_left: "x",
      code: "2",
      IFS: "o",
      PS4: "$(id)",
      ENV: "/dev/null",
      PATH: "/bin:/nowhere",
    },
  ];
  for (const env of variables) {
    for (let time = 0; time < 2; time++) await isAlike(at, "env -u PRYX_RUN | sort; cd; cd - >&2", { env });
  }
});

onEach(ALL, "a command too long for the system fails as it does alone", async (at) => {
  const long = `echo '${"z".repeat(140_000)}'`;
  const errors: string[] = [];
  for (const reuse of [undefined, "a"]) {
    const said = await at.run(long, reuse ? { reuse } : {}).then(seen, String);
    errors.push(JSON.stringify(said));
  }
  assert.equal(errors[0], errors[1]);
});

onEach(ALL, "folders with strange names are worked in", async (at) => {
  for (const name of ["-", "a'b", "new\nline", " space ", "$HOME", "ü"]) {
    const cwd = join(at.work, name);
    await Deno.mkdir(cwd);
    const { out } = await isAlike(at, "pwd; echo x > file; cat file", { cwd });
    assert.ok(out.startsWith(cwd), out);
  }
  await isAlike(at, "pwd; touch file", { cwd: at.outside });
  await isAlike(at, "pwd", { cwd: "/" });
  await isAlike(at, "pwd", { cwd: "/usr/bin" });
  await assert.rejects(at.run("pwd", { cwd: join(at.work, "gone"), reuse: "a" }), { code: "not_found" });
});

onEach(ALL, "what a program sets on its pipes is gone with it", async (at) => {
  await at.untilWarm();
  const before = await at.shell();
  await at.run(
    "python3 -c 'import os; os.set_blocking(1, False); os.set_blocking(2, False); os.set_blocking(0, False)'",
    { reuse: "a" },
  );
  const { out } = await at.run("head -c 2000000 /dev/zero | wc -c; head -c 2000000 /dev/zero", {
    reuse: "a",
  });
  assert.equal(out.length, 2_000_008);
  assert.equal(await at.shell(), before);
});

onEach(ALL, "processes that are left behind are treated as ever", async (at) => {
  // Whether it has quite ended by the time its output has is a matter of luck.
  const held = await at.run("(sleep 0.05; echo late) & echo first", { reuse: "a" });
  assert.deepEqual([held.out, held.code], ["first\nlate\n", 0]);
  await isAlike(at, "sleep 60 & echo held");
  await isAlike(at, "sleep 0.01 >/dev/null 2>&1 & echo short; wait");
  const left = await isAlike(at, "sleep 60 >/dev/null 2>&1 & echo left");
  assert.equal(left.background, true);
  // It is ended when that is asked for, and no command ran beside it in its shell.
  const next = await at.run("ps -e -o args= | grep -c '^sleep 60'", { reuse: "a", endsBackground: true });
  assert.equal(next.out, "0\n");
});

onEach(ALL, "output is told while the command runs, in order", async (at) => {
  await at.untilWarm();
  const signals = new AbortController();
  const pieces: string[] = [];
  const work = at.run("echo one; echo two >&2; sleep 60", {
    reuse: "a",
    mergeStderr: true,
    signal: signals.signal,
    onOutput(piece) {
      pieces.push(piece);
      if (pieces.join("") === "one\ntwo\n") signals.abort(new Error("seen"));
    },
  });
  await assert.rejects(work, /seen/);
  assert.equal((await at.run("echo after", { reuse: "a" })).out, "after\n");
});

onEach(ALL, "a command that takes too long is ended, and the next one runs", async (at) => {
  for (const command of ["sleep 60", "trap '' TERM; sleep 60; sleep 60"]) {
    const cold = await at.run(command, { timeoutMs: 200 });
    for (let time = 0; time < 2; time++) {
      const warm = await at.run(command, { timeoutMs: 200, reuse: "a" });
      assert.deepEqual([warm.timedOut, warm.code, warm.signal, warm.background], [
        true,
        cold.code,
        cold.signal,
        false,
      ]);
      assert.equal((await at.run("echo after", { reuse: "a" })).out, "after\n");
    }
  }
});

onEach(ALL, "a command that writes too much is ended, and the next one runs", async (at) => {
  for (const reuse of [undefined, "a", "a"]) {
    const said = await at.run("yes", { killAfterBytes: 1_000_000, ...reuse ? { reuse } : {} });
    assert.deepEqual([said.outputExceeded, said.timedOut], [true, false]);
  }
  assert.equal((await at.run("echo after", { reuse: "a" })).out, "after\n");
});

onEach(ALL, "a command that ends its shell is what failed, and the next one has another", async (at) => {
  await at.untilWarm();
  for (const command of ["kill -9 $PPID; exec sleep 60", "kill -9 $PPID"]) {
    const said = await at.run(command, { reuse: "a" });
    assert.ok(said.code !== 0 && !said.timedOut, JSON.stringify(seen(said)));
    assert.equal((await at.run("echo after", { reuse: "a" })).out, "after\n");
  }
  const stopped = await at.run("kill -STOP $PPID", { reuse: "a", timeoutMs: 500 });
  assert.ok(stopped.timedOut || stopped.code === 0);
  assert.equal((await at.run("echo after", { reuse: "a" })).out, "after\n");
});

onEach(ALL, "limits hold for each command", async (at) => {
  await at.untilWarm();
  for (const command of ["while :; do :; done", "for i in {1..200}; do sleep 60 & done; wait"]) {
    const said = await at.run(command, { reuse: "a", timeoutMs: 15_000 });
    assert.ok(said.limit !== undefined || said.signal === "SIGKILL", JSON.stringify(seen(said)));
    assert.equal(said.timedOut, false);
    assert.equal((await at.run("echo after", { reuse: "a" })).out, "after\n");
  }
}, { cpuSeconds: 1, processes: 60 });

onEach(ALL, "commands at the same time do not wait for each other", async (at) => {
  await at.untilWarm();
  await at.run("mkfifo 0 1 2 3 4 5");
  // Six that wait until a seventh has spoken to them all.
  const all = Array.from({ length: 6 }, (_, i) => at.run(`read -r x <${i}; echo ${i} $x`, { reuse: "a" }));
  const told = await at.run("for i in 0 1 2 3 4 5; do echo hello >$i; done", { reuse: "a" });
  assert.equal(told.code, 0);
  assert.deepEqual(
    (await Promise.all(all)).map(({ out }) => out),
    [0, 1, 2, 3, 4, 5].map((i) => `${i} hello\n`),
  );
});

onEach(["bubblewrap"], "what one command leaves in folders of its own the next does not find", async (at) => {
  const places = ["/tmp/left", "/tmp/.left", "/dev/shm/left", "/dev/left"];
  for (const place of places) {
    await at.untilWarm();
    assert.equal((await at.run(`echo x > ${place}; cat ${place}`, { reuse: "a" })).out, "x\n");
    const { out } = await at.run(`cat ${place} 2>/dev/null; ls -A /tmp /dev/shm | grep left; echo none`, {
      reuse: "a",
    });
    assert.equal(out, "none\n");
  }
  await at.untilWarm();
  await at.run("ipcmk -M 4096", { reuse: "a" });
  assert.ok(!(await at.run("cat /proc/sysvipc/shm", { reuse: "a" })).out.trim().includes("\n"));
});

onEach(
  ["bubblewrap"],
  "a command reaches neither what its shell is told through nor its memory",
  async (at) => {
    await at.untilWarm();
    const said = await at.run(
      "for f in fd/0 fd/1 fd/5 environ mem maps; do (: </proc/$PPID/$f) 2>/dev/null && echo read $f; done; " +
        "(echo 'echo planted' >/proc/$PPID/fd/0) 2>/dev/null && echo wrote; cat /dev/sh 2>/dev/null && echo shell",
      { reuse: "a" },
    );
    assert.equal(said.out, "");
    assert.equal((await at.run("echo after", { reuse: "a" })).out, "after\n");
  },
);

onEach(
  ["bubblewrap", "landlock"],
  "a closed file that comes up is closed for the next command",
  async (at, holding) => {
    const more = holding === "landlock" ? { write: [] } : {};
    const spec = { reuse: "a" };
    await at.untilWarm(spec, more);
    await Deno.mkdir(join(at.work, "deep"));
    await Deno.writeTextFile(join(at.work, "deep/.env"), "CANARY");
    for (let time = 0; time < 2; time++) {
      const said = await at.run("cat deep/.env; true", { ...spec, mergeStderr: true }, more);
      assert.ok(!said.out.includes("CANARY") && said.out !== "", said.out);
    }
  },
);

onEach(["bubblewrap"], "a closed file that another takes the place of stays closed", async (at) => {
  const file = join(at.work, ".env");
  const exchanges: readonly (() => Promise<void>)[] = [
    async () => {
      await Deno.writeTextFile(join(at.work, "new"), "CANARY");
      await Deno.rename(join(at.work, "new"), file);
    },
    async () => {
      await Deno.remove(file);
      await Deno.writeTextFile(file, "CANARY");
    },
    async () => {
      await Deno.mkdir(join(at.work, "sub"));
      await Deno.rename(file, join(at.work, "sub/.env"));
      await Deno.writeTextFile(file, "CANARY");
    },
  ];
  await Deno.writeTextFile(file, "CANARY");
  for (const exchange of exchanges) {
    await at.untilWarm();
    await exchange();
    const said = await at.run("cat .env sub/.env; true", { reuse: "a", mergeStderr: true });
    assert.ok(!said.out.includes("CANARY"), said.out);
  }
});

onEach(
  ["bubblewrap", "landlock"],
  "a folder that another takes the place of is the one that is worked in",
  async (at) => {
    const folder = join(at.work, "root");
    const roots = { read: [folder], write: [folder] };
    await Deno.mkdir(folder);
    await at.untilWarm({ cwd: folder }, roots);
    await Deno.rename(folder, `${folder}.old`);
    await Deno.mkdir(folder);
    assert.equal((await at.run("echo x > file", { reuse: "a", cwd: folder }, roots)).code, 0);
    assert.equal(await Deno.readTextFile(join(folder, "file")), "x\n");
  },
);

onEach(["bubblewrap", "landlock"], "what is outside, and what was refused, is the same", async (at) => {
  const secret = join(at.outside, "secret");
  await Deno.writeTextFile(secret, "CANARY");
  for (
    const command of [
      `cat '${secret}'`,
      `echo x > '${join(at.outside, "made")}'`,
      'touch "$HOME/made"',
      "exec 3<>/dev/tcp/127.0.0.1/9",
      "echo x > /etc/made; ls /root",
      "unshare -U true; mount -t tmpfs x /mnt",
    ]
  ) {
    const { out } = await isAlike(at, command, { mergeStderr: true });
    assert.ok(!out.includes("CANARY"));
  }
});

// No pipelines and nothing in the background: what comes first there is a matter of luck.
onEach(ALL, "any small script does the same", async (at) => {
  const word = fc.constantFrom("a", "'b c'", "$HOME", '"$TMPDIR"', "*", "$?", "$((1+2))", "$(echo d)", "''");
  const simple = fc.oneof(
    fc.tuple(fc.constantFrom("echo", "printf '%s'", "test", "cat", "cd", "false", "true", "exit"), word)
      .map(([program, argument]) => `${program} ${argument}`),
    fc.constantFrom(
      "cat",
      "read x",
      "set -e",
      "set -u; echo $nope",
      "trap 'echo t' EXIT",
      "kill $BASHPID",
    ),
  );
  const redirect = fc.constantFrom(
    "",
    "",
    "",
    " >&2",
    " 2>&1",
    " 2>/dev/null",
    " >file",
    " <file",
    " >>file",
  );
  const script = fc.array(
    fc.tuple(simple, redirect, fc.constantFrom("; ", " && ", " || ", "\n")),
    { minLength: 1, maxLength: 5 },
  ).map((parts) => parts.map((part) => part.join("")).join("") + "true");
  await fc.assert(
    fc.asyncProperty(script, fc.boolean(), async (command, mergeStderr) => {
      const results: unknown[] = [];
      for (const reuse of [undefined, "a"]) {
        await Deno.remove(join(at.work, "file")).catch(() => {});
        results.push(seen(await at.run(command, { mergeStderr, ...reuse ? { reuse } : {} })));
      }
      assert.deepEqual(results[1], results[0]);
    }),
    { numRuns: 40 },
  );
});

Deno.test({
  name: "a shell that waits for commands keeps no program from ending, and ends with it",
  ignore: missing.none !== undefined,
  async fn() {
    const work = await Deno.realPath(await Deno.makeTempDir());
    try {
      const program = fileURLToPath(new URL("_idle_program.ts", import.meta.url));
      const started = performance.now();
      const { success, stdout } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", program, work],
        env: { TMPDIR: work },
      }).output();
      const [one, two] = new TextDecoder().decode(stdout).split("\n");
      assert.ok(success && one === two, `${one} ${two}`);
      assert.ok(performance.now() - started < 9_000, "it waited for the shell");
      // What the reaper removes last.
      const end = performance.now() + 10_000;
      while ([...Deno.readDirSync(work)].length > 0) {
        assert.ok(performance.now() < end, [...Deno.readDirSync(work)].map(({ name }) => name).join());
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    } finally {
      await Deno.remove(work, { recursive: true });
    }
  },
});
