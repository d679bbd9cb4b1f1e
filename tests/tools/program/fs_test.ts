import assert from "node:assert/strict";
import { join } from "node:path";
import { editFile } from "../../../core/tools/edit_file.ts";
import { fsGlob } from "../../../core/tools/program/fs_glob.ts";
import { fsGrep } from "../../../core/tools/program/fs_grep.ts";
import { fsList } from "../../../core/tools/program/fs_list.ts";
import { fsRead } from "../../../core/tools/program/fs_read.ts";
import { fsStat } from "../../../core/tools/program/fs_stat.ts";
import { fsWrite } from "../../../core/tools/program/fs_write.ts";
import { createToolContext } from "../../support/tool_context.ts";
import { programCalls } from "./_program_calls.ts";

Deno.test("fs_write and fs_read give back every byte, and text as it was written", async () => {
  await using at = await createToolContext();
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  await at.call(fsWrite, { path: "a/bytes", base64: all.toBase64() });
  assert.deepEqual(await at.readBytes("a/bytes"), all);
  const { data } = await at.call(fsRead, { path: "a/bytes", bytes: true });
  assert.deepEqual(data, { base64: all.toBase64() });
  await assert.rejects(at.call(fsRead, { path: "a/bytes" }), { code: "io", message: /not valid UTF-8/ });
  await at.call(fsWrite, { path: "text", text: "\ufeffgrün\r\n\0" });
  const read = await at.call(fsRead, { path: "text" });
  assert.deepEqual([read.data, read.text], [{ text: "\ufeffgrün\r\n\0" }, "11 bytes read"]);
  await assert.rejects(at.call(fsRead, { path: "none" }), { code: "not_found" });
});

Deno.test("fs_write adds to the end, sets the mode, and wants exactly one content", async () => {
  await using at = await createToolContext();
  await at.call(fsWrite, { path: "run.sh", text: "a\n", mode: 0o700 });
  await at.call(fsWrite, { path: "run.sh", text: "b\n", append: true });
  assert.equal(await at.read("run.sh"), "a\nb\n");
  assert.equal((await Deno.stat(at.path("run.sh"))).mode! & 0o777, 0o700);
  assert.deepEqual(await at.needs(fsWrite, { path: "run.sh" }), [`write=${at.path("run.sh")}`]);
  await assert.rejects(at.call(fsWrite, { path: "x" }), { code: "input_invalid" });
  await assert.rejects(at.call(fsWrite, { path: "x", text: "", base64: "" }), { code: "input_invalid" });
  await assert.rejects(at.call(fsWrite, { path: "x/", text: "" }), { code: "io" });
});

Deno.test("fs_read reads 64 MB and says of more that it is too large", async () => {
  await using at = await createToolContext();
  const most = 64 * 1024 * 1024;
  const path = at.path("large");
  using file = await Deno.create(path);
  await file.truncate(most);
  const { data } = await at.call(fsRead, { path: "large" });
  assert.equal((data as { text: string }).text.length, most);
  await file.truncate(most + 1);
  await assert.rejects(at.call(fsRead, { path: "large" }), { code: "io", message: /64.0 MB is the most/ });
});

Deno.test("fs_stat tells what is there, and null where nothing is", async () => {
  await using at = await createToolContext();
  await at.write("a/b", "12345");
  await Deno.chmod(at.path("a/b"), 0o640);
  const { mtime, ...rest } = (await at.call(fsStat, { path: "a/b" })).data as Record<string, unknown>;
  assert.deepEqual(rest, { kind: "file", size: 5, mode: 0o640 });
  assert.ok(Math.abs(Number(mtime) - Date.now()) < 60_000);
  assert.equal((await at.call(fsStat, { path: "a/none" })).data, null);
  assert.equal((await at.call(fsStat, { path: "a/b/c" })).data, null);
});

