import assert from "node:assert/strict";
import fc from "fast-check";
import { type Asked, bashHost, createGuest, here } from "./_guest.ts";

const done = (over: Record<string, unknown> = {}) => ({
  text: "",
  data: { code: 0, signal: null, timedOut: false, stdout: "", stderr: "", ms: 1, ...over },
});

/** What is no word of a command: NUL and half characters. */
const word = fc.string({ unit: "binary", maxLength: 12 }).filter((text) =>
  !text.includes("\0") && text.isWellFormed()
);
const nasty = fc.oneof(
  word,
  fc.array(
    fc.constantFrom(
      "'",
      '"',
      "\\",
      "$",
      "`",
      "$(id)",
      "\n",
      " ",
      "*",
      "~",
      "!",
      "a=b",
      ";",
      "#",
      "-",
      "\r",
      "{a,b}",
    ),
  )
    .map((parts) => parts.join("")),
  fc.constantFrom("if", "then", "2", "A=1", "--x=1", "", "~", "é", "漢", "🎉"),
);

Deno.test("sh quotes words so that bash sees them as they were, wherever they stand", async () => {
  const { api: { sh } } = createGuest(bashHost("/"));
  await fc.assert(
    fc.asyncProperty(fc.array(nasty, { minLength: 1, maxLength: 5 }), nasty, async (words, one) => {
      const output =
        await sh`printf '%s\0' ${words} --x=${one} "in ${one} double" 'in ${one} single' $'in ${one} c'
        printf '%s\0' $(printf %s. "nested ${one}" ${one}) >/dev/null; printf '%s\0' "$(printf %s. "a ${one} b")" # it's over`
          .bytes();
      assert.equal(
        new TextDecoder("utf-8", { ignoreBOM: true }).decode(here(output)),
        [...words, `--x=${one}`, `in ${one} double`, `in ${one} single`, `in ${one} c`, `a ${one} b.`, ""]
          .join("\0"),
      );
    }),
    { numRuns: 150 },
  );
});

Deno.test("sh keeps a value a word where it could become a keyword, an assignment or a redirection", async () => {
  const { api: { sh } } = createGuest(bashHost("/"));
  assert.equal(await sh`echo ${2}>/dev/stdout`.text(), "2");
  assert.equal(await sh`${"A=1"} true || echo no command`.text(), "no command");
  assert.equal(await sh`${"if"} true || echo no keyword`.text(), "no keyword");
  assert.equal(await sh`echo i${"f"}`.text(), "if");
  assert.equal(await sh`echo $((${2} + ${40}))`.text(), "42");
});

Deno.test("sh shows command lines as people would write them", () => {
  const { api: { sh } } = createGuest();
  const lines = [
    [sh`git tag ${"v1.2"} -m ${"Release 1.2"}`, "git tag v1.2 -m 'Release 1.2'"],
    [sh`ls ${[]} ${["a", "b c"]} ${""}`, "ls  a 'b c' ''"],
    [sh`echo ${true} ${10n} ${-1.5}`, "echo true 10 -1.5"],
    [sh`echo \`date\` \${HOME} a\.b`, "echo `date` ${HOME} a\\.b"],
    [sh`${sh`git log`} | head`, "git log | head"],
    [sh`time ${sh`a; b`}`, "time { a; b; }"],
    [sh`a`.pipe`b ${"x y"}`.pipe(sh`c && d`), "a | b 'x y' | { c && d; }"],
    [sh`a`.env({ NAME: "it's", N: 1 }), "(export NAME='it'\\''s' N='1'; a)"],
    [sh`a # why`.env({ N: 1 }), "(export N='1'; a # why\n)"],
    [sh`a 2>&1 &> x`.pipe`b`, "a 2>&1 &> x | b"],
    [sh`a &`.pipe`b`, "{ a &\n} | b"],
  ] as const;
  for (const [command, line] of lines) assert.equal(command.command, line);
});

