import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const script = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), "scripts/test.sh");
const unix = Deno.build.os !== "windows";

/** Runs test.sh with a stand-in for Deno whose `task ok` prints `output` and ends with `code`. */
async function gate(output: string, code: number): Promise<{ code: number; last: string; out: string }> {
  const folder = await Deno.makeTempDir({ prefix: "pryx gate " });
  try {
    await Deno.writeTextFile(join(folder, "printed"), output);
    const deno = join(folder, "deno");
    await Deno.writeTextFile(
      deno,
      `#!/bin/sh
here=\${0%/*}
case $1 in
  --version) echo "deno 2.9.6 (stable)" ;;
  eval) echo "$0" ;;
  task) cat "$here/printed"; exit ${code} ;;
esac
`,
      { mode: 0o755 },
    );
    const ran = await new Deno.Command("sh", {
      args: [script],
      env: { PATH: `${folder}:/usr/bin:/bin`, PRYX_NO_APT: "1", HOME: folder },
      clearEnv: true,
      cwd: "/",
    }).output();
    const out = new TextDecoder().decode(ran.stdout);
    return { code: ran.code, out, last: out.trimEnd().split("\n").at(-1) ?? "" };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test({ name: "test.sh ends with the count of tests alone on a line", ignore: !unix }, async () => {
  const { code, last, out } = await gate("checking\nok | 12 passed (3 steps) | 0 failed (2s)\n\n", 0);
  assert.equal(code, 0);
  assert.equal(last, "12 passed, 0 failed");
  assert.match(out, /^checking$/m);
});

Deno.test({ name: "test.sh counts ignored tests as skipped", ignore: !unix }, async () => {
  const { last } = await gate("ok | 7 passed | 0 failed | 2 ignored (1s)\n", 0);
  assert.equal(last, "7 passed, 0 failed, 2 skipped");
});

Deno.test({ name: "test.sh fails when tests fail", ignore: !unix }, async () => {
  const { code, last } = await gate("FAILED | 7 passed (1 step) | 3 failed (2 steps) (1s)\n", 1);
  assert.equal(code, 1);
  assert.equal(last, "7 passed, 3 failed");
});

Deno.test(
  { name: "test.sh counts a check that fails before the tests as a failure", ignore: !unix },
  async () => {
    const { code, last } = await gate("layers: 2 violations\n", 1);
    assert.equal(code, 1);
    assert.equal(last, "0 passed, 1 failed");
  },
);

Deno.test({ name: "test.sh fails when no test ran, whatever the gate says", ignore: !unix }, async () => {
  const { code, last } = await gate("all is well\n", 0);
  assert.equal(code, 1);
  assert.equal(last, "0 passed, 1 failed");
});
