import assert from "node:assert/strict";
import { PryxError } from "../../core/domain/error.ts";
import type { EventData } from "../../core/domain/event.ts";
import { createTerminalSurface, type TerminalSurface } from "../../repl/terminal_surface.ts";
import { createFakePryx, fakeEvent, type FakePryx } from "../support/fake_pryx.ts";
import { createFakeTerminal, type FakeTerminal, type FakeTerminalOptions } from "../support/fake_terminal.ts";

interface Stage extends AsyncDisposable {
  readonly terminal: FakeTerminal;
  readonly surface: TerminalSurface;
  readonly pryx: FakePryx;
  readonly abort: AbortController;
  readonly interrupts: string[];
}

function stage(
  options: FakeTerminalOptions & { json?: boolean; first?: boolean; typedAheadMs?: number } = {},
): Stage {
  const terminal = createFakeTerminal({ terminals: ["in", "out", "err"], ...options });
  const abort = new AbortController();
  const interrupts: string[] = [];
  const pryx = createFakePryx(options.first);
  const surface = createTerminalSurface({
    io: terminal,
    json: options.json ?? false,
    quiet: false,
    color: false,
    signal: abort.signal,
    typedAheadMs: options.typedAheadMs ?? 0,
    interrupt: (reason) => {
      interrupts.push(reason);
      abort.abort(new PryxError("cancelled", "Interrupted"));
    },
  });
  surface.attach(pryx);
  return {
    terminal,
    surface,
    pryx,
    abort,
    interrupts,
    [Symbol.asyncDispose]: () => surface[Symbol.asyncDispose](),
  };
}

function asked(more: Partial<EventData<"approval.requested">> = {}) {
  return fakeEvent("approval.requested", {
    approval: "ap1",
    call: "c1",
    tool: "shell",
    digest: "00",
    summary: "git push origin main\n└ [y] once \x1b[2K",
    judgements: [{
      need: { kind: "run", target: "git push origin main" },
      verdict: "ask",
      reason: "runs ask",
      rule: "ask run=* (preset workspace)",
    }],
    expiresAt: "2031-01-01T00:00:00.000Z",
    ...more,
  });
}

async function press(at: Stage, shown: string, keys: string): Promise<void> {
  await at.terminal.shows(shown);
  at.terminal.type(keys);
}

