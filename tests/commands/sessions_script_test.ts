import assert from "node:assert/strict";
import fc from "fast-check";
import { type RecordedCall, stepsOf } from "../../core/commands/_script_calls.ts";
import { manifestOf } from "../../core/commands/_script_manifest.ts";
import { literal, shellTemplate, translate } from "../../core/commands/_script_steps.ts";
import { scriptOf } from "../../core/commands/_script_text.ts";
import type { PryxEvent } from "../../core/domain/event.ts";
import type { Need } from "../../core/domain/need.ts";
import type { Json } from "../../core/domain/schema.ts";

const call = (tool: string, args: Record<string, Json>, text: string, more: Partial<RecordedCall> = {}) =>
  ({
    kind: "call",
    tool,
    args,
    title: "",
    failed: false,
    text,
    whole: true,
    exitCode: null,
    ms: 1,
    needs: [],
    ...more,
  }) satisfies RecordedCall;

/** What `sh` reads in a template with this source, as the language and the API have it. */
function read(source: string): string {
  const raw = new Function("sh", `return sh\`${source}\``)((text: TemplateStringsArray) =>
    text.raw.join("?")
  );
  return raw.replaceAll("\\`", "`").replaceAll(/\\\$\{|\$\\\{/g, "${");
}

Deno.test("shellTemplate() writes a command so that sh reads the same one, or says that none can", () => {
  for (
    const command of ["ls", "echo `date` ${HOME} \\n", "grep 'a\\.b' x", "echo $'\\x41' $(pwd) $$ \"\\$x\""]
  ) {
    const source = shellTemplate(command);
    assert.ok(source !== undefined, command);
    assert.equal(read(source), command);
  }
  assert.equal(shellTemplate("echo \\`"), undefined);
  assert.equal(shellTemplate("echo a\\"), undefined);
  assert.equal(shellTemplate("a\r\nb"), undefined);
  const odd = fc.stringMatching(/^[\\`$\{}a \n'"]{1,12}$/);
  fc.assert(fc.property(odd, (command) => {
    const source = shellTemplate(command);
    if (source !== undefined) assert.equal(read(source), command.trim());
  }));
});

Deno.test("literal() writes any text as TypeScript that means it", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    assert.equal(new Function(`return ${literal(text)}`)(), text);
  }));
  assert.equal(literal("a\n`${b}`\n"), "`a\n\\`\\${b}\\`\n`");
});

Deno.test("translate() speaks the API where call and recording fit it", () => {
  const shown = (one: RecordedCall) => {
    const { code, expects, answer } = translate(one);
    return [code, expects, (answer as { data?: unknown }).data];
  };
  assert.deepEqual(shown(call("read_file", { path: "a" }, "     1\tone\n     2\ttwo")), [
    'await fs.read("a");',
    "fs_read",
    { text: "one\ntwo\n" },
  ]);
  assert.deepEqual(
    shown(call("read_file", { path: "a" }, "     1\tone\n\n[no newline at the end of the file]")),
    ['await fs.read("a");', "fs_read", { text: "one" }],
  );
  assert.deepEqual(shown(call("list_dir", { path: "." }, "sub/\na  b  1.5 KB\nl -> (link)\nx  1 byte")), [
    'await fs.list(".");',
    "fs_list",
    {
      entries: [
        { name: "sub", path: "sub", kind: "folder", size: 0 },
        { name: "a  b", path: "a  b", kind: "file", size: 1536 },
        { name: "l", path: "l", kind: "link", size: 0 },
        { name: "x", path: "x", kind: "file", size: 1 },
      ],
    },
  ]);
  assert.deepEqual(
    shown(call("grep", { pattern: "o", path: "s" }, "2 matching lines in 1 file\n\ns/a\n  1: o\n  3:   no")),
    [
      'await fs.grep("o", { path: "s" });',
      "fs_grep",
      { matches: [{ path: "s/a", line: 1, text: "o" }, { path: "s/a", line: 3, text: "  no" }], more: false },
    ],
  );
  assert.deepEqual(shown(call("glob", { pattern: "*.x" }, "No file matches *.x")), [
    'await fs.glob("*.x");',
    "fs_glob",
    { paths: [], more: false },
  ]);
  const page = "HTTP 404 Not Found · https://a.example/ · text/html\nTitle: x\n\n# gone";
  assert.deepEqual(shown(call("fetch", { url: "https://a.example" }, page)), [
    'await http.get("https://a.example", { throws: false });',
    "http",
    { status: 404, url: "https://a.example/", headers: { "content-type": "text/html" }, text: "# gone" },
  ]);
  const command = call("shell", { command: "npm test", cwd: "a", timeout: 90 }, "bad\n\n[exit code 2]", {
    failed: true,
    exitCode: 2,
    ms: 7,
  });
  const [code, expects, data] = shown(command);
  assert.equal(code, 'await sh`npm test`.cwd("a").timeout(90000).result();');
  assert.equal(expects, "sh");
  assert.deepEqual(data, { code: 2, signal: null, timedOut: false, stdout: "bad\n", stderr: "", ms: 7 });
});

Deno.test("translate() keeps the plain call of a tool where it cannot say the same", () => {
  const plain = (one: RecordedCall) => translate(one).code;
  assert.equal(
    plain(call("read_file", { path: "a", offset: 3 }, "     3\tx")),
    'await tools.call("read_file", {"path":"a","offset":3});',
  );
  assert.match(plain(call("read_file", { path: "a" }, "     1\tx\n\n[lines 1-1 of 9 shown]")), /tools\.call/);
  assert.match(plain(call("grep", { pattern: "a" }, "3 matching lines in 1 file; cut", {})), /tools\.call/);
  assert.match(plain(call("shell", { command: "echo \\`" }, "`", { exitCode: 0 })), /tools\.call\("shell"/);
  assert.equal(plain(call("other", {}, "")), 'await tools.call("other");');
});

Deno.test("manifestOf() asks for the least: relative paths, folders in the place of many files, first words", () => {
  const need = (kind: Need["kind"], target: string, more: Partial<Need> = {}): Need => ({
    kind,
    target,
    ...more,
  });
  assert.deepEqual(
    manifestOf([
      ...["a", "b", "c", "d"].map((name) => need("read", `/w/src/${name}.ts`)),
      need("read", "/w/README.md"),
      need("write", "/w/README.md"),
      need("read", "/etc/hosts"),
      need("read", "/w/deep", { enter: true }),
      need("read", "/w/.env", { reach: "no kernel layer" }),
      need("run", "git log --oneline", { argv: ["git", "log", "--oneline"] }),
      need("run", "git log -5"),
      need("run", "npm run build"),
      need("run", "timeout 5 ls", { wrapper: true }),
      need("run", "ls -l", { argv: ["ls", "-l"] }),
      need("net", "api.example.org:443"),
      need("env", "HOME"),
    ], "/w"),
    {
      read: ["/etc/hosts", "src"],
      write: ["README.md"],
      net: ["api.example.org:443"],
      run: ["git log", "ls", "npm run build"],
      env: ["HOME"],
    },
  );
  assert.deepEqual(manifestOf([need("read", "/w"), need("read", "/w/a")], "/w"), { read: ["."] });
  assert.deepEqual(manifestOf([], "/w"), {});
});

/** Events as a session has them, of these types and data. */
function events(...list: readonly [PryxEvent["type"], Record<string, unknown>][]): PryxEvent[] {
  return list.map(([type, data], index) =>
    ({
      v: 1,
      seq: index + 1,
      session: "s",
      turn: "t",
      at: "2026-01-01T00:00:00Z",
      type,
      data,
    }) as unknown as PryxEvent
  );
}

Deno.test("scriptOf() keeps what was said, the order of requests, and says what it leaves out", () => {
  const requested = (
    call: string,
    name: string,
    args: object,
    origin = "model",
  ): [PryxEvent["type"], Record<string, unknown>] => [
    "tool.requested",
    { call, name, args, needs: [{ kind: "read", target: `/w/${call}` }], origin, title: `do ${call}` },
  ];
  const finished = (
    call: string,
    name: string,
    status: string,
    text: string,
  ): [PryxEvent["type"], Record<string, unknown>] => [
    "tool.finished",
    { call, name, status, text, ms: 1 },
  ];
  const steps = stepsOf(events(
    ["input", { text: "look */ around\nwell", principal: "human", surface: "cli" }],
    ["message", { text: "I read.", calls: [], finish: "stop" }],
    requested("a", "read_file", { path: "a" }),
    requested("b", "read_file", { path: "b" }),
    requested("d", "write_file", { path: "d", content: "" }),
    requested("x", "fs_read", { path: "x" }, "automation"),
    finished("x", "fs_read", "done", ""),
    finished("b", "read_file", "done", "b is empty"),
    finished("a", "read_file", "failed", "it does not exist"),
    finished("d", "write_file", "denied", "no"),
    requested("u", "read_file", { path: "u" }),
  ));
  const { code, leftOut, permissions, lines } = scriptOf(steps, { title: "look", session: "s1", root: "/w" });
  assert.equal(lines.length, 1);
  assert.deepEqual(permissions, { read: ["b"] });
  assert.deepEqual(leftOut, [
    "read_file do a: it failed (it does not exist)",
    "write_file do d: it was denied",
    "read_file do u: it was interrupted",
  ]);
  assert.match(
    code,
    /^#!\/usr\/bin\/env -S pryx run\n\/\/ look \(made from session s1\)\nimport \{ fs \} from "pryx";\n/,
  );
  assert.match(
    code,
    /\/\/ Asked: look \*\/ around\n\/\/ well\n\n\/\/ I read\.\n\/\/ Left out: read_file do a/,
  );
  assert.ok(code.indexOf("do a") < code.indexOf('fs.read("b")'));
});