Deno.test("sh refuses what cannot be made a word safely, and says where it stands", () => {
  const { api: { sh } } = createGuest();
  // deno-lint-ignore no-explicit-any -- wrong on purpose
  const wrong = (value: unknown) => value as any;
  const refused: readonly [() => unknown, RegExp][] = [
    [() => sh`a ${"ok"} ${wrong(undefined)}`, /^Value 2 of the command is undefined/],
    [() => sh`a ${wrong(null)}`, /^Value 1 of the command is null/],
    [() => sh`a ${wrong(Promise.resolve("x"))}`, /promise: await it first/],
    [() => sh`a ${wrong({ x: 1 })}`, /is \{ x: 1 \}: only text/],
    [() => sh`a ${NaN}`, /is NaN/],
    [() => sh`a ${"x\0y"}`, /NUL/],
    [() => sh`a ${"\ud800"}`, /lone surrogate/],
    [() => sh`a "${["x", "y"]}"`, /list that stands inside quotes/],
    [() => sh`a "${sh`b`}"`, /command that stands inside quotes/],
    [() => sh`a \`b ${"x"}\``, /backticks/],
    [() => sh`a \${X:-${"x"}}`, /put it into a variable/],
    [() => sh`a # ${"x"}`, /comment/],
    [() => sh`cat <<EOF\n${"x"}\nEOF`, /here-document/],
    [() => sh`a $${"x"}`, /right after a \$/],
    [() => sh`a "$${"x"}"`, /right after a \$/],
    [() => sh`a $((${"b[$(id)]"}))`, /only an integer/],
    [() => sh`a ${sh`b`.cwd("c")}`, /cwd of its own/],
    [() => sh`a 'b`.pipe`c`, /left open/],
    [() => sh``, /empty/],
    [() => wrong(sh)("ls"), /is a template/],
    [() => sh`a`.env({ "A;B": 1 }), /no name of an environment variable/],
    [() => sh`a`.timeout("eleven"), /"90s"/],
    [() => sh`a`.timeout("11m"), /ten minutes/],
  ];
  for (const [make, message] of refused) assert.throws(make, { message });
});

Deno.test("sh runs once, when it is awaited or read, and never when it is not", async () => {
  const { api: { sh }, asked } = createGuest(() => done({ stdout: "one\r\ntwo\n\n" }));
  const command = sh`ls`;
  assert.equal(asked.length, 0);
  assert.deepEqual(here(await command), { code: 0, ok: true, stdout: "one\r\ntwo\n\n", stderr: "", ms: 1 });
  assert.equal(await command.text(), "one\r\ntwo");
  assert.deepEqual(here(await command.lines()), ["one", "two", ""]);
  assert.equal(await command.ok(), true);
  assert.equal(asked.length, 1);
  assert.deepEqual(asked[0]?.params, { name: "sh", args: { command: "ls" }, show: true });
  await command.quiet().cwd("src").timeout("90s").stdin("in").pipe`wc`;
  assert.deepEqual(asked[1]?.params, {
    name: "sh",
    args: { command: "ls | wc", cwd: "src", timeout: 90, stdin: "in", pipefail: true },
  });
  await sh`cat`.stdin(new Uint8Array([255, 0])).text();
  assert.equal(asked[2]?.params.args.stdinBase64, "/wA=");
  assert.equal(asked[2]?.params.show, undefined);
});

Deno.test("sh rejects with a ShellError that says what failed and where it was asked", async () => {
  const guest = createGuest(() => done({ code: 1, stderr: "noise\nremote: no\n" }));
  const error = await guest.run(`
    try {
      await pryx.sh\`git push\`.text();
    } catch (error) {
      return error;
    }
  `) as Error & Record<string, unknown>;
  const { ShellError, PryxError } = guest.api;
  assert.ok(error instanceof ShellError && error instanceof PryxError);
  assert.equal(error.message, "git push ended with exit code 1:\nnoise\nremote: no");
  assert.deepEqual([error.name, error.code, error.exitCode, error.command], [
    "ShellError",
    "tool_failed",
    1,
    "git push",
  ]);
  assert.match(error.stack ?? "", /^ShellError: git push[^]*at .*job\.pryx\.ts:4:/);
  assert.equal(await guest.api.sh`x`.ok(), false);
  assert.equal((await guest.api.sh`x`.result()).code, 1);
});

