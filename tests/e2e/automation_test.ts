import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { type BuiltPryx, builtPryx, PROGRAM } from "../support/built_pryx.ts";
import { hasProgram, openTmux } from "../support/tmux.ts";

/** A fresh machine with these files in its workspace. */
async function project(files: Readonly<Record<string, string>>): Promise<BuiltPryx> {
  const pryx = await builtPryx();
  for (const [name, text] of Object.entries({ "pryx.lock": "", ...files })) {
    await Deno.mkdir(dirname(join(pryx.workspace, name)), { recursive: true });
    await pryx.write(name, text);
  }
  return pryx;
}

/** Runs one file to its end. */
async function run(text: string, ...args: readonly string[]) {
  await using pryx = await project({ "job.pryx.ts": text });
  return await pryx.run(["run", ...args, "job.pryx.ts"]);
}

Deno.test("an automation prints what it prints on stdout, byte for byte, and gets its arguments", async () => {
  await using pryx = await project({
    "job.pryx.ts": `import { args, log } from "pryx";
console.log(JSON.stringify(args.raw));
log.info("on the way");
console.error("beside");
console.log("é😀 \\x1b[31mred\\x1b[0m");
console.log("");`,
  });
  const words = ["a b", "--flag", "--json", "-q", "--", "ü", ""];
  const { code, stdout, stderr } = await pryx.run(["run", "job.pryx.ts", ...words]);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, `${JSON.stringify(words)}\né😀 \x1b[31mred\x1b[0m\n\n`);
  assert.equal(stderr, "on the way\nbeside\n");
  const quiet = await pryx.run(["run", "-q", "job.pryx.ts"]);
  assert.deepEqual([quiet.stdout.split("\n")[0], quiet.stderr], ["[]", "beside\n"]);
});

