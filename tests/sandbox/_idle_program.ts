/** Runs two commands in a shell that stays, and leaves it at that: nothing is disposed of, and nothing may keep this going. */
import { createSandbox } from "../../core/sandbox/create_sandbox.ts";

const [work = ""] = Deno.args;
const sandbox = createSandbox({ home: work, env: { PATH: Deno.env.get("PATH") ?? "" }, scopes: [work] });
for (const _ of [1, 2]) {
  const { stdout } = await sandbox.run({
    argv: ["/bin/sh", "-c", "echo $(cut -d ' ' -f 22 /proc/$PPID/stat)"],
    cwd: work,
    timeoutMs: 10_000,
    maxOutputBytes: 1_000,
    signal: new AbortController().signal,
    reuse: "a",
    envelope: {
      read: [work],
      write: [work],
      access: () => "write",
      key: "a",
      closed: [],
      network: "none",
      unixSockets: false,
    },
  });
  await Deno.stdout.write(stdout.head);
}