Deno.test("sh gives denials the stack of the line that asked", async () => {
  const guest = createGuest(({ refuse }) => refuse("denied", "Not allowed: run git push"));
  for (const use of ["pryx.sh`git push`", "pryx.sh`git push`.ok()", 'pryx.fs.read("x")']) {
    const error = await guest.run(`\n\ntry { await ${use} } catch (error) { return error }`) as Error;
    assert.match(error.stack ?? "", /Not allowed: run git push[^]*job\.pryx\.ts:4:/, use);
    assert.equal((error as Error & { code: string }).code, "denied");
  }
});

Deno.test("sh tells time-outs and signals apart from exit codes", async () => {
  const { api: { sh, ShellError } } = createGuest(({ params }) =>
    params.args.command === "slow"
      ? done({ code: null, signal: "SIGKILL", timedOut: true })
      : done({ code: null, signal: "SIGKILL", limit: "memory" })
  );
  await assert.rejects(async () => await sh`slow`.timeout("5s").ok(), (error: unknown) => {
    assert.ok(error instanceof ShellError);
    assert.equal(error.code, "timeout");
    assert.equal(error.message, "slow did not end in its time (5 seconds)");
    return true;
  });
  await assert.rejects(async () => await sh`big`, {
    message: "big was ended by SIGKILL (its limit of memory)",
  });
  assert.equal((await sh`big`.result()).code, 137);
});

Deno.test("sh reads output that is no text as bytes, and text of it as well as it can", async () => {
  const { api: { sh } } = createGuest(bashHost("/"));
  const command = sh`printf 'a\377b'`;
  assert.equal(await command.text(), "a\ufffdb");
  assert.deepEqual([...await command.bytes()], [97, 255, 98]);
  assert.deepEqual([...await sh`printf 'é'`.bytes()], [0xc3, 0xa9]);
  assert.deepEqual(here(await sh`echo '{"a":1}'`.json()), { a: 1 });
  await assert.rejects(() => sh`echo no`.json(), {
    code: "output_invalid",
    message: /echo no did not write JSON/,
  });
});

Deno.test("sh fails a pipeline of pipe() with any of its commands", async () => {
  const { api: { sh } } = createGuest(bashHost("/"));
  assert.equal(await sh`printf 'a\nb\n'`.pipe`wc -l`.text().then((text) => text.trim()), "2");
  assert.equal(await sh`false`.pipe`cat`.ok(), false);
  assert.equal(await sh`false | cat`.ok(), true);
  assert.equal(await sh`echo "$A"; echo "$A"`.env({ A: "it's" }).pipe`cat`.text(), "it's\nit's");
});

Deno.test("sh streams lines as they come, whole, and throws at the end", async () => {
  const { api: { sh } } = createGuest(({ emit }) => {
    for (const text of ["on", "e\r", "\ntwo\n", "\nlast"]) emit({ stream: "stdout", text });
    emit({ stream: "stderr", text: "no line" });
    return done({ code: 3 });
  });
  const lines: string[] = [];
  await assert.rejects(async () => {
    for await (const line of sh`test`) lines.push(line);
  }, { exitCode: 3 });
  assert.deepEqual(lines, ["one", "two", "", "last"]);
});

Deno.test("sh is cancelled when the loop over its lines is left", async () => {
  let cancelled: (() => void) | undefined;
  const ended = new Promise<void>((resolve) => cancelled = resolve);
  const { api: { sh } } = createGuest(({ emit, signal, refuse }: Asked) => {
    emit({ stream: "stdout", text: "first\nsecond\n" });
    return new Promise((_, reject) => {
      signal?.addEventListener("abort", () => {
        cancelled?.();
        try {
          refuse("cancelled");
        } catch (error) {
          reject(error);
        }
      });
    });
  });
  const command = sh`tail -f log`;
  for await (const line of command) {
    assert.equal(line, "first");
    break;
  }
  await ended;
  await assert.rejects(() => command.text(), { code: "cancelled" });
});
