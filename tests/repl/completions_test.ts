import assert from "node:assert/strict";
import { runCli } from "../../repl/cli.ts";
import { createFakeTerminal } from "../support/fake_terminal.ts";
import { fromFileUrl } from "../support/demo_path.ts";
import { hasProgram, openTmux, type Tmux } from "../support/tmux.ts";

const DEMO = fromFileUrl("terminal_demo.ts");

/** What `pryx __complete` answers, run as a program. */
async function completed(...words: string[]): Promise<string[]> {
  const { stdout, stderr, code } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-prompt", DEMO, "__complete", "--", ...words],
  }).output();
  assert.deepEqual([code, new TextDecoder().decode(stderr)], [0, ""]);
  return new TextDecoder().decode(stdout).trimEnd().split("\n");
}

Deno.test("__complete answers words, flags, choices and values of its own data", async () => {
  assert.deepEqual(await completed("s"), ["secret\tAsk for a secret", "sessions\tSessions", ":"]);
  assert.deepEqual(await completed("sessions", "l"), ["list\tList sessions: all of them", ":"]);
  assert.deepEqual(await completed("sessions", "show", "--pre"), ["--preset\tPolicy", ":"]);
  assert.deepEqual(await completed("sessions", "show", "--preset", ""), ["read-only\t", "workspace\t", ":"]);
  assert.deepEqual(await completed("sessions", "show", "--preset=w"), ["--preset=workspace\t", ":"]);
  assert.deepEqual(await completed("sessions", "show", "0aa"), ["0aaa1\tFix the bug: now", "0aab2\t", ":"]);
  assert.deepEqual(await completed("--json", "sessions", "show", "--model", "demo/l"), [
    "demo/large:free\t",
    ":",
  ]);
  assert.deepEqual(await completed("sessions", "show", "-o", ""), [":files"]);
  assert.deepEqual(await completed("--cwd", ""), [":folders"]);
});

Deno.test("__complete never fails: not on nonsense, not when its data cannot be read", async () => {
  const terminal = createFakeTerminal();
  const deps = {
    ...terminal,
    index: [{ name: "broken", summary: "Broken", load: () => Promise.reject(new Error("no module")) }],
    version: "1",
    context: () => {
      throw new Error("no context");
    },
  };
  for (const words of [["broken", ""], ["nonsense", "x"], [], ["--", "--"], ["-", ""]]) {
    assert.equal(await runCli(["__complete", "--", ...words], deps), 0);
  }
  assert.equal(terminal.stderrText(), "");
  assert.match(terminal.stdoutText(), /^:\n/);
});

/** A shell in a real terminal with completion on, and a `pryx` on PATH that is the demo. */
async function shell(name: string, args: readonly string[], load: string): Promise<Tmux & { bin: string }> {
  if (!hasProgram(name)) {
    throw new Error(`${name} is missing: install the package ${name} to test its completion`);
  }
  const bin = await Deno.makeTempDir({ prefix: "pryx-bin-" });
  await Deno.writeTextFile(
    `${bin}/pryx`,
    `#!/bin/sh\nexec '${Deno.execPath()}' run -A --no-prompt '${DEMO}' "$@"\n`,
    {
      mode: 0o755,
    },
  );
  await Deno.writeTextFile(`${bin}/a-file.txt`, "");
  await Deno.mkdir(`${bin}/a-folder`);
  const env = { PATH: `${bin}:${Deno.env.get("PATH")}`, HOME: bin, TERM: "screen", DENO_DIR: denoDir() };
  const tmux = await openTmux([name, ...args], env);
  await tmux.type(`cd ${bin}; ${load}; clear; echo ready`);
  await tmux.press("Enter");
  await tmux.shows(/^ready$/m);
  return Object.assign(tmux, {
    bin,
    [Symbol.asyncDispose]: combine(tmux[Symbol.asyncDispose], () => Deno.remove(bin, { recursive: true })),
  });
}

function combine(...steps: readonly (() => PromiseLike<void>)[]): () => Promise<void> {
  return async () => {
    for (const step of steps) await step();
  };
}