Deno.test("fs_list lists one folder, or all that is below and not ignored", async () => {
  await using at = await createToolContext();
  for (const name of [".gitignore", "b/c.txt", "b/d/e", "out/x"]) {
    await at.write(name, name === ".gitignore" ? "out/\n" : "12");
  }
  const entries = async (args: Record<string, unknown>) =>
    ((await at.call(fsList, args)).data as { entries: { name: string; path: string; kind: string }[] })
      .entries
      .map(({ name, path, kind }) => `${name} ${path} ${kind}`);
  assert.deepEqual(await entries({ path: "." }), [
    ".gitignore .gitignore file",
    "b b folder",
    "out out folder",
  ]);
  assert.deepEqual(await entries({ path: "b", recursive: true }), [
    "c.txt c.txt file",
    "d d folder",
    "e d/e file",
  ]);
  assert.ok(!(await entries({ path: ".", recursive: true })).some((entry) => entry.includes("out")));
  await assert.rejects(at.call(fsList, { path: "b/c.txt" }), { code: "io" });
});

Deno.test("fs_glob finds files relative to the workspace, and says when a limit cut them off", async () => {
  await using at = await createToolContext();
  for (const name of ["src/a.ts", "src/deep/b.ts", "c.md"]) await at.write(name, "");
  const found = async (args: Record<string, unknown>) =>
    (await at.call(fsGlob, args)).data as { paths: string[]; more: boolean };
  const all = await found({ pattern: "*.ts" });
  assert.deepEqual([all.paths.toSorted(), all.more], [["src/a.ts", "src/deep/b.ts"], false]);
  assert.deepEqual((await found({ pattern: "./*.ts", cwd: "src" })).paths, ["src/a.ts"]);
  const one = await found({ pattern: "*.ts", limit: 1 });
  assert.deepEqual([one.paths.length, one.more], [1, true]);
});

Deno.test("fs_grep finds lines by path and number, in files that match a glob, not in what is ignored or denied", async () => {
  await using at = await createToolContext({ denied: ["**/.env", "src/closed.ts"] });
  await at.write(".gitignore", "gen.ts\n");
  await at.write("src/a.ts", `x\nNeedle one\n${"y".repeat(2_000)} needle\n`);
  for (const name of ["src/closed.ts", "gen.ts", "b.md", "src/deep/c.ts", ".env"]) {
    await at.write(name, "needle\n");
  }
  const matches = async (args: Record<string, unknown>) => {
    const { data } = await at.call(fsGrep, { pattern: "needle", ...args });
    const { matches, more } = data as {
      matches: { path: string; line: number; text: string }[];
      more: boolean;
    };
    return { found: matches.map(({ path, line }) => `${path}:${line}`), matches, more };
  };
  const all = await matches({});
  assert.deepEqual(all.found, ["b.md:1", "src/a.ts:3", "src/deep/c.ts:1"]);
  assert.equal(all.matches[1]?.text.length, 2_007);
  assert.deepEqual((await matches({ ignoreCase: true, path: "src/a.ts" })).found, [
    "src/a.ts:2",
    "src/a.ts:3",
  ]);
  assert.deepEqual((await matches({ glob: "*.ts" })).found, ["src/a.ts:3", "src/deep/c.ts:1"]);
  assert.deepEqual((await matches({ glob: "src/*.ts" })).found, ["src/a.ts:3"]);
  assert.deepEqual((await matches({ glob: "*.{md,txt}" })).found, ["b.md:1"]);
  assert.deepEqual((await matches({ glob: "**/c.ts", path: "src" })).found, ["src/deep/c.ts:1"]);
  const cut = await matches({ limit: 2 });
  assert.deepEqual([cut.found.length, cut.more, all.more], [2, true, false]);
  assert.deepEqual((await matches({ pattern: "nothing" })).found, []);
  await assert.rejects(matches({ pattern: "(" }), { code: "tool_failed" });
  await assert.rejects(matches({ path: "none" }), { code: "not_found" });
});

Deno.test("calls of programs are judged, and their errors have codes", async () => {
  await using at = await programCalls({ preset: "read-only", allow: ["write=out"] });
  await at.plant("a.txt", "hello");
  assert.deepEqual((await at.call("fs_read", { path: "a.txt" })).data, { text: "hello" });
  const denied = await at.call("fs_write", { path: "b.txt", text: "x" });
  assert.deepEqual([denied.status, denied.unapproved], ["denied", [`write=${at.test.workspace}/b.txt`]]);
  assert.equal((await at.call("fs_write", { path: "out/b.txt", text: "x" })).status, "done");
  const missing = await at.call("fs_read", { path: "none" });
  assert.deepEqual([missing.status, missing.error?.code], ["failed", "not_found"]);
  const wrong = await at.call("fs_read", { path: 3 });
  assert.deepEqual([wrong.status, wrong.error?.code], ["failed", "input_invalid"]);
  const env = await at.call("fs_read", { path: ".env" });
  assert.equal(env.status, "denied");
});

