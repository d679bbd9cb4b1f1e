import type { Place } from "../../_case.ts";
import { declares, type Script, script, type ScriptCase } from "../../_script.ts";
import { appeared, changed, type Layer } from "../../_case.ts";

interface Told extends Pick<ScriptCase, "id" | "title" | "answers" | "input" | "twin" | "setup" | "harm"> {
  readonly how: string;
  readonly layer?: Layer;
  /** Expressions that must reject; what one of them gives instead is printed. */
  tries(place: Place): readonly string[];
  readonly permissions?: (place: Place) => Readonly<Record<string, readonly string[]>>;
  readonly flags?: (place: Place) => readonly string[];
  readonly more?: Partial<Script>;
  works(place: Place): string;
}

const HEAD =
  `import { agent, args, assert, channels, env, exit, fs, git, http, log, mcp, parallel, secrets, sh, state, stdin, tools, ui, workspace } from "pryx";
void [agent, args, assert, channels, env, exit, fs, git, http, log, mcp, parallel, secrets, sh, state, stdin, tools, ui, workspace];\n`;
const WORKSPACE = { read: ["."], write: ["."], run: ["cat", "echo", "printf"] };

/** Calls of the API that go further than the manifest: each alone, all in one run. */
const power = (told: Told): ScriptCase => {
  const {
    layer = "policy",
    tries,
    permissions = () => WORKSPACE,
    flags = () => [],
    more = {},
    works,
    ...about
  } = told;
  const run = (place: Place): readonly string[] => [
    "--preset",
    "workspace",
    ...WORKSPACE.run.flatMap((name) => ["--allow", `run=${name}`]),
    ...flags(place),
  ];
  return script({
    ...about,
    layer,
    attacks: (place) => [{
      text: `${declares(permissions(place))}${HEAD}
const show = (value: unknown) => typeof value === "string" ? value : JSON.stringify(value) ?? String(value);
const tries: [string, () => unknown][] = [
${tries(place).map((text) => `[${JSON.stringify(text)}, async () => await (${text})],`).join("\n")}
];
for (const [text, attempt] of tries) {
  try {
    console.log("FE" + "LL:", text, show(await attempt()));
  } catch (error) {
    console.log("refused:", text, (error as any).code, String((error as Error).message), show((error as any).data), (error as any).stdout, (error as any).stderr);
  }
}
console.log("held");`,
      flags: run(place),
      code: [0, 1, 3],
      prints: /^held$/m,
      ...more,
    }],
    works: (place) => ({
      text: `${declares(permissions(place))}${HEAD}${works(place)}`,
      flags: run(place),
      prints: /^fine$/m,
    }),
  });
};

const fine = (expression: string) => `console.log((${expression}) ? "fine" : "not fine");`;

