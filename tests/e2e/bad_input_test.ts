import assert from "node:assert/strict";
import { join } from "node:path";
import { builtPryx, PROGRAM, withModel } from "../support/built_pryx.ts";
import { hasNamespaces } from "../support/namespaces.ts";

interface Wrong {
  readonly code: number;
  /** What the first screen must say. */
  readonly says: readonly RegExp[];
}

/** One screen, no stack trace, the documented exit code, and what to do. */
function check(result: { code: number; stderr: string; stdout: string }, { code, says }: Wrong): void {
  assert.equal(result.code, code, result.stderr);
  for (const text of says) assert.match(result.stderr, text);
  assert.ok(result.stderr.split("\n").length <= 24, "more than one screen");
  assert.ok(!/\n\s+at \S+ \(?(file|ext):/.test(result.stderr), `a stack trace:\n${result.stderr}`);
}

Deno.test("an unknown provider and a model without one are named, with what to do", async () => {
  await using pryx = await builtPryx();
  check(await pryx.run(["run", "x", "--model", "nowhere/x"]), {
    code: 2,
    says: [/no provider "nowhere"/, /openai/],
  });
  check(await pryx.run(["run", "x", "--model", "gpt-5"]), {
    code: 2,
    says: [/PROVIDER\/MODEL|provider\/model/i],
  });
  check(await pryx.run(["run", "x"]), {
    code: 2,
    says: [/No model is set/, /pryx config set model/, /pryx tour/],
  });
});

Deno.test("a model that the provider does not have ends 2", async () => {
  await using pryx = await withModel([], { models: ["other"] });
  check(await pryx.run(["run", "x"]), { code: 2, says: [/model/, /pryx models/] });
});

Deno.test("a wrong key ends 5 and names the reference, never the key", async () => {
  await using pryx = await withModel([], { key: "another" });
  const result = await pryx.run(["run", "x"]);
  check(result, { code: 5, says: [/env:TEST_KEY/] });
  assert.ok(!result.stderr.includes("sk-test-key"));
});

Deno.test("a key that is not there ends 5 and says how to set it", async () => {
  await using pryx = await withModel([{ text: "x" }]);
  check(await pryx.run(["run", "x"], { env: { TEST_KEY: "" } }), { code: 5, says: [/TEST_KEY/] });
});

Deno.test("a provider that cannot be reached ends 5 and says where it was looked for", async () => {
  await using pryx = await withModel([]);
  const url = pryx.server.url;
  await pryx.server[Symbol.asyncDispose]();
  check(await pryx.run(["run", "x"]), { code: 5, says: [new RegExp(url.replace(/[/.]/g, "\\$&"))] });
});

Deno.test("a malformed config is shown with line and column, and an unknown key with the nearest one", async () => {
  await using pryx = await withModel([]);
  const file = join(pryx.home, ".config", "pryx", "config.jsonc");
  await Deno.writeTextFile(file, '{\n  "model": "a/b"\n  "preset": "workspace"\n}\n');
  check(await pryx.run(["run", "x"]), { code: 2, says: [/config\.jsonc:3:3/, /comma/i] });
  await Deno.writeTextFile(file, '{\n  "modle": "a/b"\n}\n');
  check(await pryx.run(["run", "x"]), { code: 2, says: [/config\.jsonc:2:3/, /modle/, /model/] });
});

Deno.test("a corrupt database is named and left as it is", async () => {
  await using pryx = await withModel([{ text: "x" }]);
  const data = join(pryx.home, ".local", "share", "pryx");
  await Deno.mkdir(data, { recursive: true });
  const database = join(data, "pryx.db");
  const garbage = "this is not a database ".repeat(400);
  await Deno.writeTextFile(database, garbage);
  check(await pryx.run(["run", "x"]), { code: 1, says: [/pryx\.db/, /damaged/] });
  assert.equal(await Deno.readTextFile(database), garbage);
});

Deno.test("a newer database is refused, and left as it is", async () => {
  await using pryx = await withModel([{ text: "x" }, { text: "x" }]);
  assert.equal((await pryx.run(["run", "x"])).code, 0);
  const { DatabaseSync } = await import("node:sqlite");
  const file = join(pryx.home, ".local", "share", "pryx", "pryx.db");
  const database = new DatabaseSync(file);
  database.exec("INSERT INTO migrations (version, name, at) VALUES (999, 'later', '2030')");
  database.close();
  const before = await Deno.readFile(file);
  check(await pryx.run(["run", "x"]), { code: 1, says: [/newer/] });
  assert.deepEqual(await Deno.readFile(file), before);
});

Deno.test(
  "a data folder that may not be written ends 1 and says so",
  { ignore: !hasNamespaces },
  async () => {
    await using pryx = await withModel([{ text: "x" }]);
    const place = join(pryx.home, ".local", "share", "pryx");
    await Deno.mkdir(place, { recursive: true });
    const { code, stderr, stdout } = await confined(
      pryx,
      `mount --bind "$1" "$1" && mount -o remount,ro,bind "$1"`,
      place,
    );
    check({ code, stderr, stdout }, {
      code: 1,
      says: [/read-only|cannot be written|may not be written/i, /pryx/],
    });
  },
);

Deno.test("a full disk ends 1 and says so", async () => {
  await using pryx = await withModel([{ text: "x".repeat(600_000) }, { text: "y" }]);
  const place = join(pryx.home, ".local", "share", "pryx");
  await Deno.mkdir(place, { recursive: true });
  const { code, stderr, stdout } = await confined(
    pryx,
    `mount -t tmpfs -o size=400k,mode=700 none "$1"`,
    place,
  );
  check({ code, stderr, stdout }, { code: 1, says: [/full/i] });
});

Deno.test("standard input that is huge, binary or not UTF-8 is refused with what to do instead", async () => {
  await using pryx = await withModel([]);
  const says = (what: RegExp) => ({ code: 2, says: [what] });
  check(await pryx.run(["run", "x"], { stdin: "a".repeat(3_000_000) }), says(/bytes.*save it to a file/s));
  check(await pryx.run(["run", "x"], { stdin: new Uint8Array([0x50, 0, 1, 2, 0, 9]) }), says(/binary/));
  check(await pryx.run(["run", "x"], { stdin: new Uint8Array([0x61, 0xff, 0xfe, 0x62]) }), says(/UTF-8/));
  assert.equal(pryx.server.requests.length, 0);
});

Deno.test("words and flags that do not exist are answered with the nearest ones", async () => {
  await using pryx = await builtPryx();
  check(await pryx.run(["sesions", "list"]), { code: 2, says: [/sesions/, /sessions/] });
  check(await pryx.run(["run", "x", "--max-trns", "3"]), { code: 2, says: [/--max-trns/, /--max-turns/] });
  check(await pryx.run(["run", "x", "--max-turns", "many"]), { code: 2, says: [/max-turns/] });
  check(await pryx.run(["run"]), { code: 2, says: [/no prompt/i] });
  check(await pryx.run(["run", "x", "--allow", "fly=high"]), {
    code: 2,
    says: [/fly=high/, /read, write, net, run/],
  });
  check(await pryx.run(["run", "x", "--cwd", "/nowhere"]), { code: 2, says: [/\/nowhere/] });
});

/** Runs pryx in a mount namespace of its own, after `prepare` (a shell command with the data folder as $1). */
async function confined(pryx: Awaited<ReturnType<typeof withModel>>, prepare: string, place: string) {
  const script = `${prepare} && exec "$2" run x`;
  const output = await new Deno.Command("unshare", {
    args: ["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", place, PROGRAM],
    cwd: pryx.workspace,
    env: { ...pryx.env },
    clearEnv: true,
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code: output.code, stdout: text(output.stdout), stderr: text(output.stderr) };
}
