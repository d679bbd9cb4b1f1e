import assert from "node:assert/strict";
import { PryxError } from "../../core/domain/error.ts";
import { parseMatches } from "../../core/tools/_rg_output.ts";
import { grep } from "../../core/tools/grep.ts";
import { createToolContext } from "../support/tool_context.ts";

Deno.test("grep groups matches by file, with line numbers, and needs only to read", async () => {
  await using at = await createToolContext();
  await at.write("src/b.ts", "const needle = 1;\r\nother\nneedle();\n");
  await at.write("a.txt", "a needle\n");
  await at.write("skipped/c.txt", "needle\n");
  await at.write(".hidden", "needle\n");
  await at.write(".gitignore", "skipped/\n");
  const result = await at.call(grep, { pattern: "needle" });
  assert.equal(
    result.text,
    "3 matching lines in 2 files\n\na.txt\n  1: a needle\n\nsrc/b.ts\n  1: const needle = 1;\n  3: needle();",
  );
  assert.match(
    (await at.call(grep, { pattern: "needle", path: ".hidden" })).text,
    /\.hidden\n {2}1: needle/,
  );
  assert.deepEqual(await at.needs(grep, { pattern: "x", path: "src" }), [`read=${at.workspace}/src`]);
});

Deno.test("grep says that nothing matches, that the pattern is bad, that the folder is missing", async () => {
  await using at = await createToolContext();
  await at.write("a.txt", "text\n");
  assert.deepEqual(await at.call(grep, { pattern: "needle" }), { text: "No match for needle" });
  const bad = await at.call(grep, { pattern: "a(b" });
  assert.ok(bad.failed);
  assert.match(bad.text, /unclosed group/);
  const missing = await at.call(grep, { pattern: "x", path: "a.tx" });
  assert.ok(missing.failed);
  assert.match(missing.text, /Did you mean a\.txt\?/);
});

Deno.test("grep takes a pattern that begins with a dash for a pattern", async () => {
  await using at = await createToolContext();
  await at.write("a.txt", "--pre=evil\n");
  assert.match((await at.call(grep, { pattern: "--pre=evil" })).text, /1: --pre=evil/);
});

Deno.test("grep shows nothing of denied files, named as a path or by a glob, nor when ripgrep would", async () => {
  const denied = ["keys", "**/*.pem", "**/[s]ecret*"];
  await using at = await createToolContext({ denied });
  await at.write("keys/id", "needle 1\n");
  await at.write("deep/x.pem", "needle 2\n");
  await at.write("secrets/note", "needle 3\n");
  await at.write("ok.txt", "needle 4\n");
  assert.equal(
    (await at.call(grep, { pattern: "needle" })).text,
    "1 matching line in 1 file\n\nok.txt\n  1: needle 4",
  );
  // The same without ripgrep's help: what it prints is checked again.
  await using strict = await createToolContext({
    denied,
    run: (spec, run) =>
      run({
        ...spec,
        argv: [spec.argv[0], ...spec.argv.slice(1).filter((arg) => arg !== "--glob" && !arg.startsWith("!"))],
      }),
  });
  await strict.write("deep/x.pem", "needle 2\n");
  await strict.write("ok.txt", "needle 4\n");
  assert.equal(
    (await strict.call(grep, { pattern: "needle" })).text,
    "1 matching line in 1 file\n\nok.txt\n  1: needle 4",
  );
  await assert.rejects(strict.call(grep, { pattern: "needle", path: "deep/x.pem" }), { code: "denied" });
});

Deno.test("grep bounds long lines, many matches in a file, and its whole output", async () => {
  await using at = await createToolContext();
  await at.write("long.txt", `needle${"x".repeat(5_000)}\n`);
  await at.write("many.txt", "needle\n".repeat(500));
  const { text } = await at.call(grep, { pattern: "needle" });
  assert.match(text, /long\.txt\n {2}1: needlex{300,420}[^x]/);
  assert.match(text, /200: needle\n {2}\[stopped after 200 matching lines in this file\]/);
  for (let i = 0; i < 400; i++) await at.write(`f/${i}`, "needle and more of this line\n".repeat(200));
  const all = await at.call(grep, { pattern: "needle", path: "f" });
  assert.match(all.text, /there are more matches than can be shown|left out; the whole is in/);
  assert.ok(all.text.length <= 30_000);
});

Deno.test("grep uses its own ripgrep where PATH has none", async () => {
  const tried: string[] = [];
  await using at = await createToolContext({
    env: { PATH: "/nonexistent" },
    run(spec, run) {
      tried.push(spec.argv[0]);
      return run(spec);
    },
  });
  await at.write("a.txt", "needle\n");
  assert.match((await at.call(grep, { pattern: "needle" })).text, /a\.txt\n {2}1: needle$/);
  assert.equal(tried[0], "rg");
  assert.match(tried[1] ?? "", /[/\\]rg(\.exe)?$/);
});

Deno.test("grep says what to do when no ripgrep can be started", async () => {
  const empty = { head: new Uint8Array(), tail: new Uint8Array(), dropped: 0 };
  await using at = await createToolContext({
    run: (spec) =>
      spec.argv[0] === "rg"
        ? Promise.reject(new PryxError("not_found", "no rg"))
        : Promise.resolve({ code: 127, signal: null, timedOut: false, stdout: empty, stderr: empty, ms: 1 }),
  });
  await assert.rejects(at.call(grep, { pattern: "x" }), {
    code: "tool_failed",
    fix: "Install ripgrep so that rg is on PATH",
  });
});

Deno.test("parseMatches() attributes lines to the right file whatever its name holds", () => {
  const output =
    '/w/a\n/w/b\x001:one\n/w/bin: binary file matches (found "\\0" byte around offset 3)\n/w/c\x002:x: binary file y\n/w/d\x003:cut';
  assert.deepEqual(parseMatches(output), [
    { path: "/w/a\n/w/b", lines: [{ line: 1, text: "one" }] },
    { path: "/w/bin", lines: [{ text: 'binary file matches (found "\\0" byte around offset 3)' }] },
    { path: "/w/c", lines: [{ line: 2, text: "x: binary file y" }] },
  ]);
});

Deno.test("grep says what could not be searched, and shows what was found elsewhere", async () => {
  await using at = await createToolContext();
  await at.write("a.txt", "needle\n");
  // Deeper than the system takes a path: made of two halves.
  const deep = Array(12).fill("d".repeat(200)).join("/");
  await Deno.mkdir(`${at.workspace}/one/${deep}`, { recursive: true });
  await Deno.mkdir(`${at.workspace}/two/${deep}`, { recursive: true });
  await Deno.rename(`${at.workspace}/two`, `${at.workspace}/one/${deep}/two`);
  const result = await at.call(grep, { pattern: "needle" });
  assert.ok(!result.failed, result.text);
  assert.match(
    result.text,
    /^1 matching line in 1 file; 1 place could not be searched: .* … .*\(os error 36\)\n/u,
  );
  assert.match((await at.call(grep, { pattern: "hay" })).text, /^No match for hay: 1 place could not/u);
});

Deno.test("grep does not wait for a pipe, and takes no NUL", async () => {
  await using at = await createToolContext();
  assert.ok((await new Deno.Command("mkfifo", { args: [`${at.workspace}/pipe`] }).output()).success);
  const pipe = await at.call(grep, { pattern: "x", path: "pipe" });
  assert.ok(pipe.failed);
  assert.match(pipe.text, /neither a file nor a folder/);
  const nul = await at.call(grep, { pattern: "a\0b" });
  assert.ok(nul.failed);
  assert.match(nul.text, /NUL/);
});