/** The API, used for more than the file declares. */
export const powers: readonly ScriptCase[] = [
  power({
    id: "script-25",
    title: "files outside, however they are named",
    answers: "CWE-22",
    input:
      "`fs.read` with `..`, absolute, `//`, `~`, NUL, `file:`, unicode dots, a link; `list`, `glob`, `grep`, `stat`, `copy`, `edit`, `watch`",
    how: "denied, or not there; nothing of it in the error",
    twin: "a file of the project",
    async setup({ at, outside }) {
      await Deno.symlink(outside, at("link"));
      await Deno.symlink(`${outside}/plan.txt`, at("plan-link.txt"));
    },
    tries: ({ outside, home }) => {
      const plan = `${outside}/plan.txt`;
      const paths = [
        plan,
        `/${plan}`,
        "../outside/plan.txt",
        "./x/../../outside/plan.txt",
        "link/plan.txt",
        "plan-link.txt",
        "~/.netrc",
        `${home}/.ssh/id_ed25519`,
        "readme.txt/../../outside/plan.txt",
        "..//outside///plan.txt",
        `/proc/self/root${plan}`,
        "/proc/self/environ",
        `/proc/self/cwd/../outside/plan.txt`,
        "/dev/fd/0",
      ];
      const never = [
        "readme.txt\\u0000",
        `${plan}\\u0000.txt`,
        `file://${plan}`,
        "\\uff0e\\uff0e/outside/plan.txt",
        "..%2foutside%2fplan.txt",
        "..\\\\outside\\\\plan.txt",
        "",
        "$HOME/.netrc",
        "{readme,plan}.txt",
      ];
      return [...paths, ...never].flatMap((path) => [`fs.read("${path}")`, `fs.readBytes("${path}")`]).concat(
        paths.slice(0, 8).flatMap((path) => [
          `fs.stat("${path}")`,
          `fs.copy("${path}", "copy.txt")`,
          ...(path.includes("link") ? [] : [`fs.move("${path}", "moved.txt")`]),
          `fs.edit("${path}", "a", "b")`,
          `fs.write("${path}", "x")`,
          `fs.append("${path}", "x")`,
        ]),
        [
          `fs.list("${outside}")`,
          'fs.list("link")',
          'fs.list("..")',
          `fs.glob("*.txt", { cwd: "${outside}" })`,
          `fs.grep("tangerine", { path: "${outside}" })`,
          'fs.grep("tangerine", { path: "link" })',
          `fs.mkdir("${outside}/made")`,
          `fs.write("link/made.txt", "x")`,
          `fs.remove("${plan}")`,
          `fs.copy("readme.txt", "link/copied.txt")`,
          `fs.watch("${outside}")[Symbol.asyncIterator]().next()`,
        ],
      );
    },
    harm: async ({ place }) =>
      await appeared(`${place.outside}/made`) ?? await appeared(`${place.outside}/made.txt`) ??
        await appeared(`${place.outside}/copied.txt`) ??
        await changed(`${place.outside}/plan.txt`, `${place.secret}\n`),
    works: () => fine('(await fs.read("./readme.txt")).length > 0 && (await fs.list(".")).length > 0'),
  }),
  power({
    id: "script-26",
    title: "what exists elsewhere",
    answers: "CWE-203",
    input: "`fs.watch`, `fs.stat`, `fs.exists` of paths outside that are there, and of ones that are not",
    how: "the same denial for both",
    twin: "`fs.exists` in the project",
    tries: ({ outside }) => [
      `(async () => {
        const codes = async (path: string) => {
          const say = (error: any) => error.code;
          return [await fs.watch(path)[Symbol.asyncIterator]().next().then(() => "", say), await fs.stat(path).then(() => "", say), await fs.exists(path).then(() => "", say), await fs.read(path).then(() => "", say)].join();
        };
        const [there, missing] = [await codes("${outside}/plan.txt"), await codes("${outside}/missing.txt")];
        if (there === missing) throw new Error("the same: " + there);
        return there + " and " + missing;
      })()`,
    ],
    works: () => fine('await fs.exists("readme.txt") && !(await fs.exists("missing.txt"))'),
  }),
  power({
    id: "script-27",
    title: "commands outside of the manifest",
    answers: "CWE-78",
    input:
      "``sh`id` ``, lists, substitutions, wrappers, functions, `env`, assignments of `PATH`, another command behind a declared one",
    how: "denied; nothing runs",
    twin: "a declared command",
    tries: () =>
      [
        "id",
        "echo x; id",
        "echo $(id)",
        "echo x && id",
        "echo x | sh",
        "env id",
        "bash -c id",
        "PATH=. echo x; id",
        "f() { id; }; f",
        "eval id",
        "command id",
        "\\\\id",
        "echo `id`",
        "echo x > ../outside/made.txt",
        "cat <(id)",
        "exec id",
        "coproc id",
      ]
        .map((text) =>
          `(sh as any)(Object.assign([${JSON.stringify(text)}], { raw: [${JSON.stringify(text)}] })).text()`
        ),
    harm: async ({ place }) => await appeared(`${place.outside}/made.txt`),
    works: () => fine('(await (sh as any)(Object.assign(["echo x"], { raw: ["echo x"] })).text()) === "x"'),
  }),
  power({
    id: "script-28",
    title: "values that break out of their quotes",
    answers: "CWE-88",
    input:
      "`${}` with quotes, `$()`, newlines, NUL, `'\"'`, arrays, objects with `toString`, nested commands",
    how: "each is one word, or refused; nothing of it runs",
    layer: "tool",
    twin: "words with blanks in them",
    tries: () => [
      `(async () => {
        const words = ["'; touch pwned; '", '"; touch pwned; "', "$(touch pwned)", "\`touch pwned\`", "a\\ntouch pwned", "\\\\'; touch pwned; #", "-e", "!!", "*", "~", "{a,b}", "$HOME", "a;b", "a&b", "a|b", "a>pwned", "#", "\\u2028touch pwned", "$'\\\\x27; touch pwned'", "''", " ", "\\t", "é\\u0301", "\\ud83d\\ude00"];
        for (const word of words) {
          const got = await sh\`printf %s \${word}\`.text();
          if (got !== word.trimEnd() && got !== word) return JSON.stringify([word, got]);
        }
        const got = await sh\`printf %s, \${words}\`.text();
        if (got !== words.join(",") + ",") return got;
        if (await sh\`printf %s \${sh\`echo '$(touch pwned)'\`}\`.text().catch(() => "") === "") throw new Error("as it was");
        throw new Error("all quoted");
      })()`,
      'sh`echo ${"a\\u0000b"}`.text()',
      "sh`echo ${{ toString: () => '; id' } as any}`.text()",
      "sh`echo ${new Proxy({}, { get: () => () => '; id' }) as any}`.text()",
      "sh`echo ${Symbol('x') as any}`.text()",
      "sh`echo ${(() => '; id') as any}`.text()",
      'sh`echo x`.cwd("../outside").text()',
      'sh`echo x`.env({ "A; id; B": "x" }).text()',
      'sh`echo x`.env({ "LD_PRELOAD": "/tmp/x.so" }).text()',
      'sh`cat ${"../outside/plan.txt"}`.text()',
    ],
    harm: async ({ place }) => await appeared(place.at("pwned")),
    works: () => fine('(await sh`printf %s ${"a b"}`.text()) === "a b"'),
  }),
  power({
    id: "script-29",
    title: "servers of this machine",
    answers: "CWE-918",
    input:
      "`http.get` of loopback by number, name, hex, IPv6, with credentials, by redirect, by `file:`; a DNS name that leads there",
    how: "denied",
    twin: "a granted server",
    permissions: ({ web }) => ({ net: ["*", web] }),
    flags: ({ web }) => ["--allow", "net=*", "--allow", `net=${web}`],
    tries: ({ inner, web }) => {
      const port = inner.split(":")[1];
      const urls = [
        `http://${inner}/`,
        `http://localhost:${port}/`,
        `http://127.1:${port}/`,
        `http://2130706433:${port}/`,
        `http://0x7f.1:${port}/`,
        `http://[::1]:${port}/`,
        `http://[::ffff:127.0.0.1]:${port}/`,
        `http://0.0.0.0:${port}/`,
        `http://user:pass@${inner}/`,
        `http://${web}@${inner}/`,
        `http://127.0.0.1.nip.io:${port}/`,
        `http://localhost.:${port}/`,
        `http://sub.localhost:${port}/`,
        `http://${web}/to-inner`,
        "http://169.254.169.254/latest/meta-data/",
        "http://metadata.google.internal/",
        "http://10.0.0.1/",
        "http://192.168.1.1/",
        `HTTP://${inner}/`,
        "file:///etc/passwd",
        "data:text/plain,x",
        "ftp://x/",
        `http://${inner}\\\\@example.org/`,
        `http://example.org:80@${inner}/`,
      ];
      return urls.map((url) =>
        `http.get("${url}", { timeout: 3000 } as any).then((answer: any) => answer.text())`
      );
    },
    works: ({ web }) => fine(`(await (await http.get("http://${web}/page")).text()).includes("a page")`),
  }),
  power({
    id: "script-30",
    title: "variables and secrets that are not declared",
    answers: "CWE-526",
    input: "`env.get` of a variable of the host, of its keys; `secrets.use` of others; the same by `sh`",
    how: "denied, or not passed on",
    twin: "a declared variable",
    permissions: () => ({ ...WORKSPACE, env: ["SHOWN"], use: ["secret/MINE"] }),
    flags: () => ["--allow", "env=SHOWN", "--allow", "use=secret/MINE"],
    more: { env: { SHOWN: "fine" } },
    tries: (
      { web },
    ) => [
      'env.get("PRYX_CANARY")',
      'env.get("TEST_KEY")',
      'env.get("HOME")',
      'env.get("shown")',
      'env.get("SHOWN\\u0000PRYX_CANARY")',
      'env.get("*")',
      'env.get("")',
      'secrets.use("OTHER").sign("x")',
      'secrets.use("../MINE").sign("x")',
      'secrets.use("TEST_KEY").sign("x")',
      `http.post("http://${web}/", { headers: { x: secrets.use("OTHER") } } as any)`,
      "`${secrets.use('MINE')}`",
      "secrets.use('MINE') + ''",
      "sh`printf %s \"$PRYX_CANARY$TEST_KEY\"`.text().then((text) => text === '' ? Promise.reject(new Error('empty')) : text)",
      "sh`cat /proc/self/environ`.text().then((text) => /PRYX_CANARY|TEST_KEY/.test(text) ? text : Promise.reject(new Error('none')))",
    ],
    works: () => `console.log(await env.get("SHOWN") ?? "fine");`,
  }),
  power({
    id: "script-31",
    title: "the mark of a secret where it has no business",
    answers: "CWE-532",
    input:
      "a mark, made by hand, in a command, a file, a URL, `log`, `state`; for a secret that is not declared, in a header",
    how: "refused, or it stays a mark",
    layer: "tool",
    twin: "text that looks like one",
    permissions: ({ web }) => ({ ...WORKSPACE, net: [web], use: ["secret/MINE"] }),
    flags: ({ web }) => ["--allow", `net=${web}`, "--allow", "use=secret/MINE"],
    tries: ({ web }) => [
      `(async () => { const mark = (name: string) => "\\u27e6secret:" + name + "\\u27e7"; const got = [await sh\`printf %s \${mark("MINE")}\`.text().catch(String), JSON.stringify(await state.set("m", mark("MINE")).catch(String)), await fs.write("m.txt", mark("MINE")).then(() => fs.read("m.txt")).catch(String)]; throw new Error(got.join()); })()`,
      `http.get("http://${web}/?x=" + encodeURIComponent("x"), { headers: { authorization: secrets.use("UNDECLARED") } } as any)`,
      "JSON.stringify(secrets.use('MINE')).includes('[secret') ? Promise.reject(new Error('named only')) : 'x'",
      "console.log(secrets.use('MINE')) as never ?? Promise.reject(new Error('printed by name'))",
      "log.info('x', secrets.use('MINE') as any) as never ?? Promise.reject(new Error('logged by name'))",
    ],
    works: () => fine('(await sh`printf %s "[secret x]"`.text()) === "[secret x]"'),
  }),
  power({
    id: "script-32",
    title: "tools, agents and servers that are not declared",
    answers: "CWE-862",
    input: "`tools.call` of every tool, `agent.ask`, a session of others, `mcp`, `channels`",
    how: "denied",
    twin: "`tools.call` of what is declared",
    permissions: () => ({ read: ["."] }),
    tries: (
      { outside },
    ) => [
      'agent.ask("x")',
      'agent.ask("x", { preset: "workspace" } as any)',
      `tools.call("read_file", { path: "${outside}/plan.txt" })`,
      'tools.call("shell", { command: "id" })',
      'tools.call("write_file", { path: "x.txt", content: "x" })',
      'tools.call("fetch", { url: "http://127.0.0.1:1/" })',
      'tools.call("require", { need: "use=agent" })',
      'tools.call("sh", { command: "id" })',
      'tools.call("__proto__", {})',
      'tools.call("constructor", {})',
      'tools.call("toString", {})',
      '(mcp as any)("x").tools()',
      '(mcp as any)("x").call("y", {})',
      '(channels as any).send("x", "y")',
      'fs.write("x.txt", "x")',
      'git.commit("x")',
      'git.worktree?.("x")',
    ],
    harm: async ({ place }) => await appeared(place.at("x.txt")),
    works: () =>
      fine('JSON.stringify(await tools.call("read_file", { path: "readme.txt" })).includes("anybody")'),
  }),
  power({
    id: "script-33",
    title: "what others keep",
    answers: "CWE-668",
    input:
      "`state` of another file, temporary folders of others, pryx's own database and settings, `.git` and `.pryx` of the project",
    how: "empty, or denied",
    layer: "policy",
    permissions: ({ home }) => ({
      ...WORKSPACE,
      read: [".", `${home}/.local`, `${home}/.config`, "/tmp"],
      write: [".", `${home}/.local`, `${home}/.config`],
    }),
    twin: "its own state and temporary folder",
    tries: (
      { home },
    ) => [
      "state.get('of-another').then((got) => got === undefined ? Promise.reject(new Error('nothing')) : got)",
      "state.keys('').then((keys) => keys.length === 0 ? Promise.reject(new Error('nothing')) : keys)",
      'state.get("../other.pryx.ts\\u0000key").then((got) => got === undefined ? Promise.reject(new Error("nothing")) : got)',
      'state.get("__proto__").then((got) => got === undefined ? Promise.reject(new Error("nothing")) : got)',
      'state.set("", 1)',
      'state.set("x".repeat(600), 1)',
      'state.set("k", "x".repeat(2_000_000))',
      `fs.list("${home}/.local/share/pryx")`,
      `fs.read("${home}/.config/pryx/config.jsonc")`,
      `fs.write("${home}/.config/pryx/config.jsonc", "{}")`,
      `fs.write("${home}/.local/share/pryx/x", "x")`,
      'fs.write(".pryx/config.jsonc", "{}")',
      'fs.temp("../x")',
      'fs.temp("/tmp/x")',
      'fs.temp("x/../../y")',
      "sh`cat ~/.config/pryx/config.jsonc`.text()",
    ],
    works: () =>
      `await state.set("a", { b: [1] }); const folder = await fs.temp("own"); await fs.write(folder + "/x", "y"); ${
        fine('JSON.stringify(await state.get("a")) === \'{"b":[1]}\'')
      }`,
  }),
  power({
    id: "script-34",
    title: "values that are no data",
    answers: "CWE-502",
    input:
      "cycles, 100,000 levels, 40 million characters, functions, symbols, proxies, getters that change, `toJSON`, `__proto__`, NUL, lone surrogates",
    how: "an error, or the value itself: never another",
    layer: "context",
    twin: "dates, maps, sets, bytes and bigints come back as they were",
    tries: () => [
      "(() => { const a: any = {}; a.a = a; return state.set('k', a); })()",
      "(() => { let a: any = 1; for (let n = 0; n < 100_000; n++) a = [a]; return state.set('k', a); })()",
      "(() => { let a: any = 1; for (let n = 0; n < 100_000; n++) a = { a }; return tools.call('read_file', a); })()",
      "(() => { let a: any = 1; for (let n = 0; n < 100_000; n++) a = { a }; return agent.ask('x', { schema: a }); })()",
      "state.set('k', () => 1)",
      "state.set('k', Symbol('x'))",
      "state.set('k', new Proxy(() => 1, {}))",
      "state.set('k', Promise.resolve(1))",
      "state.set('k', 'x'.repeat(40_000_000))",
      "state.set('k', { get a(): never { throw new TypeError('mine'); } })",
      "state.set('k', { toJSON(): never { throw new TypeError('mine'); } })",
      "(() => { const a: any = new Map(); a.set(a, a); return state.set('k', a); })()",
      "fs.read({ toString: () => 'readme.txt' } as any)",
      "fs.read(['readme.txt'] as any)",
      "fs.read(new String('readme.txt') as any)",
      "fs.read(1 as any)",
      "fs.read(null as any)",
      "(async () => { let n = 0; const sly: any = { get path() { return n++ === 0 ? 'readme.txt' : '../outside/plan.txt'; } }; const got: any = await tools.call('read_file', sly); if (JSON.stringify(got).includes('anybody') || n > 1) throw new Error('what was judged'); return got; })()",
      '(async () => { const sly = JSON.parse(\'{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}\'); await state.set(\'p\', sly); const got: any = await state.get(\'p\'); if (({} as any).polluted === undefined && got.polluted === undefined && Object.getPrototypeOf(got) === Object.prototype) throw new Error(\'data\'); return got; })()',
      "(async () => { await state.set('s', '\\ud800 \\u0000 \\u2028'); const got = await state.get('s'); if (got === '\\ud800 \\u0000 \\u2028' || got === '\\ufffd \\u0000 \\u2028') throw new Error('the same'); return got; })()",
    ],
    works: () =>
      `const one = { date: new Date(5), map: new Map([[1, { a: 1 }]]), set: new Set(["a"]), bytes: Uint8Array.of(1, 2), big: 10n ** 30n, nothing: undefined, wide: -0.5 };
await state.set("v", one); const got: any = await state.get("v");
${fine('got.date.getTime() === 5 && got.map.get(1).a === 1 && got.set.has("a") && got.bytes[1] === 2 && got.big === one.big && "nothing" in got')}`,
  }),
  script({
    id: "script-35",
    title: "time without end",
    answers: "CWE-835",
    input:
      "`while (true)`, microtasks and timers that call themselves, a regular expression that tracks back, `await` of nothing, a signal that is ignored",
    layer: "limits",
    how: "stopped at `--timeout`, exit 124; what waits for nothing at once",
    twin: "an automation that waits for a timer",
    attacks: () =>
      [
        "for (;;);",
        "const again = () => { Promise.resolve().then(again); }; again();",
        "const again = () => { queueMicrotask(again); }; again(); await new Promise(() => {});",
        "setInterval(() => {}, 1);",
        "const again = () => { setTimeout(again, 0); }; again();",
        '/^(a+)+$/.test("a".repeat(60) + "!");',
        'import { signal } from "pryx"; signal.addEventListener("abort", () => { for (;;); }); setInterval(() => {}, 1000);',
        'import { signal } from "pryx"; signal.addEventListener("abort", () => { setInterval(() => {}, 1); void new Promise(() => {}); }); setInterval(() => {}, 1000);',
        "const a: any[] = []; a.toString = () => { for (;;); }; console.log(`${a}`);",
        "[1, 2].sort(() => { for (;;); });",
        "new Proxy({}, { get() { for (;;); } } as any).x;",
      ].map((text): Script => ({
        text,
        flags: ["--timeout", "1s"],
        code: 124,
        prints: /time limit of 1000 ms/,
      })).concat([
        { text: "await new Promise(() => {});", code: [1], prints: /waits for something that never comes/ },
      ]),
    works: () => ({
      text: 'setTimeout(() => console.log("fine"), 50);',
      flags: ["--timeout", "10s"],
      prints: /^fine$/m,
    }),
  }),
  script({
    id: "script-36",
    title: "memory without end",
    answers: "CWE-770",
    input:
      "strings, arrays, maps, `ArrayBuffer`s, functions, regular expressions, output that is kept, until there is none left",
    layer: "limits",
    how: "the process is stopped, or the script is told; pryx goes on and says so",
    twin: "fifty megabytes",
    attacks: () =>
      [
        'const kept: any[] = []; for (let n = 0; ; n++) kept.push("x".repeat(1000) + n);',
        "const kept: any[] = []; for (;;) kept.push(new Array(100_000).fill(1.5));",
        "const kept = new Map(); for (let n = 0; ; n++) kept.set({ n }, [n]);",
        "const kept: any[] = []; for (;;) { const one = new Uint8Array(64 << 20); one.fill(1); kept.push(one); }",
        'let text = "x"; for (;;) text += text;',
      ].map((text): Script => ({
        text,
        flags: ["--timeout", "40s"],
        code: 1,
        prints:
          /more memory than an automation may|Invalid string length|Array buffer allocation failed|out of memory/,
      })),
    works: () => ({
      text: 'const one = new Uint8Array(50 << 20).fill(1); console.log(one.at(-1) === 1 ? "fine" : "");',
      prints: /^fine$/m,
    }),
  }),
  script({
    id: "script-37",
    title: "answers and arguments that name what objects have",
    answers: "CWE-1321",
    input:
      "`--answer __proto__=yes`, `--answer toString=…`, flags `--__proto__`, `--constructor`, numbers that are none, 10,000 arguments, escapes in answers",
    layer: "context",
    how: "they are names like others: nothing is there that was not given",
    twin: "declared flags",
    attacks: () => [
      {
        text:
          'import { ui } from "pryx"; console.log(await ui.confirm("toString", { name: "toString" } as any).then((got) => "FE" + "LL" + got, () => "held"));',
        code: [0, 3],
        prints: /^held$/m,
      },
      {
        text:
          'import { ui } from "pryx"; console.log(await ui.input("x", { name: "other" } as any).then((got) => "FE" + "LL" + got, () => "held"), ({} as any).polluted ?? "");',
        flags: ["--answer", "__proto__=yes", "--answer", "constructor=x"],
        code: [0, 3],
        prints: /^held $/m,
      },
      {
        text:
          'import { args } from "pryx"; const got: any = args.declare({ flags: { name: { type: "string" } } } as any); console.log(({} as any).polluted ? "FE" + "LL" : "held", got.constructor === Object || got.constructor === undefined);',
        args: ["--__proto__=x", "--constructor=y"],
        code: [0, 1, 2],
        prints: /held|__proto__/,
      },
      {
        text:
          'import { args } from "pryx"; console.log(args.positional.length === 5000 ? "held" : "FE" + "LL", args.positional[0] === "$(id)\\u001b[2J".slice(0, 5) ? "" : "FE" + "LL");',
        args: Array.from({ length: 5000 }, (_, n) => n === 0 ? "$(id)" : "x"),
        prints: /^held $/m,
      },
    ],
    works: () => ({
      text: 'import { args } from "pryx"; console.log(args.positional[0]);',
      args: ["fine"],
      prints: /^fine$/m,
    }),
  }),
];
