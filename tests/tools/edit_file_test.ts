import assert from "node:assert/strict";
import { join } from "node:path";
import { editFile } from "../../core/tools/edit_file.ts";
import { createToolContext } from "../support/tool_context.ts";

Deno.test("edit_file replaces an exact match and answers with a small diff", async () => {
  await using at = await createToolContext();
  await at.write("a.ts", Array.from({ length: 50 }, (_, i) => `line ${i + 1}\n`).join(""));
  const result = await at.call(editFile, {
    path: "a.ts",
    old_text: "line 25\n",
    new_text: "changed\nmore\n",
  });
  assert.equal(result.failed, undefined);
  assert.match(result.text, /^Edited a\.ts\n\n--- a\.ts/);
  assert.match(
    result.text,
    /@@ -22,7 \+22,8 @@\n line 22\n line 23\n line 24\n-line 25\n\+changed\n\+more\n line 26/,
  );
  assert.match(await at.read("a.ts"), /line 24\nchanged\nmore\nline 26\n/);
  const path = join(at.workspace, "a.ts");
  assert.deepEqual(
    await at.needs(editFile, { path: "a.ts", old_text: "x", new_text: "y" }),
    [`read=${path}`, `write=${path}`],
  );
});

Deno.test("edit_file treats patterns of replacements and expressions as text", async () => {
  await using at = await createToolContext();
  await at.write("a.txt", "cost (a+b)*");
  await at.call(editFile, { path: "a.txt", old_text: "(a+b)*", new_text: "$& $1 $$" });
  assert.equal(await at.read("a.txt"), "cost $& $1 $$");
});

Deno.test("edit_file fails on an ambiguous match, with count and lines, unless replace_all", async () => {
  await using at = await createToolContext();
  await at.write("a.txt", "x = 1\ny = 2\nx = 1\n\nx = 1");
  const result = await at.call(editFile, { path: "a.txt", old_text: "x = 1", new_text: "x = 3" });
  assert.ok(result.failed);
  assert.match(result.text, /stands 3 times in a\.txt \(lines 1, 3, 5\)/);
  const all = await at.call(editFile, {
    path: "a.txt",
    old_text: "x = 1",
    new_text: "x = 3",
    replace_all: true,
  });
  assert.match(all.text, /^Edited a\.txt, 3 places/);
  assert.equal(await at.read("a.txt"), "x = 3\ny = 2\nx = 3\n\nx = 3");
});

Deno.test("edit_file keeps CRLF, and leaves mixed line endings outside of the edit alone", async () => {
  await using at = await createToolContext();
  await at.write("crlf.txt", "one\r\ntwo\r\nthree\r\n");
  await at.call(editFile, { path: "crlf.txt", old_text: "one\ntwo\n", new_text: "1\n2\n2b\n" });
  assert.equal(await at.read("crlf.txt"), "1\r\n2\r\n2b\r\nthree\r\n");
  await at.write("mixed.txt", "a\nb\r\nc\nd\r\ne\n");
  await at.call(editFile, { path: "mixed.txt", old_text: "b\nc", new_text: "B\nB2\nC" });
  assert.equal(await at.read("mixed.txt"), "a\nB\r\nB2\r\nC\nd\r\ne\n");
  await at.call(editFile, { path: "mixed.txt", old_text: "e", new_text: "E\nF" });
  assert.equal(await at.read("mixed.txt"), "a\nB\r\nB2\r\nC\nd\r\nE\nF\n");
});

Deno.test("edit_file keeps the byte order mark, the encoding and the mode", async () => {
  await using at = await createToolContext();
  const path = await at.write("run.sh", "\ufeffecho one\n");
  await Deno.chmod(path, 0o755);
  await at.call(editFile, { path: "run.sh", old_text: "one", new_text: "two" });
  assert.deepEqual(await at.readBytes("run.sh"), new TextEncoder().encode("\ufeffecho two\n"));
  assert.equal(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o755);
  await at.write("wide.txt", new Uint8Array([0xff, 0xfe, 0x61, 0, 0x62, 0]));
  await at.call(editFile, { path: "wide.txt", old_text: "b", new_text: "é" });
  assert.deepEqual(await at.readBytes("wide.txt"), new Uint8Array([0xff, 0xfe, 0x61, 0, 0xe9, 0]));
});

