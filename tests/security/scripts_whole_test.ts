import assert from "node:assert/strict";
import { join } from "node:path";
import { PROGRAM } from "../support/built_pryx.ts";
import type { Mode } from "./_case.ts";
import { wholeRuns } from "./cases/scripts/whole.ts";
import { type Machine, openMachine, put } from "./_machine.ts";
import { openPty } from "./_pty.ts";
import { declares, outside, type Script } from "./_script.ts";
import { assertKept, programOf, runScript } from "./_scripts.ts";
import { missing, testCase } from "./_suite.ts";

const OSC = "\x1b]52;c;SGFjaw==\x07";
const TITLE = "\x1b]0;HOSTILE\x07";
const BIDI = "\u202e";
const CLEAR = "\x1b[3J\x1b[31;5m";
const ALL = `${OSC}${TITLE}${BIDI}${CLEAR}`;

/** None of it came to the terminal as it is. */
function assertHarmless(written: string): void {
  for (const raw of ["\x1b]52", "\x1b]0;HOSTILE", BIDI, "\x1b[3J", "\x1b[31;5m"]) {
    assert.ok(
      !written.includes(raw),
      `${JSON.stringify(raw)} reached the terminal: ${JSON.stringify(written.slice(-2000))}`,
    );
  }
}

const READS = `${declares({ run: ["echo"] })}import { sh } from "pryx";
console.log(await sh\`echo read it\`.text().catch((error) => error.code));`;

/** A preset under which running a command is asked about. */
const ASKS = ["--preset", "read-only"];

function inTerminal({ place, env }: Machine, file: string, flags: readonly string[] = []) {
  return openPty([PROGRAM, "run", ...flags, file], { cwd: place.workspace, env });
}

