import assert from "node:assert/strict";
import type { Json } from "../../core/domain/schema.ts";
import { createOverlay, type RealFile } from "../../core/automation/overlay.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** An overlay over these files. */
function over(files: Readonly<Record<string, string | RealFile>> = {}) {
  const overlay = createOverlay((path) => {
    const file = files[path];
    if (file === undefined) return Promise.resolve({ bytes: null });
    return Promise.resolve(typeof file === "string" ? { bytes: bytes(file) } : file);
  });
  return {
    ...overlay,
    /** `path: before → after (note)`. */
    async shown() {
      const text = (one: Uint8Array | null) => one === null ? "none" : new TextDecoder().decode(one);
      return (await overlay.changes()).map(({ path, before, after, note }) =>
        `${path}: ${text(before)} → ${text(after)}${note === undefined ? "" : ` (${note})`}`
      );
    },
  };
}

Deno.test("an overlay shows what would be written, by path, and nothing that would stay as it is", async () => {
  const overlay = over({ "b": "old", "same": "x" });
  await overlay.apply("fs_write", { path: "b", text: "new" });
  await overlay.apply("write_file", { path: "/pryx/workspace/a", content: "made" });
  await overlay.apply("fs_write", { path: "./same", text: "x" });
  await overlay.apply("fs_read", { path: "c" });
  assert.deepEqual(await overlay.shown(), ["a: none → made", "b: old → new"]);
});

Deno.test("an overlay builds on what was written before: append, edit, copy, move, remove", async () => {
  const overlay = over({ "log": "1\n", "gone": "x", "old": "y" });
  await overlay.apply("fs_write", { path: "log", text: "2\n", append: true });
  await overlay.apply("edit_file", { path: "log", old_text: "1", new_text: "$&one" });
  await overlay.apply("fs_copy", { from: "log", to: "copy" });
  await overlay.apply("fs_move", { from: "old", to: "new" });
  await overlay.apply("fs_remove", { path: "gone" });
  await overlay.apply("fs_write", { path: "brief", base64: btoa("b") });
  await overlay.apply("fs_remove", { path: "brief" });
  assert.deepEqual(await overlay.shown(), [
    "copy: none → $&one\n2\n",
    "gone: x → none",
    "log: 1\n → $&one\n2\n",
    "new: none → y",
    "old: y → none",
  ]);
});

Deno.test("an overlay edits every place with replace_all, else the first", async () => {
  const overlay = over({ "a": "x x", "b": "x x" });
  await overlay.apply("edit_file", { path: "a", old_text: "x", new_text: "y", replace_all: true });
  await overlay.apply("edit_file", { path: "b", old_text: "x", new_text: "y" });
  assert.deepEqual(await overlay.shown(), ["a: x x → y y", "b: x x → y x"]);
});

Deno.test("an overlay says what it cannot know", async () => {
  const overlay = over({ "secret": { unknown: "it may not be read" }, "a": "other" });
  await overlay.apply("fs_write", { path: "secret", text: "x" });
  await overlay.apply("edit_file", { path: "a", old_text: "recorded", new_text: "new" });
  await overlay.apply("fs_write", { path: "/etc/motd", text: "x" });
  await overlay.apply("fs_move", { from: "folder", to: "elsewhere" });
  const shown = await overlay.shown();
  assert.match(shown[0] ?? "", /^\/etc\/motd: none → x \(outside/);
  assert.match(shown[1] ?? "", /^a: other → new \(what the recorded edit replaces/);
  assert.match(shown[2] ?? "", /^elsewhere: none → none \(moved from folder/);
  assert.match(shown[3] ?? "", /^secret: none → x \(it may not be read\)/);
});

Deno.test("an overlay takes arguments that make no sense without harm", async () => {
  const overlay = over();
  const senseless: readonly Json[] = [null, [], "x", {}, { path: 5, text: {} }, {
    path: "../../x",
    base64: "!!",
  }];
  for (const args of senseless) {
    for (const tool of ["fs_write", "edit_file", "fs_move", "fs_remove", "nothing"]) {
      await overlay.apply(tool, args);
    }
  }
  assert.ok(Array.isArray(await overlay.changes()));
});
