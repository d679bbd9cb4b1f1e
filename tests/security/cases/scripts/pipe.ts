import { outside, type Script, script, type ScriptCase } from "../../_script.ts";

type More = Pick<Script, "code" | "flags" | "through"> & { readonly prints: RegExp };

/** What a process that nobody holds says on its pipe to the host. */
const wire = (
  id: string,
  title: string,
  answers: string,
  input: string,
  how: string,
  lines: readonly string[],
  more: More,
): ScriptCase =>
  script({
    id,
    title,
    answers,
    input,
    how,
    mode: "fallen",
    layer: "host",
    twin: "a script that calls the host and ends",
    attacks: () =>
      lines.map((text) => outside(text, { text: "export const permissions = { read: ['.'] };\n", ...more })),
    works: () => ({
      text: `import { fs, log, state } from "pryx";
      export const permissions = { read: ["."] };
      await Promise.all(Array.from({ length: 2_000 }, (_, index) => state.set("key" + index % 7, "x".repeat(500))));
      console.log((await fs.read("readme.txt")).includes("anybody") ? "fine" : "");
      log.info("done");`,
      flags: ["--preset", "workspace"],
      prints: /^fine$/m,
    }),
  });

const NONSENSE = /makes no sense|no UTF-8/;

/** Runs a program and says how much memory it and its children had at most, in MB. */
export const PEAK = [
  "python3",
  "-c",
  `import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
sys.stderr.write("peak %d MB\\n" % (resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024))
sys.exit(code)`,
];

/** The same with its output read for a moment, then not for two seconds, then to its end. */
const SLOW_READER = [
  "sh",
  "-c",
  `exec 3>&2; { "$@" 2>&3; echo "code $?" >&3; } | { head -c 1000 >/dev/null; sleep 2; cat >/dev/null; }`,
  "sh",
  ...PEAK,
];

/** No more than this, with all that the runtime itself takes. */
const BOUNDED = /peak ([1-6]?\d\d) MB/;