Deno.test("edit_file forgives white space around lines and indents as the file does", async () => {
  await using at = await createToolContext();
  await at.write("tabs.ts", "class A {\n\trun() {\n\t\tgo();\t\n\t}\n}\n");
  const result = await at.call(editFile, {
    path: "tabs.ts",
    old_text: "  run() {\n    go();\n  }",
    new_text: "  run() {\n    if (ok) {\n      go();\n    }\n\n    end();\n  }",
  });
  assert.match(result.text, /matched apart from white space/);
  assert.equal(
    await at.read("tabs.ts"),
    "class A {\n\trun() {\n\t\tif (ok) {\n\t\t\tgo();\n\t\t}\n\n\t\tend();\n\t}\n}\n",
  );
  await at.write(
    "deep.py",
    "class A:\n    def f(self):\n        return 1\n\n    def g(self):\n        return 2\n",
  );
  await at.call(editFile, {
    path: "deep.py",
    old_text: "def g(self):\n    return 2\n",
    new_text: "def g(self):\n    x = 2\n    return x\n",
  });
  assert.equal(
    await at.read("deep.py"),
    "class A:\n    def f(self):\n        return 1\n\n    def g(self):\n        x = 2\n        return x\n",
  );
});

Deno.test("edit_file deletes whole lines with a tolerant match", async () => {
  await using at = await createToolContext();
  await at.write("a.txt", "keep\n   drop me  \nkeep too\n");
  await at.call(editFile, { path: "a.txt", old_text: "drop me\n", new_text: "" });
  assert.equal(await at.read("a.txt"), "keep\nkeep too\n");
});

Deno.test("edit_file counts tolerant matches too", async () => {
  await using at = await createToolContext();
  await at.write("a.txt", "if (x) {\n  a();\n}\nif (x) {\n    a();\n}\n");
  const result = await at.call(editFile, {
    path: "a.txt",
    old_text: "if (x) {\na();\n}",
    new_text: "b();",
  });
  assert.ok(result.failed);
  assert.match(result.text, /stands 2 times in a\.txt \(lines 1, 4\)/);
});

Deno.test("edit_file shows the most similar lines when nothing matches", async () => {
  await using at = await createToolContext();
  await at.write("a.ts", "const a = 1;\nfunction total(items: Item[]) {\n  return items.length;\n}\n");
  const near = await at.call(editFile, {
    path: "a.ts",
    old_text: "function total(items) {\n  return items.size;",
    new_text: "x",
  });
  assert.ok(near.failed);
  assert.match(
    near.text,
    /most similar lines are:\n\n {5}2\tfunction total\(items: Item\[\]\) \{\n {5}3\t {2}return items\.length;/,
  );
  const far = await at.call(editFile, { path: "a.ts", old_text: "zzzzqqqq", new_text: "x" });
  assert.match(far.text, /nor anything like it/);
  const done = await at.call(editFile, {
    path: "a.ts",
    old_text: "const a = 0;",
    new_text: "const a = 1;",
  });
  assert.match(done.text, /may have been made already/);
});

Deno.test("edit_file refuses what makes no sense or would do damage, and changes nothing", async () => {
  await using at = await createToolContext();
  await at.write("a.txt", "abc");
  await at.write("latin1.txt", new Uint8Array([0x61, 0xe9]));
  await at.write("bin", new Uint8Array([0x61, 0, 1]));
  await at.write("big.txt", new Uint8Array(5 * 1024 * 1024 + 1).fill(0x61));
  const refused = async (path: string, old_text: string, new_text: string) => {
    const result = await at.call(editFile, { path, old_text, new_text });
    assert.ok(result.failed, path);
    return result.text;
  };
  assert.match(await refused("a.txt", "", "x"), /old_text is empty/);
  assert.match(await refused("a.txt", "abc", "abc"), /are the same/);
  assert.match(await refused("a.txt", "a\r\n", "a\n"), /line endings only/);
  assert.match(await refused("latin1.txt", "a", "b"), /not valid UTF-8/);
  assert.match(await refused("bin", "a", "b"), /binary/);
  assert.match(await refused("big.txt", "a", "b"), /5\.0 MB at most/);
  assert.match(await refused("b.txt", "a", "b"), /does not exist. Did you mean a\.txt/);
  assert.match(await refused(".", "a", "b"), /folder/);
  assert.equal(await at.read("a.txt"), "abc");
});

Deno.test("edit_file is a conflict when the file changes between reading and writing", async () => {
  await using at = await createToolContext();
  const path = await at.write("a.txt", "abc");
  const { files } = at.ctx;
  const context = {
    ...at.ctx,
    files: {
      ...files,
      async read(at: string, options: { maxBytes: number }) {
        const answer = await files.read(at, options);
        await Deno.writeTextFile(path, "abc and more");
        return answer;
      },
    },
  };
  await assert.rejects(
    editFile.run({ path: "a.txt", old_text: "abc", new_text: "x" }, context),
    { code: "conflict" },
  );
  assert.equal(await at.read("a.txt"), "abc and more");
});
