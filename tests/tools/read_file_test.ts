import assert from "node:assert/strict";
import { readFile } from "../../core/tools/read_file.ts";
import { MAX_RESULT_CHARS } from "../../core/tools/tool.ts";
import { createToolContext } from "../support/tool_context.ts";

Deno.test("read_file numbers lines and needs only the resolved path", async () => {
  await using at = await createToolContext();
  const path = await at.write("a/real.txt", "one\r\ntwo\n\nfour\n");
  await Deno.symlink(path, `${at.workspace}/link.txt`);
  const result = await at.call(readFile, { path: "link.txt" });
  assert.equal(result.text, "     1\tone\n     2\ttwo\n     3\t\n     4\tfour");
  assert.deepEqual(await at.needs(readFile, { path: "link.txt" }), [`read=${path}`]);
});

Deno.test("read_file reads a range and says how to go on", async () => {
  await using at = await createToolContext();
  await at.write("n.txt", Array.from({ length: 10 }, (_, i) => `line ${i + 1}\n`).join(""));
  const part = await at.call(readFile, { path: "n.txt", offset: 4, limit: 2 });
  assert.match(part.text, /^ {5}4\tline 4\n {5}5\tline 5\n\n\[lines 4-5 of 10 shown .*offset 6\]$/);
  const last = await at.call(readFile, { path: "n.txt", offset: 9 });
  assert.equal(last.text, "     9\tline 9\n    10\tline 10");
  const beyond = await at.call(readFile, { path: "n.txt", offset: 11 });
  assert.ok(beyond.failed);
  assert.match(beyond.text, /it has 10 lines/);
});

Deno.test("read_file stays within the result limit and continues exactly where it stopped", async () => {
  await using at = await createToolContext();
  const lines = Array.from({ length: 60_000 }, (_, i) => `line number ${i + 1} of a long file`);
  await at.write("long.txt", lines.join("\n"));
  const seen: string[] = [];
  let offset = 50_001;
  for (let round = 0; round < 20; round++) {
    const { text } = await at.call(readFile, { path: "long.txt", offset });
    assert.ok(text.length <= MAX_RESULT_CHARS, `${text.length}`);
    for (const [, line] of text.matchAll(/^ *\d+\t(.*)$/gm)) seen.push(line ?? "");
    const next = /go on with offset (\d+)/.exec(text)?.[1];
    if (next === undefined) break;
    assert.match(text, /of 60000 shown/);
    offset = Number(next);
  }
  assert.deepEqual(seen, lines.slice(50_000));
});

Deno.test("read_file cuts long lines and says so", async () => {
  await using at = await createToolContext();
  await at.write("min.js", `${"é".repeat(1_500_000)}\nshort\n`);
  const { text } = await at.call(readFile, { path: "min.js" });
  assert.match(text, /^ {5}1\té{2000}… \[cut: the line has 3000000 bytes\]\n {5}2\tshort\n/);
  assert.match(text, /lines longer than 2000 characters are cut/);
  assert.doesNotMatch(text, /\ufffd/);
});

Deno.test("read_file says that a file is empty, a folder, binary or an image", async () => {
  await using at = await createToolContext();
  await at.write("empty", "");
  await at.write("dir/x", "x");
  await at.write("lib.so", new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 0, 0, 1]));
  await at.write("photo.txt", new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0]));
  assert.deepEqual(await at.call(readFile, { path: "empty" }), { text: "empty is empty" });
  const folder = await at.call(readFile, { path: "dir" });
  assert.ok(folder.failed);
  assert.match(folder.text, /folder. Use list_dir/);
  const binary = await at.call(readFile, { path: "lib.so" });
  assert.ok(binary.failed);
  assert.match(binary.text, /binary file \(7 bytes, ELF/);
  const image = await at.call(readFile, { path: "photo.txt" });
  assert.ok(image.failed);
  assert.match(image.text, /PNG image .*images cannot be shown/);
});

Deno.test("read_file shows invalid UTF-8 with replacement characters, and decodes UTF-16 with a mark", async () => {
  await using at = await createToolContext();
  await at.write("latin1.txt", new Uint8Array([0x63, 0x61, 0x66, 0xe9, 0x0a]));
  const latin = await at.call(readFile, { path: "latin1.txt" });
  assert.match(latin.text, /^ {5}1\tcaf\ufffd\n\n\[.*not valid UTF-8/);
  await at.write(
    "utf16.txt",
    new Uint8Array([0xff, 0xfe, 0x68, 0, 0xe9, 0, 0x0a, 0, 0x3d, 0xd8, 0x00, 0xde]),
  );
  const wide = await at.call(readFile, { path: "utf16.txt" });
  assert.match(wide.text, /^ {5}1\thé\n {5}2\t😀\n\n\[the file is in UTF-16LE/);
  await at.write("bom.txt", "\ufeffx\n");
  assert.equal((await at.call(readFile, { path: "bom.txt" })).text, "     1\tx");
});

Deno.test("read_file suggests near names when the file is missing, but none that is denied", async () => {
  await using at = await createToolContext({ denied: [".env*"] });
  await at.write("src/config.ts", "x");
  await at.write(".env.local", "SECRET=1");
  const missing = await at.call(readFile, { path: "src/Config.js" });
  assert.ok(missing.failed);
  assert.match(missing.text, /does not exist. Did you mean src\/config.ts\?/);
  await at.write("x.env.loca", "");
  const secret = await at.call(readFile, { path: "env.local" });
  assert.doesNotMatch(secret.text, /mean \.env\.local/);
});

Deno.test("read_file does not read outside of what was granted", async () => {
  await using at = await createToolContext();
  await assert.rejects(at.call(readFile, { path: "/etc/hostname" }), { code: "denied" });
});