Deno.test("what an automation throws ends it with 1, and the trace names the lines of its own files", async () => {
  await using pryx = await project({
    "job.pryx.ts": `import { names } from "./lib/names.ts";
import { check } from "./lib/again.ts";
interface Unused { a: string }
enum Level { Low = 1, High }

async function main(): Promise<void> {
  await Promise.resolve();
  names.map((name: string) => check(name, Level.High));
}
await main();
`,
    "lib/names.ts": `import data from "./names.json" with { type: "json" };
import { late } from "./again.ts";
export const names: string[] = data.names;
export const useLate = () => late;
`,
    "lib/names.json": '{ "names": ["a", "bad"] }',
    // Imports what imports it.
    "lib/again.ts": `export { useLate } from "./names.ts";
export const late = 1;

type Text = string;

export function check(name: Text, level: number): void {
  if (name === "bad") {
    throw new RangeError(\`\${name} at \${level}\`);
  }
}
`,
  });
  const { code, stdout, stderr } = await pryx.run(["run", "job.pryx.ts"]);
  assert.equal(code, 1);
  assert.equal(stdout, "");
  const lines = stderr.split("\n");
  assert.equal(lines[0], "pryx: job.pryx.ts failed: RangeError: bad at 2");
  assert.deepEqual(
    lines.slice(1).map((line) => /([\w./]+:\d+:\d+)/.exec(line)?.[1]).filter(Boolean),
    ["lib/again.ts:8:11", "job.pryx.ts:8:31", "job.pryx.ts:8:9", "job.pryx.ts:10:1"],
  );
  // No frame of pryx or of the runtime.
  assert.doesNotMatch(lines.slice(1).join("\n"), /pryx:|node:|ext:|file:|core\//);
});

const THROWN: readonly (readonly [what: string, text: string, first: RegExp])[] = [
  ["an error", 'throw new Error("no")', /^pryx: job\.pryx\.ts failed: Error: no\n/],
  ["a text", 'throw "just text"', /just text/],
  ["nothing", "throw undefined", /undefined/],
  ["an object", "throw { a: 1 }", /a: 1/],
  [
    "later, from a timer",
    'setTimeout(() => { throw new Error("late") }, 10)',
    /Error: late\n.*job\.pryx\.ts:1/,
  ],
  ["in a promise that nobody awaits", 'void Promise.reject(new Error("lost"))', /Error: lost/],
  ["a cause", 'throw new Error("outer", { cause: new Error("inner") })', /outer/],
  ["while it is imported", "const a: number = b; const b = 1; export {}", /ReferenceError/],
];
Deno.test("whatever is thrown, wherever, ends an automation with 1 and says what it was", async () => {
  await using pryx = await project({});
  for (const [what, text, first] of THROWN) {
    await pryx.write("job.pryx.ts", `${text};\n`);
    const { code, stderr } = await pryx.run(["run", "job.pryx.ts"]);
    assert.equal(code, 1, `${what}: ${stderr}`);
    assert.match(stderr, first, what);
  }
});

Deno.test("a command that fails is an error with its exit code, and where it was called", async () => {
  const { code, stderr } = await run(
    `import { sh } from "pryx";
export const permissions = { run: ["ls"], read: ["."] };

const found = await sh\`ls gone\`.text().catch((error) => [error.exitCode, /No such file/.test(error.stderr)]);
console.error(JSON.stringify(found));
await sh\`ls gone\`;
`,
    "--allow",
    "run=ls",
  );
  assert.equal(code, 1);
  assert.match(stderr, /^\[2,true\]\n/);
  assert.match(stderr, /ShellError: ls gone ended with exit code 2[^]*at .*job\.pryx\.ts:6:/);
});

Deno.test("a text that cannot be an automation ends 2, with file, line and column, before anything runs", async () => {
  await using pryx = await project({
    "syntax.pryx.ts": 'console.log("ran");\nconst = 4;\n',
    "import.pryx.ts": 'console.log("ran");\nimport zx from "npm:zx";\nzx();\n',
    "missing.pryx.ts": 'import { a } from "./gone.ts";\nconsole.log(a);\n',
    "manifest.pryx.ts": "const run = ['ls'];\nexport const permissions = { run };\n",
    "unsupported.pryx.ts": "namespace A { export const b = 1 }\nconsole.log(import.meta.url);\n",
    "inner.pryx.ts": 'import "./lib/bad.ts";\n',
    "lib/bad.ts": "\n  let a: number = ;\n",
  });
  for (
    const [file, place] of [
      ["syntax", "syntax.pryx.ts:2:7: error: "],
      ["import", "import.pryx.ts:2:16: error: "],
      ["missing", "missing.pryx.ts:1:19: error: "],
      ["manifest", "manifest.pryx.ts:2:30: error: "],
      ["unsupported", "unsupported.pryx.ts:1:1: error: "],
      ["inner", "lib/bad.ts:2:19: error: "],
    ] as const
  ) {
    const { code, stdout, stderr } = await pryx.run(["run", `${file}.pryx.ts`]);
    assert.equal(code, 2, `${file}: ${stderr}`);
    assert.equal(stdout, "");
    assert.ok(stderr.includes(`\n  ${place}`), `${file}: ${stderr}`);
  }
  const json = await pryx.run(["run", "--json", "syntax.pryx.ts"]);
  assert.equal(json.code, 2);
  assert.match(JSON.parse(json.stdout).error.message, /syntax\.pryx\.ts:2:7/);
});

Deno.test("wrong words on the command line end 2: a file that is not there, flags, arguments that were declared", async () => {
  await using pryx = await project({
    "job.pryx.ts": `import { args } from "pryx";
const { count, positional } = args.declare({ flags: { count: { type: "number", default: 1 } }, positional: ["name"] });
console.log(count, positional[0]);
`,
  });
  const stderr = async (...args: string[]) => {
    const ended = await pryx.run(["run", ...args]);
    assert.equal(ended.code, 2, `${args}: ${ended.code} ${ended.stderr}`);
    assert.equal(ended.stdout, "");
    return ended.stderr;
  };
  assert.match(await stderr("gone.pryx.ts"), /no file .*gone\.pryx\.ts/);
  assert.match(await stderr("--wrong", "job.pryx.ts"), /--wrong/);
  assert.match(await stderr("--answer", "x", "job.pryx.ts", "a"), /NAME=VALUE/);
  assert.match(await stderr("--trigger", "boom", "job.pryx.ts", "a"), /--trigger webhook/);
  assert.match(await stderr("--timeout", "soon", "job.pryx.ts", "a"), /timeout/);
  assert.match(await stderr("job.pryx.ts"), /<name> is missing/);
  assert.match(await stderr("job.pryx.ts", "a", "--count", "x"), /--count is a number/);
  assert.match(await stderr("job.pryx.ts", "a", "--cuont", "1"), /--cuont/);
  const help = await pryx.run(["run", "job.pryx.ts", "--help"]);
  assert.deepEqual([help.code, help.stderr], [0, ""]);
  assert.match(help.stdout, /Usage: pryx run job\.pryx\.ts .*<name>/);
  const fine = await pryx.run(["run", "job.pryx.ts", "--count", "3", "x"]);
  assert.deepEqual([fine.code, fine.stdout], [0, "3 x\n"]);
});

Deno.test("a denial that nobody catches ends 3 and names the flag; so does one that was caught when a person could have allowed it", async () => {
  await using pryx = await project({
    "job.pryx.ts": `import { fs } from "pryx";
export const permissions = { write: ["out"] };
await fs.write("out/a.txt", "x");
`,
    "caught.pryx.ts": `import { fs } from "pryx";
export const permissions = { write: ["out"] };
await fs.write("out/a.txt", "x").catch((error) => console.log(error.code));
`,
    "undeclared.pryx.ts": `import { fs } from "pryx";
export const permissions = { write: ["out"] };
await fs.write("b.txt", "x").catch((error) => console.log(error.code));
`,
  });
  const denied = await pryx.run(["run", "job.pryx.ts"]);
  assert.equal(denied.code, 3);
  assert.match(denied.stderr, /failed: .*write=[^]*job\.pryx\.ts:3:/);
  assert.equal(denied.stderr.split("--allow").length, 2, denied.stderr);
  const caught = await pryx.run(["run", "caught.pryx.ts"]);
  assert.deepEqual([caught.code, caught.stdout], [3, "denied\n"]);
  // No flag would have allowed what the file does not declare.
  const undeclared = await pryx.run(["run", "--allow", "write=.", "undeclared.pryx.ts"]);
  assert.deepEqual([undeclared.code, undeclared.stdout, undeclared.stderr], [0, "denied\n", ""]);
  const flags = /--allow (\S+)/.exec(denied.stderr)?.[1] ?? "";
  assert.equal((await pryx.run(["run", "--allow", flags, "job.pryx.ts"])).code, 0);
  assert.equal(await pryx.read("out/a.txt"), "x");
});

Deno.test("a file with a shebang is a program, from anywhere", async () => {
  await using pryx = await project({
    "tools/my job.pryx.ts": `#!/usr/bin/env -S pryx run
import { args, stdin, workspace } from "pryx";
console.log(args.positional.join("+"), (await stdin()).trim(), workspace.endsWith("work"));
`,
  });
  const file = join(pryx.workspace, "tools/my job.pryx.ts");
  await Deno.chmod(file, 0o755);
  const child = new Deno.Command("sh", {
    args: ["-c", 'cd / && echo piped | "$@"', "sh", file, "a", "b c"],
    env: { ...pryx.env, PATH: `${dirname(PROGRAM)}:${pryx.env.PATH}` },
    clearEnv: true,
  });
  const { code, stdout, stderr } = await child.output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  assert.equal(new TextDecoder().decode(stdout), "a+b c piped true\n");
});

Deno.test("--ts - runs what is piped in, in the folder where it is", async () => {
  await using pryx = await project({ "lib.ts": "export const answer: number = 42;\n" });
  const piped = (stdin: string, ...args: string[]) => pryx.run(["run", "--ts", "-", ...args], { stdin });
  const fine = await piped(
    'import { answer } from "./lib.ts"; import { args } from "pryx";\nconsole.log(answer, args.raw);',
    "-x",
  );
  assert.deepEqual([fine.code, fine.stdout], [0, "42 [ '-x' ]\n"]);
  const thrown = await piped('const a = 1;\nthrow new Error("no");\n');
  assert.equal(thrown.code, 1);
  assert.match(thrown.stderr, /Error: no\n\s+at <stdin>:2:7/);
  const broken = await piped("const = 1;");
  assert.equal(broken.code, 2);
  assert.match(broken.stderr, /<stdin>:1:7: error/);
  const empty = await pryx.run(["run", "--ts", "-"]);
  assert.deepEqual([empty.code, empty.stdout], [0, ""]);
});

Deno.test("standard input is read when it is asked for, whole", async () => {
  await using pryx = await project({
    "job.pryx.ts":
      'import { stdin } from "pryx";\nconst text = await stdin();\nconsole.log(text.length, JSON.stringify(text.slice(0, 9)), (await stdin()).length);\n',
    "deaf.pryx.ts": 'console.log("done");\n',
  });
  assert.equal(
    (await pryx.run(["run", "job.pryx.ts"], { stdin: "ä\r\n\0😀\n" })).stdout,
    '7 "ä\\r\\n\\u0000😀\\n" 7\n',
  );
  assert.equal(
    (await pryx.run(["run", "job.pryx.ts"], { stdin: "x".repeat(300_000) })).stdout,
    '300000 "xxxxxxxxx" 300000\n',
  );
  assert.equal((await pryx.run(["run", "job.pryx.ts"])).stdout, '0 "" 0\n');
  assert.equal((await pryx.run(["run", "deaf.pryx.ts"], { stdin: "x".repeat(300_000) })).stdout, "done\n");
});

Deno.test("much output comes whole, and a reader that has enough ends the run without a word", async () => {
  await using pryx = await project({
    "job.pryx.ts": "for (let n = 0; n < 100_000; n++) console.log(`line ${n}`);\n",
  });
  const whole = await pryx.run(["run", "job.pryx.ts"]);
  assert.equal(whole.code, 0);
  const lines = whole.stdout.split("\n");
  assert.deepEqual([lines.length, lines[99_999], lines[100_000]], [100_001, "line 99999", ""]);
  const { stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", '"$1" run job.pryx.ts | head -1', "sh", PROGRAM],
    cwd: pryx.workspace,
    env: pryx.env,
    clearEnv: true,
  }).output();
  assert.equal(new TextDecoder().decode(stdout), "line 0\n");
  assert.equal(new TextDecoder().decode(stderr), "");
});

