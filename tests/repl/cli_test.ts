import assert from "node:assert/strict";
import { type Command, defineCommand } from "../../core/commands/command.ts";
import { PryxError } from "../../core/domain/error.ts";
import { type CliDeps, type CommandIndex, runCli } from "../../repl/cli.ts";
import { fromFileUrl } from "../support/demo_path.ts";
import { fakeContext, fakeEvent } from "../support/fake_pryx.ts";
import { createFakeSignals, createFakeTerminal, type FakeTerminalOptions } from "../support/fake_terminal.ts";

const NO_INPUT = { type: "object", properties: {} } as const;

function command(name: string, run: Command["run"], more: Partial<Command> = {}): Command {
  return {
    name,
    summary: `Do ${name}`,
    input: NO_INPUT,
    examples: [{ line: `pryx ${name}`, note: "just so" }],
    run,
    ...more,
  };
}

const done = () => Promise.resolve({ data: { ok: true }, text: "it is done" });

function indexOf(loaded: string[] = [], extra: readonly Command[] = []): CommandIndex {
  const groups: Record<string, readonly Command[]> = {
    run: [defineCommand({
      name: "run",
      summary: "Let the agent work",
      input: {
        type: "object",
        properties: { prompt: { type: "string", description: "What to do, or - for standard input" } },
        required: ["prompt"],
      },
      positionals: ["prompt"],
      examples: [{ line: 'pryx run "hi"', note: "say hi" }],
      run: ({ prompt }) => Promise.resolve({ data: { prompt }, text: prompt }),
    })],
    sessions: [command("sessions list", done), command("sessions show", done)],
    trust: [command("trust", done), command("trust remove", done)],
    ...Object.fromEntries(extra.map((one) => [one.name, [one]])),
  };
  return Object.entries(groups).map(([name, commands]) => ({
    name,
    summary: `All about ${name}`,
    load: () => {
      loaded.push(name);
      return Promise.resolve(commands);
    },
  }));
}

async function cli(argv: string[], options: {
  terminal?: FakeTerminalOptions;
  commands?: readonly Command[];
  loaded?: string[];
  deps?: Partial<CliDeps>;
} = {}) {
  const terminal = createFakeTerminal(options.terminal);
  const signals = createFakeSignals();
  const code = await runCli(argv, {
    ...terminal,
    index: indexOf(options.loaded, options.commands),
    version: "1.2.3",
    context: (_globals, surface, signal) => fakeContext(surface, signal),
    signals,
    exit: () => {},
    ...options.deps,
  });
  assert.equal(signals.listening(), 0, "every signal listener is removed");
  return { code, out: terminal.stdoutText(), err: terminal.stderrText() };
}

Deno.test("runCli() prints a command's text on standard output", async () => {
  assert.deepEqual(await cli(["sessions", "list"]), { code: 0, out: "it is done\n", err: "" });
});

Deno.test("runCli() prints data as one JSON document with --json, wherever the flag stands", async () => {
  for (
    const argv of [["--json", "sessions", "list"], ["sessions", "--json", "list"], [
      "sessions",
      "list",
      "--json",
    ]]
  ) {
    assert.deepEqual(await cli(argv), { code: 0, out: '{"ok":true}\n', err: "" });
  }
});

Deno.test("runCli() loads only the module of the word that was typed", async () => {
  const loaded: string[] = [];
  await cli(["trust"], { loaded });
  assert.deepEqual(loaded, ["trust"]);
  await cli(["--help"], { loaded });
  await cli(["--version"], { loaded });
  await cli(["nonsense"], { loaded });
  assert.deepEqual(loaded, ["trust"]);
});

Deno.test("runCli() gives prompts that begin with a dash to the command", async () => {
  assert.equal((await cli(["run", "--", "-x"])).out, "-x\n");
  assert.equal((await cli(["run", "-"])).out, "-\n");
  assert.equal((await cli(["run", "--", "--help"])).out, "--help\n");
});

Deno.test("runCli() prefers the longest name when a group is a command too", async () => {
  assert.equal((await cli(["trust", "remove"])).code, 0);
  assert.equal((await cli(["trust"])).code, 0);
  assert.match((await cli(["trust", "--help"])).out, /More commands:\n {2}trust remove/);
});

Deno.test("runCli() shows help with examples at every level", async () => {
  const root = await cli(["--help"]);
  assert.equal(root.code, 0);
  assert.match(root.out, /Commands:\n {2}run +All about run\n/);
  assert.match(root.out, /Examples:\n.*pryx run/s);
  assert.match(root.out, /124\s+timeout/);
  assert.doesNotMatch(root.out, /pryx tour/, "an example of a command that is not there");
  const group = await cli(["sessions", "--help"]);
  assert.match(group.out, /sessions list +Do sessions list/);
  assert.match(group.out, /Examples:\n {2}pryx sessions list/);
  const one = await cli(["help", "run"]);
  assert.match(one.out, /Usage: pryx run PROMPT \[flags\]/);
  assert.match(one.out, /PROMPT {2}What to do, or - for standard input/);
  assert.match(one.out, /Examples:\n {2}pryx run "hi"/);
  assert.match(one.out, /--json +Print JSON/);
  assert.equal((await cli(["run", "-h"])).out, one.out);
  assert.equal((await cli([])).out, root.out);
});

