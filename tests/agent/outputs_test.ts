import assert from "node:assert/strict";
import { openOutput } from "../../core/agent/outputs.ts";
import type { SessionId } from "../../core/domain/id.ts";
import { scriptedProvider } from "../support/scripted_provider.ts";
import { testPryx } from "../support/test_pryx.ts";
import { heldTest } from "../support/kernel_layers.ts";

const SESSION = "s1" as SessionId;

Deno.test("openOutput() writes what comes in pieces, with secrets out of it wherever the pieces end", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const redact = (text: string) => text.replaceAll("hunter2", "[redacted]");
    const output = openOutput(folder, SESSION, "a/../output.txt", redact);
    const line = `${"x".repeat(900)} hunter2 ${"y".repeat(90)}\n`;
    const text = line.repeat(500);
    for (let at = 0; at < text.length; at += 777) output.write(text.slice(at, at + 777));
    output.end();
    assert.equal(await Deno.readTextFile(output.path), redact(text));
    assert.equal(((await Deno.stat(output.path)).mode ?? 0) & 0o777, 0o600);
    assert.ok(output.path.startsWith(`${folder}/${SESSION}/`));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("openOutput() leaves nothing of an output that is not kept", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const output = openOutput(folder, SESSION, "output.txt", (text) => text);
    output.write("x".repeat(200_000));
    output.end({ keep: false });
    await assert.rejects(Deno.stat(output.path), Deno.errors.NotFound);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

heldTest("an output of many megabytes is kept whole, and can be read on", async () => {
  const provider = scriptedProvider([
    { calls: [["shell", { command: "seq 1 3000000" }]] },
    (request) => {
      const told = request.messages.at(-1)?.text ?? "";
      const path = /whole is in (\S.*): use read_file/.exec(told)?.[1] ?? "";
      return { calls: [["read_file", { path, offset: 2_000_000, limit: 2 }]] };
    },
    { text: "ok" },
  ]);
  await using test = await testPryx({ provider, allow: ["run=seq"] });
  const end = await test.run("go");
  const [shell, read] = test.events(end.session, "tool.finished").map((one) => one.data);
  assert.ok((shell?.text.length ?? Infinity) <= 30_000);
  const shown = shell?.text.split("\n").filter((line) => /^\d+$/.test(line)).length ?? 0;
  const left = Number(/\((\d+) lines\) left out/.exec(shell?.text ?? "")?.[1]);
  assert.equal(shown + left, 3_000_000);
  assert.match(read?.text ?? "", /2000000\t2000000\n2000001\t2000001/);
});
