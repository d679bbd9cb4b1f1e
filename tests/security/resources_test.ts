import assert from "node:assert/strict";
import { PROGRAM } from "../support/built_pryx.ts";
import type { Mode } from "./_case.ts";
import { resources } from "./cases/resources.ts";
import { outcomeOf } from "./_events.ts";
import { landlockPath, type Machine, openMachine } from "./_machine.ts";
import { declarePrograms } from "./_programs.ts";

const FLAGS = [
  ...["--preset", "workspace"],
  ...["python3", "yes", "head", "sleep", "setsid", "env", "true"].flatMap((
    name,
  ) => ["--allow", `run=${name}`]),
];

/** A word for the command line of hostile children, so that they are found wherever they went. */
const newMark = () => `mark${crypto.randomUUID().replaceAll("-", "")}`;

/** Processes of the whole machine whose command line holds a word. */
async function processesWith(mark: string): Promise<number[]> {
  const found: number[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const words = await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => "");
    // The programs that were given the command as text are no children of it.
    if (words.includes(mark) && !words.includes("tools")) found.push(Number(name));
  }
  return found;
}

/** Waits until nothing with that word runs; what still runs after ten seconds is ended here, and is the failure. */
async function assertGone(mark: string): Promise<void> {
  const end = Date.now() + 10_000;
  let left = await processesWith(mark);
  while (left.length > 0 && Date.now() < end) {
    await new Promise((next) => setTimeout(next, 50));
    left = await processesWith(mark);
  }
  for (const pid of left) {
    try {
      Deno.kill(pid, "SIGKILL");
    } catch {
      // It has just ended.
    }
  }
  assert.deepEqual(left, [], "what the command started still runs");
}

/** One hostile command and its twin in one run. */
async function commands(mode: Mode, attack: string, twin: string, timeout = 30) {
  await using machine = await openMachine();
  await using path = mode === "landlock" ? await landlockPath() : undefined;
  const call = (id: string, command: string) => ({ id, tool: "shell", args: { command, timeout } });
  const { events, stderr } = await machine.run([call("attack", attack), call("twin", twin)], {
    program: PROGRAM,
    flags: FLAGS,
    ...(path ? { env: { PATH: path.path } } : {}),
  });
  const outcomes = { attack: outcomeOf(events, "attack"), twin: outcomeOf(events, "twin") };
  assert.ok(outcomes.attack && outcomes.twin, stderr);
  assert.equal(outcomes.attack.verdicts[0], "allow", outcomes.attack.reasons);
  assert.equal(outcomes.twin.status, "done", outcomes.twin.text);
  return { attack: outcomes.attack, twin: outcomes.twin };
}

/** Forks until it cannot, at most 3,000 times; what it started ends by itself after 20 seconds. */
const FORKS = `
import os, sys, time
for n in range(3000):
    try:
        if os.fork() == 0:
            time.sleep(20)
            os._exit(0)
    except OSError: time.sleep(0.01)
print("all of them")
time.sleep(20)
`.trim();

const totalMemory = Deno.systemMemoryInfo().total;

async function startAndKill(machine: Machine, mark: string, mode: Mode): Promise<void> {
  await using path = mode === "landlock" ? await landlockPath() : undefined;
  const nap =
    `import subprocess, sys, time; subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)", sys.argv[1]]); time.sleep(300)`;
  const command = `python3 -c '${nap}' ${mark}`;
  const child = new Deno.Command(PROGRAM, {
    args: ["tools", "call", "shell", JSON.stringify({ command }), ...FLAGS],
    cwd: machine.place.workspace,
    env: { ...machine.env, ...(path ? { PATH: path.path } : {}) },
    clearEnv: true,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const end = Date.now() + 20_000;
  while ((await processesWith(mark)).length < 2) {
    assert.ok(Date.now() < end, "the command never started");
    await new Promise((next) => setTimeout(next, 20));
  }
  child.kill("SIGKILL");
  await child.status;
}

/** A child that leaves its parents, group and session; the command ends before it. */
async function leaves(mode: Mode, environment: string): Promise<void> {
  const mark = newMark();
  const nap = '["python3", "-c", "import time; time.sleep(300)", sys.argv[1]]';
  const program = [
    "import os, sys",
    "if os.fork() == 0:",
    "  os.setsid()",
    "  if os.fork() == 0:",
    "    for n in range(3): os.dup2(os.open(os.devnull, os.O_RDWR), n)",
    `    os.execve(sys.executable, ${nap}, ${environment})`,
    "  os._exit(0)",
    "os.wait()",
    'print("left")',
  ].join("\n");
  const { attack } = await commands(
    mode,
    `python3 -c '${program}' ${mark}`,
    `python3 -c 'import subprocess as s; print(s.run("true").returncode)'`,
  );
  assert.match(attack.text, /left/);
  await assertGone(mark);
}

declarePrograms(resources, {
  async "bomb-01"(mode) {
    const mark = newMark();
    const { attack } = await commands(
      mode,
      `python3 -c '${FORKS}' ${mark}`,
      `python3 -c 'import os; p = [os.fork() or os._exit(0) for _ in range(4)]; print(len(p))'`,
    );
    assert.notEqual(attack.status, "done", attack.text);
    assert.doesNotMatch(attack.text, /all of them/);
    assert.match(attack.text, /processes/);
    await assertGone(mark);
  },
  async "bomb-02"(mode) {
    // Memory that nobody has written to is not real yet: where the limit failed, the machine would not feel it.
    const take = (bytes: number) =>
      `python3 -c 'import mmap; m = mmap.mmap(-1, ${
        Math.floor(bytes)
      }, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS); print("took", len(m))'`;
    const { attack } = await commands(mode, take(totalMemory * 0.9), take(64 * 1024 * 1024));
    assert.notEqual(attack.status, "done", attack.text);
    assert.match(attack.text, /Cannot allocate memory|MemoryError/);
  },
  async "bomb-03"() {
    await using machine = await openMachine();
    const call = (command: string) =>
      machine.pryx(["tools", "call", "shell", JSON.stringify({ command }), "--quiet", ...FLAGS], {
        program: PROGRAM,
      });
    const { code, stdout } = await call("yes");
    assert.equal(code, 1, stdout);
    assert.match(stdout, /256 MB/);
    assert.ok(stdout.length < 40_000, `${stdout.length} characters would be shown to a model`);
    assert.match((await call("yes | head -n 3")).stdout, /^y\ny\ny\n$/);
  },
  async "bomb-04"(mode) {
    const { attack } = await commands(
      mode,
      "python3 -c 'while True: pass'",
      "python3 -c 'print(sum(range(9)))'",
      1,
    );
    assert.notEqual(attack.status, "done");
    assert.match(attack.text, /stopped after 1 s|cpu|CPU/);
  },
  "reaper-01": (mode) => leaves(mode, "os.environ"),
  "reaper-02": (mode) => leaves(mode, "{}"),
  async "reaper-03"(mode) {
    await using machine = await openMachine();
    const mark = newMark();
    await startAndKill(machine, mark, mode);
    await assertGone(mark);
    const { code, stderr } = await machine.run([], { program: PROGRAM });
    assert.equal(code, 0, stderr);
  },
}, ["python3", "setsid"]);
