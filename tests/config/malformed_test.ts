import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { loadConfig } from "../../core/config/load_config.ts";
import { PryxError } from "../../core/domain/error.ts";
import { PRESETS, Workspace } from "./_workspace.ts";

/** What stands in the file, and what must be said of it, after its path. */
const MALFORMED: readonly [string, string, RegExp][] = [
  [
    "a missing comma",
    '{\n  "model": "a/b"\n  "profile": "x"\n}',
    /^:3:3: expected a comma before this\n {2}3 \| {3}"profile"/,
  ],
  ["a bare word", '{"model": gpt}', /^:1:11: this is not a JSON value/],
  ["a missing colon", '{"model" "a/b"}', /^:1:10: expected a colon/],
  ["an open brace", '{"model": "a/b"', /^:1:16: expected a closing \}/],
  ["an open bracket", '{"networkAllowlist": ["a"', /^:1:26: expected a closing \]/],
  ["open text", '{"model": "a/b\n}', /^:1:11: this text does not end/],
  ["single quotes", "{'model': 1}", /^:1:2: this is not a JSON value/],
  ["an open comment", "{} /* note", /^:1:4: this comment does not end/],
  ["two values", "{} {}", /^:1:4: expected nothing more/],
  ["an unknown escape", '{"model": "\\q"}', /^:1:11: this escape is not known/],
  ["a tab in text", '{"model": "a\tb"}', /^:1:11: this character must be written as an escape/],
  ["a key that is set twice", '{"model": "a/b",\n "model": "a/c"}', /^:2:2: "model" is set twice/],
  ["a list", "[]", /^:1:1: the file must be an object, not a list/],
  ["null", "null", /^:1:1: the file must be an object, not null/],
  ["an unknown key", '{\n  "modle": "a/b"\n}', /^:2:3: "modle" is not a known key; did you mean "model"\?/],
  [
    "an unknown key inside",
    '{"limits": {"maxCost": 1}}',
    /^:1:13: "limits.maxCost" is not a known key; did you mean "cost"\?/,
  ],
  [
    "a key in the wrong place",
    '{"deny": []}',
    /^:1:2: "deny" is not a known key; did you mean "policy.deny"\?/,
  ],
  [
    "a key of another program",
    '{"zzzzzz": 1}',
    /^:1:2: "zzzzzz" is not a known key; known here: \$schema, model/,
  ],
  ["__proto__", '{"__proto__": {"preset": "dangerously-full"}}', /^:1:2: "__proto__" is not a known key/],
  ["a wrong type", '{"limits": {"turns": "many"}}', /^:1:22: limits.turns must be a number, not text/],
  [
    "a wrong type in a list",
    '{"policy": {"deny": ["run=x", 5]}}',
    /^:1:31: policy.deny\[1\] must be text, not a number/,
  ],
  ["a value not in the list", '{"preset": "wide"}', /^:1:12: preset must be one of read-only, workspace/],
  [
    "a model without provider",
    '{"model": "gpt-5"}',
    /^:1:11: model must be provider\/model, such as openai\/gpt-5, not "gpt-5"/,
  ],
  ["no duration", '{"limits": {"timeout": "soon"}}', /^:1:24: limits.timeout must be a duration such as 30s/],
  ["a rule of no kind", '{"policy": {"ask": ["reed=x"]}}', /^:1:21: "reed=x" is not kind=target/],
  [
    "a rule with no target",
    '{"profiles": {"p": {"policy": {"ask": ["run="]}}}}',
    /^:1:40: "run=" names no target/,
  ],
  ["no URL", '{"providers": {"x": {"baseUrl": "ftp://x"}}}', /^:1:33: providers.x.baseUrl must be a URL/],
  [
    "a password in a URL",
    '{"providers": {"x": {"baseUrl": "https://u:pw@x"}}}',
    /^:1:33: .*must not hold a user name or password/,
  ],
  ["a nameless provider", '{"providers": {"a b": {}}}', /^:1:16: "a b" cannot name a provider/],
];

for (const [what, text, message] of MALFORMED) {
  Deno.test(`loadConfig() says where and what: ${what}`, async () => {
    await using at = new Workspace();
    const file = at.user(text);
    const error = await at.failure();
    assert.equal(error.code, "config_invalid");
    assert.equal(error.exitCode, 2);
    assert.ok(error.message.startsWith(file), error.message);
    assert.match(error.message.slice(file.length), message);
    assert.ok(error.fix, "there is something to do");
    assert.match(error.message, /\n +\| +\^|\n +\| \^/, "the place is marked");
  });
}

Deno.test("loadConfig() takes comments, trailing commas, a byte order mark, CRLF and empty files", async () => {
  for (const text of ["", "  \n", "// nothing yet\n", "/* nothing */", "{}"]) {
    await using at = new Workspace();
    at.user(text);
    assert.equal((await at.load()).preset, "read-only", JSON.stringify(text));
  }
  await using at = new Workspace();
  at.user('\uFEFF// mine\r\n{\r\n  "model": "a/b", // why\r\n  "policy": {"deny": ["run=x",],},\r\n}\r\n');
  const config = await at.load();
  assert.equal(config.model, "a/b");
  assert.equal(config.rules[0]?.source, "~/.config/pryx/config.jsonc:4");
});

