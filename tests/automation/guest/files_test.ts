import assert from "node:assert/strict";
import { type Asked, createGuest, here } from "./_guest.ts";

const data = (value: unknown) => ({ text: "", data: value });

Deno.test("fs asks for each of its tools by what it is given", async () => {
  const { api: { fs }, asked } = createGuest(({ method, params }) => {
    if (method === "temp") return "/tmp/x";
    const answers: Record<string, unknown> = {
      fs_read: params.args?.bytes ? { base64: "/wA=" } : { text: '\ufeff{"a":1}' },
      fs_list: { entries: [{ name: "a" }] },
      fs_glob: { paths: ["a.ts"] },
      fs_grep: { matches: [{ path: "a", line: 1, text: "x" }] },
      fs_stat: params.args?.path === "there" ? { kind: "file", size: 1, mode: 0o644, mtime: 5 } : null,
    };
    return data(params.name in answers ? answers[params.name] : null);
  });
  assert.deepEqual(here(await fs.readJson("a.json")), { a: 1 });
  assert.deepEqual([...await fs.readBytes("a")], [255, 0]);
  await fs.write("a", "text", { mode: 0o600 });
  await fs.write("a", new Uint8Array([255]).subarray(0, 1));
  await fs.writeJson("a.json", { b: [1] });
  await fs.append("a", "more");
  await fs.edit("a", "x", "y", { all: true });
  assert.deepEqual(here(await fs.list()), [{ name: "a" }]);
  assert.deepEqual(here(await fs.glob("**/*.ts", { limit: 5 })), ["a.ts"]);
  assert.deepEqual(here(await fs.grep("x", { path: "src", ignoreCase: true })), [{
    path: "a",
    line: 1,
    text: "x",
  }]);
  assert.equal(await fs.stat("none"), null);
  assert.deepEqual([await fs.exists("none"), await fs.exists("there")], [false, true]);
  await fs.copy("a", "b");
  await fs.move("a", "b");
  await fs.remove("a", { recursive: true });
  await fs.mkdir("d");
  assert.equal(await fs.temp("x-"), "/tmp/x");
  assert.deepEqual(
    asked.map(({ method, params }) => method === "tool" ? [params.name, params.args] : [method, params]),
    [
      ["fs_read", { path: "a.json" }],
      ["fs_read", { path: "a", bytes: true }],
      ["fs_write", { path: "a", text: "text", mode: 0o600 }],
      ["fs_write", { path: "a", base64: "/w==" }],
      ["fs_write", { path: "a.json", text: '{\n  "b": [\n    1\n  ]\n}\n' }],
      ["fs_write", { path: "a", text: "more", append: true }],
      ["edit_file", { path: "a", old_text: "x", new_text: "y", replace_all: true }],
      ["fs_list", { path: "." }],
      ["fs_glob", { pattern: "**/*.ts", limit: 5 }],
      ["fs_grep", { pattern: "x", path: "src", ignoreCase: true }],
      ["fs_stat", { path: "none" }],
      ["fs_stat", { path: "none" }],
      ["fs_stat", { path: "there" }],
      ["fs_copy", { from: "a", to: "b" }],
      ["fs_move", { from: "a", to: "b" }],
      ["fs_remove", { path: "a", recursive: true }],
      ["fs_mkdir", { path: "d" }],
      ["temp", { prefix: "x-" }],
    ],
  );
});

Deno.test("fs refuses what is no path, text or mode before anything is asked", async () => {
  const { api: { fs }, asked } = createGuest();
  // deno-lint-ignore no-explicit-any -- wrong on purpose
  const any = (value: unknown) => value as any;
  for (
    const wrong of [
      () => fs.read(any(undefined)),
      () => fs.read(""),
      () => fs.read("a\0b"),
      () => fs.write("a", any({ a: 1 })),
      () => fs.write("a", "x", { mode: 0o10000 }),
      () => fs.writeJson("a", undefined),
      () => fs.append("a", any(1)),
      () => fs.grep(any(/x/)),
      () => fs.temp("../x"),
    ]
  ) await assert.rejects(wrong, { name: "TypeError" });
  assert.equal(asked.length, 0);
});

Deno.test("fs says when a file is no text or no JSON", async () => {
  const { api: { fs } } = createGuest(({ params }) =>
    data(params.args.path === "bin" ? { base64: "/w==" } : { text: "{" })
  );
  await assert.rejects(() => fs.read("bin"), { code: "input_invalid", message: /not valid UTF-8/ });
  await assert.rejects(() => fs.readJson("x"), { code: "input_invalid", message: /^Cannot read x as JSON/ });
});

Deno.test("fs.watch() gives changes until the loop is left, and ends with the automation", async () => {
  const cancelled: string[] = [];
  const host = ({ emit, signal, params }: Asked) => {
    emit({ kind: "modify", path: "a" });
    return new Promise((_, reject) => {
      signal?.addEventListener("abort", () => {
        cancelled.push(params.path);
        reject(signal.reason);
      });
    });
  };
  const guest = createGuest(host);
  for await (const change of guest.api.fs.watch("src")) {
    assert.deepEqual(here(change), { kind: "modify", path: "a" });
    break;
  }
  assert.deepEqual(cancelled, ["src"]);
  for await (const _ of guest.api.fs.watch("lib")) guest.abort();
  assert.deepEqual(cancelled, ["src", "lib"]);
});

Deno.test("env and stdin give what there is", async () => {
  const asking = createGuest(({ method, params }) =>
    method === "stdin" ? "piped" : params.name === "A" ? "a" : null
  );
  assert.deepEqual([await asking.api.env.get("A"), await asking.api.env.get("B")], ["a", undefined]);
  assert.deepEqual([await asking.api.stdin(), await asking.api.stdin()], ["piped", "piped"]);
  assert.equal(asking.asked.length, 3);
  const given = createGuest(undefined, { stdin: "there" });
  assert.equal(await given.api.stdin(), "there");
  assert.equal(given.asked.length, 0);
});