function denoDir(): string {
  const { stdout } = new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).outputSync();
  return JSON.parse(new TextDecoder().decode(stdout)).denoDir;
}

/** Types a line, asks for completion, and waits for the line to become what it should. */
async function completes(tmux: Tmux, typed: string, becomes: RegExp): Promise<void> {
  await tmux.press("C-u");
  await tmux.type(typed);
  await tmux.press("Tab");
  await tmux.shows(becomes);
}

Deno.test("completion works in bash", async () => {
  await using tmux = await shell("bash", ["--norc", "-i"], 'PS1="$ "; eval "$(pryx completions bash)"');
  await completes(tmux, "pryx ses", /\$ pryx sessions$/m);
  await completes(tmux, "pryx sessions sh", /\$ pryx sessions show$/m);
  await completes(tmux, "pryx sessions show --pres", /\$ pryx sessions show --preset$/m);
  await completes(tmux, "pryx sessions show --preset=w", /\$ pryx sessions show --preset=workspace$/m);
  await completes(
    tmux,
    "pryx sessions show --model demo/large:",
    /\$ pryx sessions show --model demo\/large:free$/m,
  );
  await completes(tmux, "pryx sessions show 0aaa", /\$ pryx sessions show 0aaa1$/m);
  await completes(tmux, "pryx sessions show -o a-fi", /\$ pryx sessions show -o a-file.txt$/m);
  await completes(tmux, "pryx --cwd a-fo", /\$ pryx --cwd a-folder\/$/m);
  await completes(tmux, "pryx sessions show 0aa", /\$ pryx sessions show 0aa$/m);
  await tmux.press("Tab", "Tab");
  await tmux.shows(/^0aaa1\s+0aab2/m);
});

Deno.test("completion works in zsh", async () => {
  await using tmux = await shell(
    "zsh",
    ["-f", "-i"],
    'PS1="$ "; autoload -U compinit; compinit -D; eval "$(pryx completions zsh)"',
  );
  await completes(tmux, "pryx ses", /\$ pryx sessions$/m);
  await completes(tmux, "pryx sessions show --preset w", /\$ pryx sessions show --preset workspace$/m);
  await completes(tmux, "pryx sessions show --preset=w", /\$ pryx sessions show --preset=workspace$/m);
  await completes(tmux, "pryx sessions show --model demo/large:", /demo\/large:free$/m);
  await completes(tmux, "pryx sessions show -o a-fi", /\$ pryx sessions show -o a-file.txt$/m);
  await completes(tmux, "pryx --cwd a-", /\$ pryx --cwd a-folder\/$/m);
  await completes(tmux, "pryx sessions show 0a", /\$ pryx sessions show 0aa$/m);
  await tmux.press("Tab");
  await tmux.shows(/0aaa1 {2}-- Fix the bug: now/);
});

Deno.test("completion works in fish", async () => {
  await using tmux = await shell("fish", ["--no-config", "-i"], "pryx completions fish | source");
  await completes(tmux, "pryx ses", /pryx sessions$/m);
  await completes(tmux, "pryx sessions show --preset w", /pryx sessions show --preset workspace$/m);
  await completes(tmux, "pryx sessions show --preset=w", /pryx sessions show --preset=workspace$/m);
  await completes(tmux, "pryx sessions show -o a-fi", /pryx sessions show -o a-file.txt$/m);
  await completes(tmux, "pryx sessions show 0a", /0aaa1 +\(Fix the bug: now\)/);
});

Deno.test("completion scripts are free of syntax errors, as their shells read them", async () => {
  for (const [name, args] of [["bash", ["-n"]], ["zsh", ["-n"]], ["fish", ["--no-execute"]]] as const) {
    const script = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-prompt", DEMO, "completions", name],
    }).output();
    const file = await Deno.makeTempFile();
    await Deno.writeFile(file, script.stdout);
    const { code, stderr } = await new Deno.Command(name, { args: [...args, file] }).output();
    await Deno.remove(file);
    assert.deepEqual([name, code, new TextDecoder().decode(stderr)], [name, 0, ""]);
  }
});