Deno.test("loadConfig() reports every problem of every file at once, in the order of the text", async () => {
  await using at = new Workspace();
  const user = at.user('{\n  "preset": "wide",\n  "limits": {"turns": 0, "tmeout": "1m"},\n  "modle": 1\n}');
  const project = at.project('{\n  "policy": {"allow": ["run=x"]},\n  "preset": 5\n}');
  const { message } = await at.failure();
  const places = message.split("\n").filter((line) => /^\//.test(line)).map((line) => line.split(": ")[0]);
  assert.deepEqual(places, [
    `${project}:2:14`,
    `${project}:3:13`,
    `${user}:2:13`,
    `${user}:3:23`,
    `${user}:3:26`,
    `${user}:4:3`,
  ]);
});

Deno.test("loadConfig() never repeats what may be a secret", async () => {
  const secrets = [
    "hunter2hunter2",
    "sk-proj-abcdef1234567890abcdef12",
    "ghp_0123456789abcdef0123456789abcdef0123",
  ];
  for (const secret of secrets) {
    for (
      const text of [
        `{"providers": {"x": {"baseUrl": "https://x", "key": "${secret}"}}}`,
        `{"providers": {"x": {"key": "${secret}}}`,
        `{"providers": {"x": {"headers": {"Authorization": "Bearer ${secret}"}}}}`,
        `{"providers": {"x": {"apiKey": "${secret}"}}}`,
      ]
    ) {
      await using at = new Workspace();
      at.user(text);
      const { message, fix } = await at.failure();
      assert.ok(!`${message}${fix}`.includes(secret), message);
    }
  }
});

Deno.test("loadConfig() lets no file drive the terminal", async () => {
  await using at = new Workspace();
  at.project('{"\u001b[2J\u202emodel": 1}');
  const { message } = await at.failure();
  assert.ok(!message.includes("\u001b") && !message.includes("\u202e"));
});

Deno.test("loadConfig() says plainly what cannot be read", async () => {
  const failing: readonly [string, (at: Workspace) => void, RegExp][] = [
    [
      "a folder",
      (at) => Deno.mkdirSync(at.paths.configFile, { recursive: true }),
      /it is a folder, not a file/,
    ],
    ["bytes", (at) => {
      at.user("");
      Deno.writeFileSync(at.paths.configFile, new Uint8Array([123, 0xff, 0xfe, 125]));
    }, /it is not valid UTF-8/],
    ["too much", (at) => at.user(" ".repeat((1 << 20) + 1)), /larger than 1 MB/],
    ["depth", (at) => at.user("[".repeat(200_000)), /nested too deeply/],
    ["a link to a device", (at) => {
      at.user("");
      Deno.removeSync(at.paths.configFile);
      Deno.symlinkSync("/dev/zero", at.paths.configFile);
    }, /not a regular file/],
  ];
  for (const [what, make, message] of failing) {
    await using at = new Workspace();
    make(at);
    const error = await at.failure();
    assert.equal(error.code, "config_invalid", what);
    assert.ok(error.message.startsWith(at.paths.configFile), what);
    assert.match(error.message, message);
  }
});

Deno.test("loadConfig() says how to make a file readable", async () => {
  await using at = new Workspace();
  const readText = () => Promise.reject(new Deno.errors.PermissionDenied("no"));
  const loading = loadConfig({
    paths: at.paths,
    env: {},
    cwd: at.repository,
    flags: {},
    presets: PRESETS,
    readText,
  });
  await assert.rejects(loading, (error) => {
    assert.ok(error instanceof PryxError);
    assert.match(error.message, /permission denied/);
    return /chmod u\+r/.test(error.fix ?? "");
  });
});

Deno.test("loadConfig() answers any text with a configuration or one config_invalid", async () => {
  await using at = new Workspace();
  const load = (text: string) =>
    loadConfig({
      paths: at.paths,
      env: {},
      cwd: at.repository,
      flags: {},
      presets: PRESETS,
      readText: (path) => Promise.resolve(path === at.paths.configFile ? text : undefined),
    }).then(() => true, (error) => {
      assert.ok(error instanceof PryxError && error.code === "config_invalid", String(error));
      assert.ok(error.message.startsWith(join(at.paths.configFile)), error.message);
      return false;
    });
  const keys = fc.constantFrom(
    "model",
    "policy",
    "deny",
    "limits",
    "providers",
    "x",
    "key",
    "profiles",
    "__proto__",
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.string(),
      fc.integer(),
      fc.constant(null),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(keys, tie("value"), { maxKeys: 4 }),
    ),
  }));
  await fc.assert(fc.asyncProperty(value, async (one) => void await load(JSON.stringify(one))), {
    numRuns: 300,
  });
  // And what is hardly JSON at all: a good file with a piece cut out.
  const good =
    '{\n  // why\n  "model": "a/b",\n  "policy": {"deny": ["run=x", "net=*"]},\n  "limits": {"turns": 5},\n}\n';
  assert.equal(await load(good), true);
  await fc.assert(
    fc.asyncProperty(
      fc.nat(good.length),
      fc.nat(12),
      async (from, length) => void await load(good.slice(0, from) + good.slice(from + length)),
    ),
    { numRuns: 300 },
  );
});