Deno.test("--json prints the events of a run, one a line, and nothing else", async () => {
  const { code, stdout } = await run(
    `import { log, sh, ui } from "pryx";
export const permissions = { run: ["echo"] };
console.log("out\\u2028");
console.error("err");
log.warn("careful", { a: [1] });
await sh\`echo hi\`;
ui.progress("far", 2).update(1);
throw new Error("no");
`,
    "--json",
    "--allow",
    "run=echo",
  );
  assert.equal(code, 1);
  assert.doesNotMatch(stdout, /\r/);
  const events = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.ok(events.every((event) => event.v === 1 && typeof event.type === "string"));
  const types = events.map(({ type }) => type);
  for (
    const type of [
      "session.created",
      "input",
      "turn.started",
      "output",
      "log",
      "tool.requested",
      "decision",
      "tool.finished",
      "progress",
    ]
  ) {
    assert.ok(types.includes(type), `${type} is not in ${types}`);
  }
  assert.equal(types.at(-1), "turn.ended");
  const outputs = events.filter(({ type }) => type === "output").map(({ data }) => [data.stream, data.text]);
  assert.deepEqual(outputs, [["stdout", "out\u2028\n"], ["stderr", "err\n"]]);
  const end = events.at(-1).data;
  assert.deepEqual([end.status, end.text, end.error.code], ["failed", "out\u2028\n", "tool_failed"]);
});