/** Exchanges two paths over and over until it is disposed. */
function exchanging(one: string, other: string): AsyncDisposable {
  const child = new Deno.Command("python3", {
    args: [
      "-c",
      `import ctypes, random, sys, time
one, other = (word.encode() for word in sys.argv[1:])
libc = ctypes.CDLL(None)
while True:
    libc.renameat2(-100, one, -100, other, 2)
    time.sleep(random.random() * 0.002)`,
      one,
      other,
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
    },
  };
}

const drives: Readonly<Record<string, (mode: Mode) => Promise<void>>> = {
  async "script-38"() {
    await using machine = await openMachine();
    const { place } = machine;
    await Deno.mkdir(place.at(".pryx"));
    for (
      const name of [
        `jo${CLEAR}b${BIDI}.pryx.ts`,
        "job\n  read  nothing at all.pryx.ts",
        `${TITLE}/job.pryx.ts`,
      ]
    ) {
      await put(place.at(name), READS);
      await using pty = inTerminal(machine, name, ASKS);
      await pty.writes(/declares that it may|Allow that/);
      assertHarmless(pty.written);
      assert.doesNotMatch(pty.written.replaceAll("\r", ""), /^\s*│?\s*read {2}nothing at all(?!.pryx)/m);
      await pty.type("no\r");
      assert.notEqual(await pty.ended(), 0);
      assert.doesNotMatch(pty.written, /read it/);
    }
    await put(place.at("job.pryx.ts"), READS);
    await using pty = inTerminal(machine, "job.pryx.ts", ASKS);
    await pty.writes(/Allow that/);
    await pty.type("once\r");
    await pty.writes(/read it/);
    assert.equal(await pty.ended(), 0);
  },

  async "script-39"() {
    await using machine = await openMachine();
    const { place } = machine;
    await Deno.mkdir(place.at(".pryx"));
    const all = JSON.stringify(ALL);
    const says = [
      `console.log(${all} + "x")`,
      `console.error("%s %o", ${all}, { [${all}]: ${all} })`,
      `console.table?.([{ a: ${all} }])`,
      `log.info(${all}, { a: ${all} })`,
      `log.error(${all})`,
      `ui.markdown("# " + ${all} + "\\n[x](http://" + ${all} + ")")`,
      `ui.table([{ [${all}]: ${all} }] as any)`,
      `(ui as any).progress(${all})?.update?.(${all})`,
      `fs.read(${all}).catch((error) => console.log(error.message, error.fix))`,
      `sh\`printf %s \${${all}}\`.catch((error) => console.log(error.message))`,
    ];
    for (
      const last of [
        `await ui.confirm(${all} + "sure?")`,
        `await ui.select(${all} + "sure?", [${all}, "b"])`,
        `await ui.input(${all} + "sure?", { default: ${all} } as any)`,
        `console.log("sure?"); throw Object.assign(new Error(${all}), { name: ${all}, code: ${all}, fix: ${all} })`,
      ]
    ) {
      await put(
        place.at("job.pryx.ts"),
        `import { fs, log, sh, ui } from "pryx";\nvoid [fs, log, sh, ui];\n${
          says.map((say) => `try { await ${say}; } catch {}`).join("\n")
        }\n${last};`,
      );
      await using pty = inTerminal(machine, "job.pryx.ts");
      await pty.writes(/sure\?/);
      if (!last.startsWith("console")) await pty.type("\x03");
      await pty.ended();
      assertHarmless(pty.written);
    }
    await put(place.at("job.pryx.ts"), 'console.log("gr\u00fc\u00df dich \u{1f600}\\nzwei");');
    await using pty = inTerminal(machine, "job.pryx.ts");
    await pty.writes(/gr\u00fc\u00df dich \u{1f600}\r?\nzwei/u);
    assert.equal(await pty.ended(), 0);
  },

  async "script-51"() {
    await using machine = await openMachine();
    const { place } = machine;
    const job = (text = READS): Script => ({
      text: `import "./part.ts";\n${text}`,
      flags: ASKS,
      prints: /./,
    });
    await Deno.mkdir(place.at(".pryx"));
    await put(place.at("part.ts"), "export {};\n");
    await put(place.at("job.pryx.ts"), job().text);
    {
      await using pty = inTerminal(machine, "job.pryx.ts", ASKS);
      await pty.writes(/Allow that/);
      await pty.type("always\r");
      await pty.writes(/read it/);
      assert.equal(await pty.ended(), 0);
    }
    const same = await runScript(machine, PROGRAM, job());
    assert.match(same.stdout, /read it/, same.told);

    const refused = async (
      what: string,
      run: () => Promise<{ stdout: string; code: number; told: string }>,
    ) => {
      const { stdout, code, told } = await run();
      assert.doesNotMatch(stdout, /read it/, `${what}: ${told}`);
      assert.equal(code, 3, `${what}: ${told}`);
    };
    await put(place.at("part.ts"), "export const changed = 1;\n");
    await refused("an import changed", () => runScript(machine, PROGRAM, job()));
    await put(place.at("part.ts"), "export {};\n");
    await refused("the file changed", () => runScript(machine, PROGRAM, job(`${READS}\n`)));
    await refused(
      "a wider manifest",
      () => runScript(machine, PROGRAM, job(READS.replace('["echo"]', '["echo", "id"]'))),
    );
    await put(place.at("other.pryx.ts"), job().text);
    await refused("another name", async () => {
      const finished = await machine.pryx(["run", ...ASKS, "other.pryx.ts"], { program: PROGRAM });
      return { ...finished, told: finished.stdout + finished.stderr };
    });
    const again = await runScript(machine, PROGRAM, job());
    assert.match(again.stdout, /read it/, again.told);
    await assertKept(machine);
  },

  async "script-52"() {
    await using machine = await openMachine();
    const { place } = machine;
    const job: Script = {
      text: 'import { what } from "./part.ts";\nconsole.log(what);',
      files: { "part.ts": 'export const what = "as locked";\n' },
      flags: ["--frozen"],
      prints: /./,
    };
    await runScript(machine, PROGRAM, { ...job, flags: [] });
    const locked = await machine.pryx(["check", "--update", "job.pryx.ts"], { program: PROGRAM });
    assert.equal(locked.code, 0, locked.stderr + locked.stdout);
    const calm = await runScript(machine, PROGRAM, job);
    assert.match(calm.stdout, /^as locked$/m, calm.told);
    await put(place.at("hostile.ts"), 'export const what = "FELL";\n');
    await using _writer = exchanging(place.at("part.ts"), place.at("hostile.ts"));
    const seen = new Set<string>();
    for (let round = 0; round < 25; round++) {
      const { code, stdout, stderr } = await machine.pryx(["run", "--frozen", "job.pryx.ts"], {
        program: PROGRAM,
      });
      assert.doesNotMatch(stdout, /FELL/, stderr);
      if (code === 0) assert.match(stdout, /^as locked$/m);
      else assert.match(stderr, /is not what|has changed|cannot be read/);
      seen.add(code === 0 ? "ran" : "refused");
    }
    assert.deepEqual([...seen].sort(), ["ran", "refused"], "the writer never hit, or always");
  },

  async "script-53"() {
    await using machine = await openMachine();
    const { place } = machine;
    const job: Script = {
      text: `${declares({ read: ["."] })}import { what } from "./part.ts";
import { fs } from "pryx";
console.log(what);
for (let n = 0; n < 60; n++) console.log(await fs.read("note.txt").catch((error) => error.code));`,
      files: { "part.ts": 'export const what = "inside";\n', "note.txt": "a note\n" },
      flags: ["--preset", "workspace"],
      prints: /./,
    };
    const calm = await runScript(machine, PROGRAM, job);
    assert.match(calm.stdout, /^inside$/m, calm.told);
    assert.match(calm.stdout, /a note/, calm.told);
    await put(join(place.outside, "plan.ts"), `export const what = "${place.secret}";\n`);
    await Deno.symlink(join(place.outside, "plan.ts"), place.at("way.ts"));
    await Deno.symlink(join(place.outside, "plan.txt"), place.at("way.txt"));
    await using _module = exchanging(place.at("part.ts"), place.at("way.ts"));
    await using _file = exchanging(place.at("note.txt"), place.at("way.txt"));
    for (let round = 0; round < 12; round++) {
      const { told } = await machine.pryx(["run", ...job.flags ?? [], "job.pryx.ts"], { program: PROGRAM })
        .then((finished) => ({ told: finished.stdout + finished.stderr }));
      assert.ok(!told.includes(place.secret), "what is outside was read");
    }
    await assertKept(machine);
  },

  async "script-54"(mode) {
    await using machine = await openMachine();
    const program = await programOf(mode);
    const other = await machine.run([], { program });
    const session = other.events.map((event) => (event as unknown as { session?: string }).session).find(
      Boolean,
    );
    assert.ok(session, other.stdout);
    const flags = ["--allow", "use=agent"];
    const asked = machine.model.requests.length;
    const attack = await runScript(
      machine,
      program,
      outside(
        `const answers = await ask([["ask", { prompt: "x", session: ${
          JSON.stringify(session)
        } }], ["ask", { prompt: "x", session: "" }], ["ask", { prompt: "x", session: "__proto__" }]]);
        tell(answers.filter((one) => one.includes('"ok":true')));
        say(answers.join("\\n"));
        end();`,
        { text: declares({ use: ["agent"] }), flags },
      ),
    );
    assert.match(attack.stdout, /^held$/m, attack.told);
    assert.match(attack.stdout, /There is no session/, attack.told);
    assert.equal(machine.model.requests.length, asked, "the model was asked");
    const twin = await runScript(machine, program, {
      text: `${
        declares({ use: ["agent"] })
      }import { agent } from "pryx";\nconsole.log(await agent.ask("x"));`,
      flags,
      prints: /./,
    });
    assert.match(twin.stdout, /That is all/, twin.told);
  },

  async "script-55"(mode) {
    await using machine = await openMachine();
    const { place, env } = machine;
    const program = await programOf(mode);
    const { text } = outside(
      `for (let signal = 1; signal < 65; signal++) {
        const action = new Uint8Array(32);
        action[0] = 1;
        libc.second(13n, BigInt(signal), action, 0n, 8n, 0n, 0n);
      }
      say("loops " + host.Deno.pid + "\\n");
      for (;;) call(24);`,
    );
    await put(place.at("job.pryx.ts"), text);
    const child = new Deno.Command(program, {
      args: ["run", "job.pryx.ts"],
      cwd: place.workspace,
      env: { ...env },
      clearEnv: true,
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    let printed = "";
    for await (const piece of child.stdout.pipeThrough(new TextDecoderStream())) {
      printed += piece;
      if (/loops \d+/.test(printed)) break;
    }
    const pid = Number(/loops (\d+)/.exec(printed)?.[1]);
    assert.ok(pid > 1, printed);
    const runs = () => Deno.stat(`/proc/${pid}/cmdline`).then(() => true, () => false);
    assert.ok(await runs(), "it is not there");
    child.kill("SIGKILL");
    await child.status;
    for (let waited = 0; waited < 10_000 && await runs(); waited += 50) {
      await new Promise((next) => setTimeout(next, 50));
    }
    const left = await runs();
    if (left) Deno.kill(pid, "SIGKILL");
    assert.ok(!left, "the process of the automation still runs");
    const twin = await runScript(machine, program, { text: 'console.log("fine");', prints: /./ });
    assert.match(twin.stdout, /^fine$/m, twin.told);
  },
};

Deno.test("every script case that takes several runs is driven", () => {
  assert.deepEqual(Object.keys(drives), wholeRuns.map(({ id }) => id));
});

for (const one of wholeRuns) {
  for (const [mode, { layer }] of Object.entries(one.refused)) {
    testCase(
      `${one.id} ${mode}: ${one.title}: refused by ${layer}`,
      missing(mode as Mode, { programs: ["script", "python3"] }),
      async () => await drives[one.id]?.(mode as Mode),
    );
  }
}