Deno.test("terminal surface shows the whole action spelled out, each line behind a bar", async () => {
  await using at = stage();
  at.surface.event(asked());
  await at.terminal.shows("no, because");
  const shown = at.terminal.stderrText();
  assert.match(shown, /│ {3}git push origin main\n│ {3}└ \[y\] once \\x1b\[2K\n/);
  assert.match(shown, /needs {2}run=git push origin main\n/);
  assert.match(shown, /why {4}runs ask\n/);
  assert.match(shown, /rule {3}ask run=\* \(preset workspace\)\n/);
});

async function answerWith(keys: readonly string[], more: Partial<EventData<"approval.requested">> = {}) {
  await using at = stage();
  at.surface.event(asked(more));
  await at.terminal.shows("no, ");
  const decision = at.pryx.nextDecision();
  for (const key of keys) {
    at.terminal.type(key);
    if (key === "u" && !more.onceOnly) await at.terminal.shows("1 week");
  }
  const { approval, answer } = await decision;
  assert.equal(approval, "ap1");
  assert.equal(at.terminal.raw.at(-1), false, "the terminal is put back");
  return answer;
}

Deno.test("terminal surface turns keys into answers", async () => {
  const by = "human:cli";
  const scope = "workspace";
  assert.deepEqual(await answerWith(["y"]), { verdict: "allow", duration: { kind: "once" }, scope, by });
  assert.deepEqual(await answerWith(["S"]), { verdict: "allow", duration: { kind: "session" }, scope, by });
  assert.deepEqual(await answerWith(["a"]), { verdict: "allow", duration: { kind: "forever" }, scope, by });
  assert.deepEqual(await answerWith(["n"]), { verdict: "deny", duration: { kind: "once" }, scope, by });
  assert.deepEqual(await answerWith(["e", "use a b\x7fbranch\r"]), {
    verdict: "deny",
    duration: { kind: "once" },
    scope,
    by,
    note: "use a branch",
  });
});

Deno.test("terminal surface allows for a time", async () => {
  const before = Date.now();
  const { duration } = await answerWith(["u", "h"]);
  assert(duration.kind === "until");
  const rest = Date.parse(duration.at) - before;
  assert.ok(rest >= 3_600_000 && rest < 3_700_000, `${rest}`);
});

Deno.test("terminal surface ignores keys that mean nothing: Enter, Escape, arrows", async () => {
  assert.equal((await answerWith(["\r", "\x1b", "\x1b[A", "x", "n"])).verdict, "deny");
});

Deno.test("terminal surface offers only once where only once is allowed", async () => {
  const { duration } = await answerWith(["a", "s", "u", "y"], { onceOnly: true });
  assert.deepEqual(duration, { kind: "once" });
});

Deno.test("terminal surface scopes a grant for a host to the domain", async () => {
  const judgements = [{
    need: { kind: "net", target: "a.org" },
    verdict: "ask",
    reason: "net asks",
  }] as const;
  assert.equal((await answerWith(["a"], { judgements })).scope, "domain");
});

Deno.test("terminal surface throws away what was typed before the question could be read", async () => {
  await using at = stage({ typedAheadMs: 30 });
  at.terminal.type("y");
  const decision = at.pryx.nextDecision();
  at.surface.event(asked());
  at.terminal.type("y");
  await at.terminal.shows("no, because");
  at.terminal.type("n");
  assert.equal((await decision).answer.verdict, "deny");
});

Deno.test("terminal surface takes a question away when it is answered elsewhere", async () => {
  await using at = stage();
  at.surface.event(asked());
  at.surface.event(asked({ approval: "ap2", summary: "second" }));
  await at.terminal.shows("no, because");
  const data = { approval: "ap1", call: "c1", verdict: "allow", by: "human:http" } as const;
  at.surface.event(fakeEvent("approval.decided", data));
  await at.terminal.shows("answered by human:http: allow");
  await at.terminal.shows("no, because", 2);
  const decision = at.pryx.nextDecision();
  at.terminal.type("y");
  assert.equal((await decision).approval, "ap2");
});

Deno.test("terminal surface says so when somebody else was first", async () => {
  await using at = stage({ first: false });
  at.surface.event(asked());
  await press(at, "no, because", "y");
  await at.terminal.shows("it was answered elsewhere");
});

Deno.test("terminal surface keeps progress and answer back while a question is on the screen", async () => {
  await using at = stage();
  at.surface.event(asked());
  await at.terminal.shows("no, because");
  at.surface.note("meanwhile");
  assert.doesNotMatch(at.terminal.stderrText(), /meanwhile/);
  at.terminal.type("y");
  await at.terminal.shows("meanwhile");
  assert.match(at.terminal.stderrText(), /allowed once\nmeanwhile/);
});

Deno.test("terminal surface interrupts on Ctrl-C at a question, and denies on Ctrl-D", async () => {
  await using at = stage();
  at.surface.event(asked());
  await press(at, "no, because", "\x03");
  await at.terminal.shows("Cancelled at a question");
  assert.deepEqual(at.interrupts, ["key"]);
  assert.deepEqual(at.pryx.decided, []);
  assert.equal((await answerWith(["\x04"])).note, "nobody is at the terminal");
});

Deno.test("terminal surface asks the agent's questions, by number or by text", async () => {
  await using at = stage();
  const question = (id: string, options?: string[]) =>
    fakeEvent("question.asked", {
      question: id,
      call: "c1",
      text: "Which?",
      ...(options ? { options } : {}),
    });
  let answer = at.pryx.nextAnswer();
  at.surface.event(question("q1", ["red", "blue"]));
  await press(at, "Number or text:", "2\r");
  assert.deepEqual(await answer, { question: "q1", text: "blue", by: "human:cli" });
  answer = at.pryx.nextAnswer();
  at.surface.event(question("q2"));
  await press(at, "Answer:", "\rgrün\r");
  assert.equal((await answer).text, "grün");
});

Deno.test("terminal surface reads a secret without showing it", async () => {
  await using at = stage();
  const secret = at.surface.prompt("Key:", { secret: true });
  at.terminal.type("s3crex\x7f\x7fét!");
  at.terminal.type("\r");
  assert.equal(
    await secret,
    "s3crét!",
  );
  assert.doesNotMatch(at.terminal.stderrText(), /s3|cr/);
  assert.deepEqual(at.terminal.raw, [true, false]);
});

Deno.test("terminal surface echoes a line that is not secret, and edits it", async () => {
  await using at = stage();
  const line = at.surface.prompt("Name:");
  at.terminal.type("ab\x7fc d\x17e\r");
  assert.equal(await line, "ac e");
  assert.match(at.terminal.stderrText(), /^Name: ab/);
});

Deno.test("terminal surface puts the terminal back and rejects when cancelled in a prompt", async () => {
  await using at = stage();
  const secret = at.surface.prompt("Key:", { secret: true });
  await at.terminal.shows("Key:");
  at.abort.abort(new PryxError("cancelled", "stop"));
  await assert.rejects(secret, { code: "cancelled" });
  assert.deepEqual(at.terminal.raw, [true, false]);
});

Deno.test("terminal surface confirms with y only", async () => {
  for (const [key, expected] of [["y", true], ["n", false], ["\r", false]] as const) {
    await using at = stage();
    const yes = at.surface.confirm("Delete it?");
    await press(at, "[y/N]", "z");
    at.terminal.type(key);
    assert.equal(await yes, expected);
  }
});

Deno.test("terminal surface refuses to ask where nobody is, and says why", async () => {
  const cases: [FakeTerminalOptions & { json?: boolean }, RegExp][] = [
    [{ terminals: ["out", "err"] }, /standard input is not a terminal/],
    [{ terminals: ["in", "out"] }, /standard error is not a terminal/],
    [{ json: true }, /--json/],
  ];
  for (const [options, why] of cases) {
    await using at = stage(options);
    assert.equal(at.surface.attended, false);
    await assert.rejects(at.surface.prompt("x"), { code: "usage", message: why });
    await assert.rejects(at.surface.confirm("x"), { code: "usage" });
    at.surface.event(asked());
  }
});

Deno.test("terminal surface rejects with usage when standard input is closed at a prompt", async () => {
  await using at = stage();
  at.terminal.end();
  await assert.rejects(at.surface.prompt("Key:", { secret: true }), { code: "usage" });
  assert.deepEqual(at.terminal.raw, [true, false]);
});

Deno.test("terminal surface reads all of piped input, and none of a terminal", async () => {
  await using piped = stage({ terminals: [] });
  piped.terminal.type("one ");
  piped.terminal.type("two");
  piped.terminal.end();
  assert.equal(new TextDecoder().decode(await piped.surface.input()), "one two");
  await using at = stage();
  assert.equal(await at.surface.input(), undefined);
});

Deno.test("terminal surface refuses more input than can be held", async () => {
  await using at = stage({ terminals: [] });
  const piece = "x".repeat(64 * 1024);
  for (let sent = 0; sent <= 32 * 1024 * 1024; sent += piece.length) at.terminal.type(piece);
  await assert.rejects(at.surface.input(), { code: "input_invalid", message: /32 MiB/ });
});

Deno.test("terminal surface writes a stream in few pieces", async () => {
  {
    await using at = stage({ terminals: ["out"] });
    for (let count = 0; count < 20_000; count++) {
      at.surface.event(fakeEvent("message.delta", { text: "token ", kind: "text" }));
    }
    assert.ok(at.terminal.out.length <= 2, `${at.terminal.out.length} writes`);
    at.surface.output.flush();
    assert.equal(at.terminal.stdoutText().length, 120_000);
  }
});

Deno.test("a status line is drawn below a coloured line", async () => {
  await using at = stage();
  at.surface.output.err("begun\n\x1b[22m");
  at.surface.output.status("working on it");
  await at.terminal.shows("working on it");
  at.surface.output.status("");
});

Deno.test("a status line is drawn although its text changes all the time", async () => {
  await using at = stage();
  let step = 0;
  const working = setInterval(() => at.surface.output.status(`step ${++step}`), 20);
  try {
    await at.terminal.shows("step ");
  } finally {
    clearInterval(working);
  }
  at.surface.output.status("the last");
  await at.terminal.shows("the last");
  at.surface.output.status("");
});