Deno.test("lines of a command arrive while it runs", async () => {
  await using pryx = await project({
    "job.pryx.ts": `import { fs, sh } from "pryx";
export const permissions = { run: ["echo", "cat", "sleep", "test", "true"], read: ["."], write: ["."] };
for await (const line of sh\`echo first; while ! test -e go; do sleep 0.05; done; echo second\`) {
  console.log(line);
}
`,
  });
  await using started = pryx.start(["run", "--preset", "dangerously-full", "job.pryx.ts"]);
  await started.printed("first");
  await pryx.write("go", "");
  const { code, stdout, stderr } = await started.finished();
  assert.deepEqual([code, stdout], [0, "first\nsecond\n"], stderr);
});

Deno.test("commands take folders, variables, pipes and input, and what is in them is one word each", async () => {
  const { code, stdout, stderr } = await run(
    `import { fs, sh } from "pryx";
export const permissions = { run: ["*"], write: ["."] };
const evil = "a b'; echo x; $(echo y) \`echo z\`";
await fs.mkdir("sub dir");
console.log(await sh\`printf %s \${evil}\`.text() === evil);
console.log((await sh\`pwd\`.cwd("sub dir").text()).endsWith("/sub dir"));
console.log(await sh\`printenv A\`.env({ A: "b c" }).text());
console.log(await sh\`cat\`.stdin("piped\\nin").pipe\`wc -l\`.text());
console.log(await sh\`printf '%s|' \${["x y", "z"]}\`.text());
console.log((await sh\`false\`.result()).code, await sh\`true\`.ok());
console.log(await sh\`echo '{"a":[1]}'\`.json());
`,
    "--preset",
    "dangerously-full",
  );
  assert.equal(code, 0, stderr);
  assert.deepEqual(stdout.trimEnd().split("\n"), [
    "true",
    "true",
    "b c",
    "1",
    "x y|z|",
    "1 true",
    "{ a: [ 1 ] }",
  ]);
});

