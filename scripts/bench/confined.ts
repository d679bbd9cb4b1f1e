import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Need } from "../../core/domain/need.ts";
import { createPolicy } from "../../core/policy/create_policy.ts";
import type { Policy } from "../../core/policy/policy.ts";
import { createSandbox } from "../../core/sandbox/create_sandbox.ts";
import type { ProcessSpec, Sandbox, SandboxLayer } from "../../core/sandbox/sandbox.ts";
import { withoutBubblewrap } from "../../tests/support/without_bubblewrap.ts";
import { type Bench, interleave, type Measurement, median, round } from "./_measure.ts";

const CONTEXT = { origin: "model", taint: [], grants: [] } as const;
const COMMAND = ["/bin/sh", "-c", "true"] as const;
const CALLS = 200;
const SPAWNS = 60;
const FRESH_MS = 1_500;

/** A workspace with some files in it, one of them secret. */
async function openWorkspace(bench: Bench): Promise<{ workspace: string; home: string; policy: Policy }> {
  const folder = await Deno.realPath(await bench.folder());
  const [workspace, home] = [join(folder, "work"), join(folder, "home")];
  await mkdir(home);
  for (let part = 0; part < 10; part++) {
    await mkdir(join(workspace, `src/part${part}`), { recursive: true });
    for (let i = 0; i < 10; i++) {
      await writeFile(join(workspace, `src/part${part}/file${i}.ts`), "export {};\n");
    }
  }
  await writeFile(join(workspace, ".env"), "A=1\n");
  const options = {
    preset: "read-only",
    workspace,
    home,
    rules: [],
    protectedPaths: [join(home, ".pryx")],
  } as const;
  return { workspace, home, policy: createPolicy(options) };
}

/** From the needs of a file tool to the content of the file: evaluate, expand, both checks, the worker. */
export async function fileCall(bench: Bench): Promise<Measurement> {
  const { workspace, home, policy } = await openWorkspace(bench);
  await using sandbox = createSandbox({ home, env: {}, scopes: [workspace] });
  const times: number[] = [];
  for (let i = -20; i < CALLS; i++) {
    const target = join(workspace, `src/part${Math.abs(i) % 10}/file${Math.abs(i) % 7}.ts`);
    const needs: readonly Need[] = [{ kind: "read", target }];
    const started = performance.now();
    const decision = policy.evaluate(needs, CONTEXT);
    if (decision.verdict !== "allow") throw new Error("The call was not allowed");
    const { bytes } = await sandbox.files(policy.roots(needs)).read(target, { maxBytes: 1000 });
    const ms = performance.now() - started;
    if (bytes.length === 0) throw new Error("Nothing was read");
    if (i >= 0) times.push(ms);
  }
  return {
    name: "Decision and worker call, warm",
    value: median(times),
    unit: "ms",
    limit: { most: 1.5 },
    detail: `a small file read, ${CALLS} times`,
  };
}

/** What Landlock and seccomp add to a command. */
export async function landlock(bench: Bench): Promise<Measurement | undefined> {
  await using programs = await withoutBubblewrap();
  return await overBare(bench, {
    layer: "landlock",
    path: programs.path,
    most: 12,
    name: "A command under Landlock and seccomp, over a bare one",
  });
}

/** A command in a confined shell that runs several, against one that is started bare: the work of a script. */
export async function warmCommand(bench: Bench): Promise<Measurement | undefined> {
  const { workspace, home, policy } = await openWorkspace(bench);
  const env = { PATH: Deno.env.get("PATH") ?? "" };
  await using sandbox = createSandbox({ home, env, scopes: [workspace] });
  const layers = await sandbox.layers();
  const layer = layers.find(({ name, active }) => active && (name === "bubblewrap" || name === "landlock"));
  if (layer === undefined) return undefined;
  // What is closed must not have changed a moment ago.
  await until(Date.now() + FRESH_MS);
  const { a: bare, b: warm } = await interleave(
    CALLS,
    () =>
      timed(() => new Deno.Command("/bin/bash", { args: ["-c", "echo x"], cwd: workspace, env }).output()),
    () =>
      timed(() =>
        runConfined(sandbox, policy, workspace, { argv: ["/bin/bash", "-c", "echo x"], reuse: "bench" })
      ),
  );
  return {
    name: "A command in a confined shell that stays, over a bare one",
    value: warm - bare,
    unit: "ms",
    limit: { most: 3 },
    detail: `\`bash -c 'echo x'\` under ${layer.name}: ${round(warm)} ms against ${
      round(bare)
    } ms, the search for closed files included`,
  };
}

/** What bubblewrap's namespaces and seccomp add to a command. */
export async function bubblewrap(bench: Bench): Promise<Measurement | undefined> {
  return await overBare(bench, {
    layer: "bubblewrap",
    path: Deno.env.get("PATH") ?? "",
    most: 25,
    name: "A command under bubblewrap, over a bare one",
  });
}

async function overBare(
  bench: Bench,
  { layer, path, most, name }: { layer: SandboxLayer["name"]; path: string; most: number; name: string },
): Promise<Measurement | undefined> {
  const { workspace, home, policy } = await openWorkspace(bench);
  const env = { PATH: path };
  await using sandbox = createSandbox({ home, env, scopes: [workspace] });
  const layers = await sandbox.layers();
  if (!layers.some((one) => one.name === layer && one.active)) return undefined;
  const { a: bare, b: confined } = await interleave(
    SPAWNS,
    () => timed(() => new Deno.Command(COMMAND[0], { args: COMMAND.slice(1), cwd: workspace, env }).output()),
    () => timed(() => runConfined(sandbox, policy, workspace)),
  );
  return {
    name,
    value: confined - bare,
    unit: "ms",
    limit: { most },
    detail: `\`sh -c true\`: ${round(confined)} ms against ${
      round(bare)
    } ms, the search for closed files included`,
  };
}

async function runConfined(
  sandbox: Sandbox,
  policy: Policy,
  cwd: string,
  more: Partial<Pick<ProcessSpec, "argv" | "reuse">> = {},
): Promise<void> {
  const envelope = policy.envelope([], { baseline: await sandbox.baseline(), workspace: true, ...CONTEXT });
  const short = await sandbox.shortfall(envelope);
  if (short.length > 0) throw new Error(`Within reach: ${short.map(({ target }) => target).join(", ")}`);
  const result = await sandbox.run({
    argv: COMMAND,
    cwd,
    envelope,
    accepted: [],
    timeoutMs: 10_000,
    maxOutputBytes: 1000,
    signal: new AbortController().signal,
    ...more,
  });
  if (result.code !== 0) throw new Error(`The command ended with ${result.code}`);
}

async function until(time: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, time - Date.now())));
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
