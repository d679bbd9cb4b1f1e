import assert from "node:assert/strict";
import { join } from "node:path";
import { createGuest } from "./_guest.ts";

const ROOT = join(import.meta.dirname ?? "", "../../..");
const FOLDER = join(ROOT, "core/automation/guest");

Deno.test("the module has exactly what its declarations have", async () => {
  const text = await Deno.readTextFile(join(ROOT, "core/automation/api.d.ts"));
  const declared = [...text.matchAll(/^export declare (?:const|function|class) (\w+)/gm)].map(([, name]) =>
    name
  );
  assert.ok(declared.length > 20);
  assert.deepEqual(Object.keys(createGuest().api).toSorted(), declared.toSorted());
  const { apiVersion, workspace, signal } = createGuest().api;
  assert.deepEqual([apiVersion, workspace, signal.aborted], [1, "/project", false]);
});

Deno.test("each part has nothing but types outside its one function", async () => {
  const source = await Deno.readTextFile(join(FOLDER, "parts.ts"));
  const files = [...source.matchAll(/^import \{ \w+Api \} from "\.\/(\w+\.ts)"/gm)].map(([, file]) =>
    file ?? ""
  );
  assert.ok(files.length > 10);
  for (const file of files) {
    const lines = (await Deno.readTextFile(join(FOLDER, file))).split("\n");
    const outside = lines.filter((line) =>
      /^[^\s/})]/.test(line) && !/^(import type|export interface|export type|interface|type) /.test(line)
    );
    assert.equal(outside.length, 1, `${file}: ${outside.join(" | ")}`);
    assert.match(outside[0] ?? "", /^export function \w+Api\(/);
  }
});

Deno.test("the API works when its names were taken away by bundling", async () => {
  const esbuild = await import("esbuild");
  const { outputFiles: [bundle] } = await esbuild.build({
    entryPoints: [join(FOLDER, "parts.ts")],
    bundle: true,
    format: "esm",
    target: "esnext",
    minify: true,
    write: false,
  });
  await esbuild.stop();
  const { apiText } = await import(`data:text/javascript,${encodeURIComponent(bundle?.text ?? "")}`);
  const { api } = createGuest(
    () => ({ text: "", data: { code: 2, signal: null, timedOut: false, stdout: "", stderr: "", ms: 1 } }),
    {
      text: apiText(),
    },
  );
  assert.equal(api.sh`ls ${["a b"]}`.command, "ls 'a b'");
  await assert.rejects(async () => await api.sh`ls`, (error: Error) => {
    assert.ok(error instanceof api.ShellError);
    assert.match(error.stack ?? "", /^ShellError: ls ended with exit code 2\n/);
    return true;
  });
  api.assert.equal(new Map([[1, { a: 1 }]]), new Map([[1, { a: 1 }]]));
  assert.throws(() => api.assert.equal(1, 2), { name: "AssertionError" });
});