Deno.test("what an automation changed can be looked at and taken back", async () => {
  await using pryx = await project({
    "old.txt": "before\n",
    "gone.txt": "here\n",
    "job.pryx.ts": `import { fs, log } from "pryx";
export const permissions = { write: ["."] };
await fs.edit("old.txt", "before", "after");
await fs.write("new/b.txt", "made\\n");
await fs.remove("gone.txt");
log.warn("three files");
console.log("all done");
`,
  });
  const ran = await pryx.run(["run", "--preset", "workspace", "job.pryx.ts"]);
  assert.equal(ran.code, 0, ran.stderr);
  const diff = await pryx.run(["sessions", "diff"]);
  assert.match(diff.stdout, /-before\n\+after/);
  assert.match(diff.stdout, /-here/);
  const shown = await pryx.run(["sessions", "show"]);
  for (
    const said of [
      /edit_file edit old\.txt/,
      /file changed: old\.txt/,
      /file added: new\/b\.txt/,
      /warn: three files/,
      /all done/,
    ]
  ) {
    assert.match(shown.stdout, said);
  }
  assert.doesNotMatch(shown.stdout, /· none|tokens|\$0/);
  assert.match((await pryx.run(["sessions", "list"])).stdout, /done +job\.pryx\.ts/);
  const undone = await pryx.run(["sessions", "undo"]);
  assert.equal(undone.code, 0, undone.stderr);
  assert.deepEqual([await pryx.read("old.txt"), await pryx.read("gone.txt")], ["before\n", "here\n"]);
  await assert.rejects(pryx.read("new/b.txt"), Deno.errors.NotFound);
});