Deno.test("runCli() says what was probably meant and ends with 2 for an unknown word", async () => {
  const { code, out, err } = await cli(["sesions", "list"]);
  assert.equal(code, 2);
  assert.equal(out, "");
  assert.match(err, /^pryx: pryx has no command "sesions"\n {2}Did you mean "sessions"\?\n/);
  assert.match(
    (await cli(["sessions", "lst"])).err,
    /pryx sessions has no command "lst"\n {2}Did you mean "list"/,
  );
  assert.match((await cli(["fix the bug"])).err, /pryx run "fix the bug"/);
  assert.match((await cli(["--jsno"])).err, /Did you mean "--json"/);
  assert.match((await cli(["run", "x", "--jsno"])).err, /Did you mean "--json"/);
});

Deno.test("runCli() lists what a group offers when the second word is missing", async () => {
  const { code, err } = await cli(["sessions"]);
  assert.equal(code, 2);
  assert.match(err, /pryx sessions list {2}Do sessions list\n {2}pryx sessions show/);
});

Deno.test("runCli() prints the version", async () => {
  assert.equal((await cli(["--version"])).out, "pryx 1.2.3\n");
  assert.equal((await cli(["--version", "--json"])).out, '{"version":"1.2.3"}\n');
});

Deno.test("runCli() renders a failure as message and fix, with its exit code and no stack", async () => {
  const failing = command("fail", () => {
    throw new PryxError("provider_auth", "Cannot reach openai: the key was refused", {
      fix: "Set OPENAI_API_KEY",
      cause: new TypeError("deep inside"),
    });
  });
  const { code, out, err } = await cli(["fail"], { commands: [failing] });
  assert.equal(code, 5);
  assert.equal(out, "");
  assert.equal(err, "pryx: Cannot reach openai: the key was refused\n  Set OPENAI_API_KEY\n");
  const debug = await cli(["fail", "--debug"], { commands: [failing] });
  assert.match(debug.err, /caused by: TypeError: deep inside\n\s+at /);
});

Deno.test("runCli() puts a failure on standard output too with --json", async () => {
  const failing = command(
    "fail",
    () => Promise.reject(new PryxError("not_found", "No such thing", { fix: "Look" })),
  );
  const { code, out, err } = await cli(["fail", "--json"], { commands: [failing] });
  assert.equal(code, 1);
  assert.deepEqual(JSON.parse(out), { error: { code: "not_found", message: "No such thing", fix: "Look" } });
  assert.match(err, /^pryx: No such thing/);
  assert.equal(JSON.parse((await cli(["--json", "nonsense"])).out).error.code, "usage");
});

Deno.test("runCli() calls what is not a PryxError a bug, in one screen", async () => {
  const failing = command("fail", () => {
    throw new TypeError(Array.from({ length: 200 }, (_, at) => `line ${at}`).join("\n"));
  });
  const { code, err } = await cli(["fail"], { commands: [failing] });
  assert.equal(code, 1);
  assert.match(err, /--debug/);
  assert.ok(err.split("\n").length <= 24, err);
  assert.doesNotMatch(err, /\.ts:\d+/);
});

Deno.test("runCli() shows the failure of a turn once", async () => {
  const usage = { input: 1, output: 1, cached: 0, reasoning: 0 };
  const message = "Cannot reach the model";
  const failing = command("fail", (_input, ctx) => {
    ctx.surface.event(fakeEvent("turn.ended", {
      status: "failed",
      text: "",
      error: { code: "provider", message },
      usage,
      cost: 0,
      steps: 1,
      ms: 5,
      unapproved: [],
    }));
    throw new PryxError("provider", message);
  }, { streams: true });
  const { code, err } = await cli(["fail"], { commands: [failing] });
  assert.equal(code, 5);
  assert.equal(err.split(message).length - 1, 1);
  const json = await cli(["fail", "--json"], { commands: [failing] });
  assert.equal(json.out.trimEnd().split("\n").length, 1, "one line: the event that holds the error");
});

Deno.test("runCli() prints events instead of data with --json when a command streams", async () => {
  const streaming = command("stream", (_input, ctx) => {
    ctx.surface.event(fakeEvent("notice", { text: "a\nb", level: "info" }));
    return Promise.resolve({ data: { never: true } });
  }, { streams: true });
  const { out } = await cli(["stream", "--json"], { commands: [streaming] });
  assert.equal(out.split("\n").length, 2);
  assert.equal(JSON.parse(out).data.text, "a\nb");
});

