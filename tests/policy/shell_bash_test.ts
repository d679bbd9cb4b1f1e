import assert from "node:assert/strict";
import { join } from "node:path";
import type { Need } from "../../core/domain/need.ts";
import { type ShellHost, shellNeeds } from "../../core/policy/shell_command.ts";

/*
 * What bash runs must be among the needs, or covered by one that asks: scripts from a grammar are run for real, with
 * nothing but stubs on PATH that write down how they were called.
 */

const STUBS = ["alpha", "beta", "gamma", "delta"];
const SCRIPTS = 400;

/** A small generator of numbers that is the same everywhere. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}

function grammar(next: (below: number) => number) {
  const one = <T>(choices: readonly T[]): T => {
    const chosen = choices[next(choices.length)];
    if (chosen === undefined) throw new Error("nothing to choose from");
    return chosen;
  };
  const name = () => one(STUBS);
  const word = (depth: number): string => {
    const plain = [
      "a",
      "b-c",
      "'d e'",
      '"f g"',
      "h\\ i",
      "$V",
      '"$V"',
      "${V}",
      "$'j\\nk'",
      "l{m,n}",
      "$((1+2))",
      "\\#",
    ];
    if (depth <= 0) return one(plain);
    return one([
      ...plain,
      `$(${list(depth - 1)})`,
      `"$(${list(depth - 1)})"`,
      `\`${name()} x\``,
      `\${U:-${name()}}`,
      `"\${U:-$(${simple(depth - 1)})}"`,
      `<(${simple(depth - 1)})`,
      `"p\\"q"'r'`,
      "s\\\nt",
    ]);
  };
  const simple = (depth: number): string => {
    const words = Array.from({ length: next(3) }, () => word(depth)).join(" ");
    const line = `${one(["", "", "", "E=1 ", "! "])}${name()} ${words}`;
    return line + one(["", "", "", " > /dev/null", " 2>&1", " <<< z", " # c"].slice(0, depth > 0 ? 6 : 6));
  };
  const command = (depth: number): string => {
    if (depth <= 0) return simple(0);
    const inner = () => list(depth - 1);
    return one([
      () => simple(depth),
      () => simple(depth),
      () => `(${inner()})`,
      () => `{ ${inner()}\n}`,
      () => `if ${inner()}; then ${inner()}; else ${inner()}; fi`,
      () => `for V in ${word(0)} ${name()}; do ${inner()}; $V; done`,
      () => `case ${word(0)} in a|b*) ${inner()};; *) ${inner()};; esac`,
      () => `V=${word(0)}; $V x`,
      () => `f() { ${inner()}; "$1"; }; f ${name()} ${word(0)}`,
      () => `until ${inner()}; do ${inner()}; break; done`,
      () => `bash -c '${name()} "$1" | ${name()}' _ ${word(0)}`,
      () => `eval ${name()} x`,
      () => `command ${simple(0).replace("! ", "").replace("E=1 ", "")}`,
      () => `${simple(0)} <<EOF\n$(${name()} y) \`${name()}\` $V\nEOF\n:`,
      () => `${name()} <<'EOF'\n$(${name()})\nEOF\n:`,
      () => `[[ $(${simple(0)}) == ${word(0)} ]]`,
      () => `echo x | while read -r L; do ${inner()}; done`,
      () => `W=(${name()} ${word(0)}); "\${W[@]}"`,
      () => `set -- ${name()} ${word(0)}; "$@"; shift; $1`,
      () => `${name()} ${word(0)} & wait`,
      () => `unset -f f; f() { ${name()} n; }; f; unset -f f`,
      () => `(( 1 )) && ${simple(0)}`,
    ])();
  };
  const list = (depth: number): string =>
    Array.from({ length: 1 + next(2) }, () => command(depth)).join(one(["; ", " && ", " || ", "\n"]));
  return list;
}

Deno.test("shellNeeds() states every command that bash runs, over scripts of a grammar", async () => {
  const folder = await Deno.makeTempDir({ prefix: "pryx-shell-" });
  try {
    const bin = join(folder, "bin");
    await Deno.mkdir(bin);
    const log = join(folder, "log");
    const bash = "/bin/bash";
    // Between calls and between words stand characters that no script here can make; one stands for a line break, at
    // which bash would write, and calls of one pipeline would mix.
    const stub = `#!${bash}\nprintf -v call '%s\\037' "\${0##*/}" "$@"\n` +
      `printf '%s\\036' "\${call//$'\\n'/$'\\035'}" >> "$LOG"\nprintf beta\n`;
    for (const one of STUBS) await Deno.writeTextFile(join(bin, one), stub, { mode: 0o755 });
    await Deno.symlink(bash, join(bin, "bash"));
    const host: ShellHost = {
      resolve: (path) => Promise.resolve(join("/", path)),
      findExecutable: (name) => Promise.resolve(`/usr/bin/${name}`),
      isWritable: () => false,
    };
    const list = grammar(numbers(20_251));
    let ran = 0;
    let precise = 0;
    for (let i = 0; i < SCRIPTS; i++) {
      const script = list(1 + i % 3);
      const needs = await shellNeeds(script, folder, host);
      if (needs.some((need) => need.opaque !== undefined)) continue;
      precise++;
      await Deno.writeTextFile(log, "");
      await new Deno.Command(bash, {
        args: ["-c", "--", script],
        cwd: folder,
        clearEnv: true,
        env: { PATH: bin, LOG: log },
        stdin: "null",
        stdout: "null",
        // All that it started holds this: when it closes, nothing runs any more.
        stderr: "piped",
      }).output();
      for (const call of (await Deno.readTextFile(log)).split("\x1e").filter((one) => one !== "")) {
        ran++;
        const argv = call.replaceAll("\x1d", "\n").split("\x1f").slice(0, -1);
        assert.ok(
          needs.some((need) => states(need, argv)),
          `${script}\n\nran ${JSON.stringify(argv)}, stated:\n${
            needs.map((need) => JSON.stringify(need.argv)).join("\n")
          }`,
        );
      }
    }
    // What only asks would show nothing.
    assert.ok(precise > SCRIPTS / 5 && ran > SCRIPTS, `${precise} scripts, ${ran} commands`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Whether a need says these words, its unknown parts filled in. */
function states({ kind, argv = [] }: Need, words: readonly string[]): boolean {
  if (kind !== "run") return false;
  const pattern = argv.map((word) =>
    word.includes("\0\0") ? "(?:[^\\x1f]*\\x1f)*" : `${word.split("\0").map(escape).join("[^\\x1f]*")}\\x1f`
  ).join("");
  return new RegExp(`^${pattern}$`, "u").test(words.map((word) => `${word}\x1f`).join(""));
}

function escape(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/gu, "\\$&");
}