Deno.test("sessions why tells what failed in an automation, and where", async () => {
  await using pryx = await project({
    "job.pryx.ts":
      'import { fs } from "pryx";\nexport const permissions = { write: ["out"] };\nawait fs.write("out/a", "x");\n',
  });
  await pryx.run(["run", "job.pryx.ts", "--dry"]);
  const { stdout } = await pryx.run(["why"]);
  assert.match(stdout, /Asked: job\.pryx\.ts --dry/);
  assert.match(stdout, /denied[^]*job\.pryx\.ts:3/);
  assert.match(stdout, /--allow '?write=/);
});

Deno.test("the nearest folder with a mark is the project of a file, wherever it is started", async () => {
  const text =
    'import { args, fs, workspace } from "pryx";\nexport const permissions = { read: ["."] };\nconsole.log(workspace, await fs.exists("mark"), args.path("x"));\n';
  await using pryx = await builtPryx();
  const at = pryx.workspace;
  for (const [folder, mark] of [["a ü", ".git"], ["b", ".pryx"], ["c", ""]] as const) {
    await Deno.mkdir(join(at, folder, mark, "deep"), { recursive: true });
    await Deno.mkdir(join(at, folder, "deep"), { recursive: true });
    await pryx.write(join(folder, "mark"), "");
    await pryx.write(join(folder, "deep", "mark"), "");
    await pryx.write(join(folder, "deep", "job.pryx.ts"), text);
  }
  await Deno.mkdir(join(at, "d/deep/er"), { recursive: true });
  await pryx.write("d/deep/pryx.lock", "");
  await pryx.write("d/deep/er/job.pryx.ts", text);
  const rootOf = async (file: string, cwd = "/") => {
    const { code, stdout, stderr } = await pryx.run(["run", file], { cwd });
    assert.equal(code, 0, stderr);
    return stdout.trimEnd();
  };
  assert.equal(await rootOf(join(at, "a ü/deep/job.pryx.ts")), `${at}/a ü true /x`);
  assert.equal(await rootOf("deep/job.pryx.ts", join(at, "b")), `${at}/b true ${at}/b/x`);
  // No mark anywhere: the folder that the file is in.
  assert.equal(await rootOf(join(at, "c/deep/job.pryx.ts")), `${at}/c/deep true /x`);
  assert.equal(await rootOf(join(at, "d/deep/er/job.pryx.ts")), `${at}/d/deep false /x`);
});

Deno.test("events of a resident automation are brought to it by --trigger, and the answer is printed", async () => {
  await using pryx = await project({
    "job.pryx.ts": `import { on } from "pryx";
on.webhook("push", (request) => ({ status: 201, body: [request.method, request.headers["x-event"], request.json().n] }));
on.webhook("text", (request) => \`got \${request.body}\`);
on.webhook("broken", () => { throw new Error("handler"); });
on.schedule("0 5 * * *", () => console.log("morning"));
on.message("chat", async (message) => { console.log(message.text); });
`,
    "plain.pryx.ts": "console.log(1);\n",
  });
  const trigger = (name: string, options: { stdin?: string } = {}, ...more: string[]) =>
    pryx.run(["run", "--trigger", name, ...more, "job.pryx.ts"], options);
  const pushed = await trigger("webhook/push", { stdin: '{"n": 7}' }, "--trigger-header", "X-Event=opened");
  assert.equal(pushed.code, 0, pushed.stderr);
  assert.match(pushed.stdout, /201[^]*POST[^]*opened[^]*7/);
  const text = JSON.parse((await trigger("webhook/text", { stdin: "it" })).stdout);
  assert.deepEqual([text.status, text.body], [200, "got it"]);
  assert.equal((await trigger("schedule")).stdout, "morning\n");
  assert.equal((await trigger("message/chat", { stdin: "hello" })).stdout, "hello\n");
  const broken = await trigger("webhook/broken");
  assert.equal(broken.code, 1);
  assert.match(broken.stderr, /Error: handler[^]*job\.pryx\.ts:4/);
  const unknown = await trigger("webhook/gone");
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /webhook\/push, webhook\/text/);
  const resident = await pryx.run(["run", "job.pryx.ts"]);
  assert.equal(resident.code, 2);
  assert.match(resident.stderr, /needs `pryx serve`[^]*--trigger webhook\/push/);
  const plain = await pryx.run(["run", "--trigger", "webhook/x", "plain.pryx.ts"]);
  assert.equal(plain.code, 2);
});