Deno.test("runCli() prints one value with --json when a command does not stream, whatever it shows", async () => {
  const showing = command("show", (_input, ctx) => {
    ctx.surface.event(fakeEvent("notice", { text: "a", level: "info" }));
    return Promise.resolve({ data: { only: true } });
  });
  const { out } = await cli(["show", "--json"], { commands: [showing] });
  assert.deepEqual(JSON.parse(out), { only: true });
});

Deno.test("runCli() says so and ends 1 when standard output cannot be written to", async () => {
  const terminal = createFakeTerminal();
  terminal.fillStdout();
  const { code } = await cli(["sessions", "list"], { deps: terminal });
  assert.equal(code, 1);
  assert.match(terminal.stderrText(), /Cannot write to standard output: No space left on device/);
});

Deno.test("runCli() gives the context the globals", async () => {
  const seen: unknown[] = [];
  await cli(["run", "hi", "--cwd", "/w", "--debug"], {
    deps: {
      context: (globals, surface, signal) => {
        seen.push(globals.cwd, globals.debug);
        return fakeContext(surface, signal);
      },
    },
  });
  assert.deepEqual(seen, ["/w", true]);
});

Deno.test("runCli() aborts with a cancelled reason on SIGINT and ends at once on the second", async () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    const signals = createFakeSignals();
    const exits: number[] = [];
    const reasons: unknown[] = [];
    const waiting = command("wait", async (_input, ctx) => {
      const aborted = Promise.withResolvers<void>();
      ctx.signal.addEventListener("abort", () => aborted.resolve(), { once: true });
      signals.raise(signal);
      await aborted.promise;
      reasons.push(ctx.signal.reason);
      signals.raise(signal);
      throw ctx.signal.reason;
    });
    const { code, err } = await cli(["wait"], {
      commands: [waiting],
      deps: { signals, exit: (exit) => void exits.push(exit) },
    });
    assert.equal(code, 130);
    assert.deepEqual(exits, [130]);
    assert.ok(reasons[0] instanceof PryxError && reasons[0].code === "cancelled");
    assert.equal(err, `pryx: Interrupted by ${signal}\n`);
    assert.equal(signals.listening(), 0);
  }
});

Deno.test("runCli() ends quietly when the reader of its output has gone", async () => {
  const terminal = createFakeTerminal();
  terminal.breakStdout();
  const printing = await cli(["sessions", "list"], { deps: terminal });
  assert.deepEqual(printing, { code: 0, out: "", err: "" });
  const streaming = command("stream", async (_input, ctx) => {
    const aborted = Promise.withResolvers<void>();
    ctx.signal.addEventListener("abort", () => aborted.resolve(), { once: true });
    ctx.surface.event(fakeEvent("notice", { text: "x".repeat(70_000), level: "info" }));
    await aborted.promise;
    throw ctx.signal.reason;
  }, { streams: true });
  const stopped = await cli(["stream", "--json"], { commands: [streaming], deps: terminal });
  assert.deepEqual([stopped.code, terminal.stderrText()], [130, ""]);
});

Deno.test("runCli() ends quietly in a real pipe whose reader has gone", async () => {
  const pryx = `'${Deno.execPath()}' run -A --no-prompt '${fromFileUrl("terminal_demo.ts")}'`;
  const { stdout, stderr } = await new Deno.Command("bash", {
    args: ["-c", `${pryx} flood | head -n 1; echo "exit \${PIPESTATUS[0]}"`],
  }).output();
  const decoder = new TextDecoder();
  assert.deepEqual([decoder.decode(stdout), decoder.decode(stderr)], ["much\nexit 0\n", ""]);
});

Deno.test("runCli() lets nothing in a command's text act on a terminal, and changes nothing in a pipe", async () => {
  const text = "title\x1b]0;owned\x07 \x1b[31mred\x1b[0m \x08back";
  const showing = command("show", () => Promise.resolve({ data: null, text }));
  const shown = await cli(["show"], { commands: [showing], terminal: { terminals: ["out"] } });
  assert.equal(shown.out, "title red ␈back\n");
  assert.equal((await cli(["show"], { commands: [showing] })).out, `${text}\n`);
});

Deno.test("runCli() colours help on a terminal only, and never with NO_COLOR or --no-color", async () => {
  const terminal = { terminals: ["out", "err"] } as const;
  // deno-lint-ignore no-control-regex -- the escape character begins a colour
  const colour = /\x1b\[/;
  assert.match((await cli(["--help"], { terminal })).out, colour);
  assert.doesNotMatch((await cli(["--help"])).out, colour);
  assert.doesNotMatch((await cli(["--help", "--no-color"], { terminal })).out, colour);
  assert.doesNotMatch(
    (await cli(["--help"], { terminal: { ...terminal, env: { NO_COLOR: "1" } } })).out,
    colour,
  );
});

Deno.test("runCli() prints data with --json when a command that streams had nothing to stream", async () => {
  const silent = command("stream", done, { streams: true });
  assert.deepEqual(JSON.parse((await cli(["stream", "--json"], { commands: [silent] })).out), { ok: true });
});