Deno.test("a copy, a move and a removal touch nothing when the folder holds a closed file, and can be taken back", async () => {
  await using at = await programCalls();
  await at.plant("closed/deep/.env", "SECRET=1");
  await at.plant("closed/a", "a");
  for (
    const [tool, args] of [
      ["fs_copy", { from: "closed", to: "copy" }],
      ["fs_move", { from: "closed", to: "moved" }],
      ["fs_remove", { path: "closed", recursive: true }],
    ] as const
  ) {
    const outcome = await at.call(tool, args);
    assert.deepEqual([outcome.status, outcome.error?.code], ["denied", "denied"], tool);
    assert.match(outcome.text, /policy denies .*\.env/, tool);
  }
  assert.deepEqual([...Deno.readDirSync(at.test.workspace)].map(({ name }) => name), ["closed"]);
  await at.plant("open/x/one", "1");
  const changes = async (tool: string, args: Record<string, unknown>) => {
    const outcome = await at.call(tool, args);
    assert.equal(outcome.status, "done", outcome.text);
    return at.test.events(outcome.session, "file.changed").map(({ data }) =>
      `${data.path.slice(at.test.workspace.length)} ${
        data.before === null ? "made" : data.after === null ? "gone" : "changed"
      }`
    ).sort();
  };
  assert.deepEqual(await changes("fs_copy", { from: "open", to: "b/copy" }), ["/b/copy/x/one made"]);
  assert.deepEqual(await changes("fs_move", { from: "open", to: "c" }), [
    "/c/x/one made",
    "/open/x/one gone",
  ]);
  assert.deepEqual(await changes("fs_remove", { path: "c", recursive: true }), ["/c/x/one gone"]);
  assert.deepEqual(await changes("fs_mkdir", { path: "d/e" }), []);
  const gone = await at.call("fs_remove", { path: "c" });
  assert.deepEqual([gone.status, gone.data], ["done", false]);
  const all = await at.call("fs_remove", { path: ".", recursive: true });
  assert.deepEqual([all.status, all.error?.code], ["failed", "input_invalid"]);
});

Deno.test("links lead no program out of the workspace; removing or moving one leaves what it points to", async () => {
  await using at = await programCalls();
  const outside = join(at.test.folder, "outside");
  await Deno.mkdir(outside);
  await Deno.writeTextFile(join(outside, "f"), "kept");
  await Deno.symlink(outside, join(at.test.workspace, "link"));
  for (
    const [tool, args] of [
      ["fs_read", { path: "link/f" }],
      ["fs_write", { path: "link/f", text: "x" }],
      ["fs_copy", { from: "link", to: "copy" }],
      ["fs_remove", { path: "link/f" }],
      ["fs_mkdir", { path: "link/new" }],
      ["fs_list", { path: "link" }],
    ] as const
  ) assert.equal((await at.call(tool, args)).status, "denied", tool);
  assert.equal((await at.call("fs_move", { from: "link", to: "other" })).status, "done");
  assert.equal((await at.call("fs_remove", { path: "other" })).status, "done");
  assert.deepEqual([...Deno.readDirSync(at.test.workspace)], []);
  assert.equal(await Deno.readTextFile(join(outside, "f")), "kept");
});

Deno.test("fs_write of megabytes is stored as its length and hash, and its digest tells contents apart", async () => {
  await using at = await programCalls();
  const write = async (text: string) => {
    const { session, status } = await at.call("fs_write", { path: "large", text });
    assert.equal(status, "done");
    const [requested] = at.test.events(session, "tool.requested");
    assert.ok(JSON.stringify(requested).length < 5_000);
    return requested?.data.digest;
  };
  assert.notEqual(await write("a".repeat(3_000_000)), await write(`${"a".repeat(2_999_999)}b`));
});

Deno.test("programs edit files with edit_file", async () => {
  await using at = await createToolContext();
  await at.write("a", "one two");
  const { data } = await at.call(editFile, { path: "a", old_text: "two", new_text: "three" });
  assert.equal((data as { replaced: number }).replaced, 1);
});