Deno.test("git is the repository's own", async () => {
  await using pryx = await project({
    "a.txt": "one\n",
    "job.pryx.ts": `import { git } from "pryx";
export const permissions = { read: ["."], write: ["."], run: ["git"] };
const status = await git.status();
console.log(JSON.stringify(status));
console.log(JSON.stringify(await git.log({ limit: 5 })));
console.log(await git.branch());
`,
  });
  const git = async (...args: string[]) => {
    const { success, stderr } = await new Deno.Command("git", {
      args: ["-c", "user.name=T", "-c", "user.email=t@example.org", ...args],
      cwd: pryx.workspace,
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
  };
  await git("init", "-q", "-b", "trunk");
  await git("add", ".");
  await git("commit", "-q", "-m", "First: commit");
  await pryx.write("a.txt", "two\n");
  const { code, stdout, stderr } = await pryx.run([
    "run",
    "--preset",
    "workspace",
    "--allow",
    "run=git",
    "job.pryx.ts",
  ]);
  assert.equal(code, 0, stderr);
  const [status = "", log = "", branch] = stdout.trimEnd().split("\n");
  assert.match(status, /a\.txt/);
  assert.match(log, /First: commit/);
  assert.equal(branch, "trunk");
});

Deno.test("an answer that a script waits for is given by flag, by default, or said to be missing", async () => {
  await using pryx = await project({
    "job.pryx.ts": `import { ui } from "pryx";
console.log(await ui.confirm("go", "Go on?"), await ui.input("who", "Who?", { default: "me" }));
console.log(await ui.select("size", ["s", "l"]), await ui.multiselect("parts", ["a", "b"], { default: [] }));
ui.table([{ a: 1, b: "x" }]);
ui.markdown("# Title");
`,
  });
  const answers = (...pairs: string[]) =>
    pryx.run(["run", ...pairs.flatMap((pair) => ["--answer", pair]), "job.pryx.ts"]);
  const fine = await answers("go=yes", "size=l", "parts=b,a");
  assert.equal(fine.code, 0, fine.stderr);
  assert.match(fine.stdout, /^true me\nl \[ 'a', 'b' \]\na +b\n[^]*\n1 +x\n# Title\n$/);
  const missing = await answers("go=no");
  assert.equal(missing.code, 3);
  assert.match(missing.stderr, /--answer size=s/);
  const wrong = await answers("go=perhaps");
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /neither yes nor no/);
});

const tmux = { ignore: !hasProgram("tmux") };

function inTerminal(pryx: BuiltPryx, ...args: readonly string[]) {
  const { NO_COLOR: _, ...env } = pryx.env;
  const line = 'trap : INT; cd "$1" && shift && "$@"; echo "ended with $?"';
  return openTmux(["sh", "-c", line, "sh", pryx.workspace, PROGRAM, ...args], env);
}

Deno.test("a person answers what a script asks, and sees what it prints", tmux, async () => {
  await using pryx = await project({
    "job.pryx.ts": `import { ui } from "pryx";
console.log("go:", await ui.confirm("go", "Go on?"));
console.log("who:", await ui.input("who", "Who is it?"));
console.log("size:", await ui.select("size", ["small", "large"], { question: "Which size?" }));
`,
  });
  await using terminal = await inTerminal(pryx, "run", "job.pryx.ts");
  await terminal.shows(/Go on\?/);
  await terminal.type("maybe");
  await terminal.press("Enter");
  await terminal.shows(/neither yes nor no/);
  await terminal.type("yes");
  await terminal.press("Enter");
  await terminal.shows(/Who is it\?/);
  await terminal.type("Ada L");
  await terminal.press("Enter");
  await terminal.shows(/Which size\?/);
  await terminal.type("2");
  await terminal.press("Enter");
  const end = await terminal.shows(/ended with \d/);
  for (const said of [/go: true/, /who: Ada L/, /size: large/, /ended with 0/]) assert.match(end, said);
  assert.doesNotMatch(end, /agent asks/);
});

Deno.test(
  "Ctrl-C ends an automation and its command with 130, in time for what it closes",
  tmux,
  async () => {
    await using pryx = await project({
      "job.pryx.ts": `import { sh, signal } from "pryx";
export const permissions = { run: ["sleep"] };
signal.addEventListener("abort", () => console.log("closing"));
console.log("begun");
await sh\`sleep 3600.25\`;
`,
    });
    await using terminal = await inTerminal(pryx, "run", "--allow", "run=sleep", "job.pryx.ts");
    await terminal.shows(/begun/);
    await terminal.press("C-c");
    const end = await terminal.shows(/ended with \d/);
    assert.match(end, /closing/);
    assert.match(end, /ended with 130/);
    const { stdout } = await new Deno.Command("sh", { args: ["-c", "ps -eo args | grep '[s]leep 3600.25'"] })
      .output();
    assert.equal(new TextDecoder().decode(stdout), "");
  },
);

Deno.test("a time limit ends a run that does nothing, a loop, and a command, with 124", async () => {
  await using pryx = await project({
    "wait.pryx.ts": 'import { sleep } from "pryx";\nconsole.log("begun");\nawait sleep("1h");\n',
    "loop.pryx.ts": 'console.log("begun");\nfor (;;);\n',
    "command.pryx.ts":
      'import { sh } from "pryx";\nexport const permissions = { run: ["sleep"] };\nconsole.log("begun");\nawait sh`sleep 3600`;\n',
  });
  for (const name of ["wait", "loop", "command"]) {
    const { code, stdout, stderr } = await pryx.run([
      "run",
      "--timeout",
      "1500ms",
      "--allow",
      "run=sleep",
      `${name}.pryx.ts`,
    ]);
    assert.equal(code, 124, stderr);
    assert.equal(stdout, "begun\n", name);
    assert.match(stderr, /time limit of 1500 ms/);
    assert.doesNotMatch(stderr, /--continue/);
  }
});