export const pipe: readonly ScriptCase[] = [
  wire(
    "script-40",
    "what is no message",
    "CWE-20",
    "text, lists, numbers, objects without a type or of an unknown one, with keys that are not theirs, NUL, unpaired surrogates",
    "the run ends with exit 1",
    [
      `line("hello");`,
      `line("[]");`,
      `line("null");`,
      `line("");`,
      `line("{}");`,
      `line({ t: "load", modules: [] });`,
      `line({ t: "constructor" });`,
      `line({ t: "__proto__" });`,
      `line('{"__proto__":{"t":"done","registered":{"triggers":[],"tests":[]}}}');`,
      `line({ t: "say", to: "stdout", text: "x", more: 1 });`,
      `line({ t: "say", to: "/etc/passwd", text: "x" });`,
      `line({ t: "call", id: 1, method: ["tool"], params: {} });`,
      `line({ t: "done", registered: { triggers: [{ kind: "root", name: "x" }], tests: [] } });`,
      `line({ t: "failed", error: { name: "x", message: { toString: 1 } } });`,
      `line("{\\"t\\":\\"say\\",\\"to\\":\\"stdout\\",\\"text\\":\\"\\u0000");`,
      `line({ t: "ready", v: 99, seal: { permissions: true, seccomp: true } });`,
      `line({ t: "reply", id: 1, ok: true, error: { name: "x", message: "y" } });`,
    ].map((text) => `${text}\nawait new Promise(() => {});`),
    { code: 1, prints: NONSENSE },
  ),
  wire(
    "script-41",
    "bytes that are no text, and halves",
    "CWE-20",
    "invalid UTF-8, overlong and cut sequences, a byte-order mark, half a line and the end",
    "the run ends with exit 1",
    [
      `raw(Uint8Array.of(0xff, 0xfe, 10));`,
      `raw(Uint8Array.of(0xc0, 0xaf, 10));`,
      `raw(Uint8Array.of(0xed, 0xa0, 0x80, 10));`,
      `raw(Uint8Array.of(0xf0, 0x9f, 10));`,
      `raw(Uint8Array.of(0xef, 0xbb, 0xbf)); line({ t: "done", registered: { triggers: [], tests: [] } });`,
      `raw(bytes('{"t":"done","registered"').subarray(0, 20)); call(231, 0);`,
      `raw(Uint8Array.of(0xf0, 0x9f)); call(231, 0);`,
      `call(231, 0);`,
      `call(231, 3);`,
      `call(234, host.Deno.pid, call(186), 9);`,
    ].map((text) => `${text}\nawait new Promise(() => {});`),
    { code: 1, prints: /makes no sense|no UTF-8|The process of job\.pryx\.ts ended/ },
  ),
  wire(
    "script-42",
    "answers that nobody asked for, numbers used twice",
    "CWE-345",
    "a `reply` to no call, two calls of one number, numbers that are negative, huge, fractions, texts",
    "the run ends with exit 1",
    [
      `line({ t: "reply", id: 1, ok: true, value: "yes" });`,
      `line({ t: "reply", id: 0, ok: false, error: { name: "x", message: "y" } });`,
      `for (let n = 0; n < 3; n++) line({ t: "call", id: 7, method: "timer", params: { ms: 60_000 } });`,
      `line({ t: "call", id: -1, method: "tools", params: null });`,
      `line({ t: "call", id: 1.5, method: "tools", params: null });`,
      `line('{"t":"call","id":1e999,"method":"tools","params":null}');`,
      `line({ t: "call", id: "1", method: "tools", params: null });`,
      `line({ t: "cancel", id: -3 });`,
    ].map((text) => `${text}\nawait new Promise(() => {});`),
    { code: 1, prints: NONSENSE },
  ),
  wire(
    "script-43",
    "methods that are none, parameters that are none",
    "CWE-1321",
    "`constructor`, `__proto__`, `toString`, `hasOwnProperty` as methods; `__proto__` in parameters; too much, too little",
    "each call is answered with an error",
    [
      `const sent = [["constructor", {}], ["__proto__", {}], ["toString", {}], ["hasOwnProperty", {}], ["", {}], ["tool", null], ["tool", { name: "fs_read" }],
        ["tool", { name: "__proto__", args: {} }], ["tool", { name: "constructor", args: {} }], ["tool", { name: "fs_read", args: { path: "readme.txt", extra: 1 } }],
        ["state.set", { key: { a: 1 }, value: 1 }], ["state.get", []], ["env", { name: "" }], ["secret", { name: "../x" }], ["temp", { prefix: "../../x" }], ["temp", { prefix: "/tmp/x" }],
        ["question", { name: "x", kind: "shell", text: "" }], ["exit", { code: -1 }], ["exit", { code: 1e9 }], ["hmac", { name: "X", text: "x", algorithm: "MD5" }], ["watch", { path: "/etc" }], ["watch", { path: "/nowhere/at/all" }],
        ["mcp.call", { server: "x", tool: "y", args: {} }], ["channel.send", { channel: "x", text: "y" }], ["timer", { ms: -1 }], ["timer", { ms: "1" }], ["ask", { prompt: "x", preset: "dangerously-full" }], ["ask", { prompt: "x", session: "01J00000000000000000000000" }],
        ["ask", { prompt: "x" }], ["require", {}], ["tool", { name: "require", args: { need: "run=rm" } }], ["tool", { name: "require", args: { need: "use=agent" } }]];
      const answers = await ask(sent as [string, unknown][]);
      const proto = new Promise<string>((done) => host.hears = done);
      line('{"t":"call","id":900,"method":"tool","params":{"__proto__":{"name":"fs_read"},"name":"fs_read","args":{"__proto__":{"path":"readme.txt"}}}}');
      answers.push(await proto);
      tell(answers.filter((one) => one.includes('"ok":true')));
      line({ t: "done", registered: { triggers: [], tests: [] } });`,
    ],
    { code: [0, 3], prints: /^held$/m },
  ),
  wire(
    "script-44",
    "the model's tools, and all others, without a manifest for them",
    "CWE-862",
    "`shell`, `sh`, `read_file`, `write_file`, `fs_write`, `fetch`, `http`, `ask_user` … called by hand, a thousand times",
    "each is denied or unknown",
    [
      `const at = "/etc/hostname";
      const sent: [string, unknown][] = [["shell", { command: "id" }], ["sh", { command: "id" }], ["sh", { command: "cat /etc/passwd" }], ["read_file", { path: at }], ["fs_read", { path: at }], ["fs_read", { path: "../outside/plan.txt" }],
        ["fs_list", { path: "/" }], ["fs_stat", { path: at }], ["fs_glob", { pattern: "/etc/*" }], ["fs_grep", { pattern: "root", path: "/etc" }], ["fs_copy", { from: at, to: "x" }], ["fs_move", { from: at, to: "x" }], ["fs_remove", { path: "readme.txt" }],
        ["fs_write", { path: "readme.txt", text: "x" }], ["write_file", { path: "readme.txt", content: "x" }], ["edit_file", { path: "readme.txt", old_text: "a", new_text: "b" }], ["fs_mkdir", { path: "x" }], ["fetch", { url: "http://127.0.0.1:1/" }],
        ["http", { url: "http://127.0.0.1:1/" }], ["http", { url: "file:///etc/passwd" }], ["ask_user", { question: "x" }], ["glob", { pattern: "/etc/*" }], ["grep", { pattern: "x", path: "/etc" }], ["list_dir", { path: "/" }], ["nothing", {}]];
      const answers = await ask([sent, sent, sent, sent].flat().map(([name, args]) => ["tool", { name, args }]));
      tell(answers.filter((one) => one.includes('"ok":true')).map((one) => one.slice(0, 100)));
      line({ t: "done", registered: { triggers: [], tests: [] } });`,
    ],
    { code: [0, 3], prints: /^held$/m },
  ),
  wire(
    "script-45",
    "a line without end",
    "CWE-770",
    "200 million characters without a newline",
    "the run ends with exit 1; memory of pryx stays bounded",
    [`const piece = new Uint8Array(1 << 20).fill(97);\nfor (let n = 0; n < 200; n++) raw(piece);\nawait new Promise(() => {});`],
    { code: 1, prints: BOUNDED, through: PEAK },
  ),
  wire(
    "script-46",
    "output without end, and a reader that stops",
    "CWE-400",
    "400 MB of lines to print, standard output not read for two seconds",
    "memory of pryx stays bounded",
    [
      `const text = JSON.stringify({ t: "say", to: "stdout", text: "x".repeat(60_000) + "\\n" });
      for (let n = 0; n < 6_500; n++) line(text);
      line({ t: "done", registered: { triggers: [], tests: [] } });`,
    ],
    { prints: BOUNDED, through: SLOW_READER },
  ),
  wire(
    "script-47",
    "questions without end, answers never read",
    "CWE-770",
    "200,000 calls whose answers have a quarter of a megabyte each",
    "the run ends with exit 1; memory of pryx stays bounded",
    [
      `line({ t: "call", id: 0, method: "state.set", params: { key: "k", value: "v".repeat(250_000) } });
      for (let id = 1; id < 200_000; id++) line({ t: "call", id, method: "state.get", params: { key: "k" } });
      for (;;) call(24);`,
    ],
    {
      code: 1,
      prints: /asked for more than it read[^]*peak [1-6]?\d\d MB/,
      through: PEAK,
      flags: ["--timeout", "40s"],
    },
  ),
  wire(
    "script-48",
    "calls that never end, with all that they can carry",
    "CWE-770",
    "3,000 commands that wait, with a megabyte of standard input each",
    "memory of pryx stays bounded until the time limit",
    [
      `const stdin = "x".repeat(1 << 20);
      for (let id = 1; id < 3_000; id++) line({ t: "call", id, method: "ask", params: { prompt: stdin, tools: [] } });
      for (let id = 3_000; id < 6_000; id++) line({ t: "call", id, method: "watch", params: { path: "." + "/.".repeat(1 << 19) } });
      await new Promise(() => {});`,
    ],
    { code: [1, 124], prints: BOUNDED, through: PEAK, flags: ["--timeout", "20s"] },
  ),
  wire(
    "script-49",
    "values that are a million levels deep",
    "CVE-2019-11253",
    "lists in lists as parameters of `log`, `tool`, `ask`, as an answer and as data of an error",
    "refused or failed; pryx goes on",
    [
      ...[
        '{"t":"call","id":1,"method":"log","params":{"level":"info","text":"x","data":DEEP}}',
        '{"t":"call","id":1,"method":"tool","params":{"name":"fs_read","args":{"path":DEEP}}}',
        '{"t":"call","id":1,"method":"tool","params":{"name":"sh","args":{"command":"x","more":DEEP}}}',
        '{"t":"call","id":1,"method":"ask","params":{"prompt":"x","schema":{"a":DEEP}}}',
        '{"t":"call","id":1,"method":"DEEP","params":DEEP}',
      ].map((text) =>
        `const levels = 1_000_000;
          line(${JSON.stringify(text)}.replaceAll("DEEP", "[".repeat(levels) + "]".repeat(levels)));
          await new Promise<void>((done) => {
            host.hears = (said: string) => said.includes('"id":2') && done();
            line({ t: "call", id: 2, method: "timer", params: { ms: 50 } });
          });
          say("held\\n");
          line({ t: "done", registered: { triggers: [], tests: [] } });`
      ),
      `line('{"t":"failed","error":{"name":"x","message":"held","data":' + "[".repeat(1_000_000) + "]".repeat(1_000_000) + "}}");`,
      `const found = { triggers: [] as unknown[], tests: [] as string[] };
      for (let n = 0; n < 100_000; n++) found.tests.push("x");
      say("held\\n");
      line({ t: "done", registered: found });`,
    ],
    { code: [0, 1, 3], prints: /held|makes no sense/ },
  ),
  wire(
    "script-50",
    "an end that is forged",
    "CWE-345",
    "`done` in the middle of calls, `failed` with codes, exits, sequences and frames of its own making, twice, and both",
    "exit codes are pryx's own; sequences do not come through",
    [
      `line({ t: "failed", error: { name: "x\\u001b]0;FE" + "LL\\u0007", message: "it broke \\u001b[2J\\u202e", code: "done", fix: "run \\u001b[1m this", stack: "x\\n    at \\u001b]52;c;eA==\\u0007 (job:1:1)" } });`,
      `line({ t: "failed", error: { name: "x", message: "it broke", code: "__proto__" } }); line({ t: "done", registered: { triggers: [], tests: [] } });`,
      `line({ t: "failed", error: { name: "x", message: "it broke", code: "constructor", data: { exitCode: 0 } } });`,
    ].map((text) => `${text}\nawait new Promise(() => {});`),
    { code: 1, prints: new RegExp("^(?![^]*(?:\u001b\\]|\u202e))[^]*it broke") },
  ),
];
