import assert from "node:assert/strict";
import { selfArgv } from "../../core/domain/self_argv.ts";

Deno.test("selfArgv() starts a compiled program, a bundle and the source, each as it was made", () => {
  const of = (standalone: boolean, main: string) => selfArgv({ standalone, execPath: "/bin/it", main });
  assert.deepEqual(of(true, "/x/main.js"), ["/bin/it"]);
  const bundle = of(false, "/x/main.js");
  assert.deepEqual([bundle[0], bundle.at(-1)], ["/bin/it", "/x/main.js"]);
  assert.ok(bundle.includes("--no-lock") && bundle.includes("--cached-only"));
  const source = of(false, "/x/main.ts");
  assert.ok(
    source.includes("--frozen") && !source.includes("--no-lock"),
    "its lock says what it was tried with",
  );
});
