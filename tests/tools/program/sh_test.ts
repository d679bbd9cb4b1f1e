import assert from "node:assert/strict";
import { sh } from "../../../core/tools/program/sh.ts";
import { createToolContext, type TestToolContext } from "../../support/tool_context.ts";
import { scriptedProvider } from "../../support/scripted_provider.ts";
import { testPryx } from "../../support/test_pryx.ts";

interface ShellData {
  readonly code: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  readonly stdout: string;
  readonly stderr: string;
  readonly stdoutBase64?: string;
  readonly limit?: string;
  readonly refused?: readonly string[];
}

async function run(at: TestToolContext, command: string, more: Record<string, unknown> = {}) {
  const result = await at.call(sh, { command, ...more });
  return { result, data: result.data as unknown as ShellData };
}

Deno.test("sh gives back both streams apart, as they were written, and an exit code that is no failure", async () => {
  await using at = await createToolContext();
  const { result, data } = await run(at, `printf 'a\\r\\033[1mb\\n\\n'; echo oops >&2; exit 3`);
  assert.deepEqual([data.stdout, data.stderr, data.code], ["a\r\x1b[1mb\n\n", "oops\n", 3]);
  assert.deepEqual([result.failed, result.exitCode, data.timedOut, data.signal], [undefined, 3, false, null]);
  assert.match(result.text, /^exit code 3 after \d+ ms; 9 bytes of output$/);
  assert.deepEqual(
    at.emitted.map(({ text, stream }) => `${stream} ${text}`).sort(),
    ["stderr oops\n", "stdout a\r\x1b[1mb\n\n"],
  );
});

Deno.test("sh gives bytes back as they are: base64 for what is no text, and for all of it when it is asked to", async () => {
  await using at = await createToolContext();
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  const binary = await run(at, "cat", { stdinBase64: all.toBase64() });
  assert.deepEqual(Uint8Array.fromBase64(binary.data.stdoutBase64 ?? ""), all);
  assert.equal(binary.data.stdout, "");
  const text = await run(at, "cat", { stdin: "\ufeffgrün\0" });
  assert.deepEqual([text.data.stdout, text.data.stdoutBase64], ["\ufeffgrün\0", undefined]);
  const asked = await run(at, "cat", { stdin: "hi", bytes: true });
  assert.deepEqual([asked.data.stdout, asked.data.stdoutBase64], ["", "aGk="]);
  const twice = at.call(sh, { command: "cat", stdin: "a", stdinBase64: "YQ==" });
  await assert.rejects(twice, { code: "input_invalid" });
  await assert.rejects(at.call(sh, { command: "cat", stdinBase64: "*" }), { code: "input_invalid" });
});

Deno.test("sh keeps megabytes whole, and stops a command that writes more than a stream may hold", async () => {
  await using at = await createToolContext();
  const { data } = await run(at, "head -c 40000000 /dev/zero | tr '\\0' x; printf end");
  assert.equal(data.stdout.length, 40_000_003);
  assert.ok(data.stdout.startsWith("xxx") && data.stdout.endsWith("xend"));
  const much = at.call(sh, { command: "yes" });
  await assert.rejects(much, { code: "tool_failed", message: /more than 64.0 MB to standard output/ });
  const errors = at.call(sh, { command: "yes >&2" });
  await assert.rejects(errors, { code: "tool_failed", message: /more than 4.0 MB to standard error/ });
});

Deno.test("sh with pipefail ends with the code of the command that failed", async () => {
  await using at = await createToolContext();
  assert.equal((await run(at, "(exit 7) | cat")).data.code, 0);
  assert.equal((await run(at, "(exit 7) | cat", { pipefail: true })).data.code, 7);
  assert.equal((await run(at, "-x", { pipefail: true })).data.code, 127);
});

Deno.test("sh with pipefail says that bash is missing where it is", async () => {
  const shells: string[] = [];
  await using at = await createToolContext({
    run(spec, go) {
      shells.push(spec.argv[0]);
      return go({ ...spec, argv: [spec.argv[0].replace("bash", "no-bash"), ...spec.argv.slice(1)] });
    },
  });
  await assert.rejects(run(at, "true | true", { pipefail: true }), { code: "not_found", message: /no-bash/ });
  assert.deepEqual(shells, ["/bin/bash", "bash"]);
});

Deno.test("sh tells of a time limit and of a signal, and does not fail", async () => {
  await using at = await createToolContext();
  const late = await run(at, "echo begun; sleep 30", { timeout: 0.3 });
  assert.deepEqual([late.data.timedOut, late.data.stdout, late.data.code], [true, "begun\n", null]);
  assert.match(late.result.text, /^stopped at its time limit/);
  assert.equal((await run(at, "kill -9 $$")).data.signal, "SIGKILL");
});

Deno.test("sh rejects when it is cancelled, and when its folder or its command is none", async () => {
  const controller = new AbortController();
  await using at = await createToolContext({ signal: controller.signal });
  await assert.rejects(run(at, "true", { cwd: "nowhere" }), { code: "not_found" });
  await assert.rejects(run(at, " "), { code: "input_invalid" });
  const ctx = { ...at.ctx, emit: () => controller.abort(new Error("enough")) };
  await assert.rejects(sh.run({ command: "echo so far; sleep 30" }, ctx), { message: "enough" });
});

Deno.test("sh runs again with what the sandbox had refused and a person allowed; what stays refused is in its data", async () => {
  const refusing = async (grant: readonly string[]) => {
    let runs = 0;
    await using at = await createToolContext({
      grant,
      async run(spec, go) {
        runs++;
        const refusals = [{ need: { kind: "write" as const, target: "/out/new" }, evidence: "touch: no" }];
        const result = await go(spec);
        return runs === 1 ? { ...result, refusals } : result;
      },
    });
    const { data } = await run(at, "echo out; exit 1");
    return { runs, data, again: at.emitted.filter(({ stream }) => stream === "progress").length };
  };
  const granted = await refusing(["/out/new"]);
  assert.deepEqual([granted.runs, granted.data.stdout, granted.again], [2, "out\n", 1]);
  assert.equal(granted.data.refused, undefined);
  const denied = await refusing([]);
  assert.deepEqual([denied.runs, denied.again], [1, 0]);
  assert.match(denied.data.refused?.[0] ?? "", /^the sandbox refused write=\/out\/new/);
});

Deno.test("a call of sh stores what it was given up to a length, and no output", async () => {
  const provider = scriptedProvider([]);
  await using test = await testPryx({ provider, tools: [sh], preset: "dangerously-full" });
  const outcome = await test.pryx.callTool({
    tool: "sh",
    args: { command: "wc -c", stdin: "0123456789".repeat(100_000) },
    origin: "automation",
    workspace: test.workspace,
    surface: "test",
    attended: false,
  });
  assert.equal((outcome.data as unknown as ShellData).stdout.trim(), "1000000");
  const [requested] = test.events(outcome.session, "tool.requested");
  const { stdin } = requested?.data.args as { stdin: string };
  assert.match(stdin, /^\[1000000 characters, SHA-256 [0-9a-f]{64}\]$/);
  assert.ok(JSON.stringify(requested).length < 5_000);
  const [finished] = test.events(outcome.session, "tool.finished");
  assert.match(finished?.data.text ?? "", /^exit code 0 after/);
});
