import { join } from "node:path";
import type { Envelope, PathAccess } from "../../core/domain/envelope.ts";
import { createSandbox, type SandboxOptions } from "../../core/sandbox/create_sandbox.ts";
import type { ProcessResult, ProcessSpec, Sandbox } from "../../core/sandbox/sandbox.ts";
import { withoutBubblewrap } from "../support/without_bubblewrap.ts";

export type KernelName = "bubblewrap" | "landlock";

const text = (data: Uint8Array) => new TextDecoder().decode(data);

/** What a command said and how it ended. */
export interface Said extends ProcessResult {
  readonly out: string;
}

/** A workspace and a home of its own, and a real sandbox that holds commands by one layer. */
export interface ConfinedPlace extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly work: string;
  readonly home: string;
  /** Beside the workspace, and closed. */
  readonly outside: string;
  /** The workspace open for writing; `.env` closed, `.git/config` and `.git/hooks` closed to writing. */
  envelope(more?: Partial<Envelope>): Promise<Envelope>;
  sh(command: string, envelope?: Partial<Envelope>, spec?: Partial<ProcessSpec>): Promise<Said>;
}

/** Why a layer cannot be tried here; undefined when it can. */
export async function whyNot(layer: KernelName): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return "Linux only";
  await using at = await confinedPlace(layer);
  const found = (await at.sandbox.layers()).find(({ name }) => name === layer);
  return found?.active ? undefined : found?.detail ?? "not here";
}

export async function confinedPlace(
  layer: KernelName,
  options: Partial<SandboxOptions> = {},
): Promise<ConfinedPlace> {
  const opened = new AsyncDisposableStack();
  const root = await Deno.realPath(await Deno.makeTempDir({ prefix: "pryx confined " }));
  opened.defer(() => Deno.remove(root, { recursive: true }));
  const [work, home, outside] = [join(root, "work"), join(root, "home"), join(root, "outside")] as const;
  for (const folder of [work, home, outside]) await Deno.mkdir(folder);
  const path = Deno.env.get("PATH") ?? "/usr/bin:/bin";
  const PATH = layer === "landlock" ? opened.use(await withoutBubblewrap(path)).path : path;
  const sandbox = opened.use(createSandbox({ home, env: { PATH }, scopes: [work], ...options }));
  const base = await sandbox.baseline();
  const inside = (path: string, folder: string) => path === folder || path.startsWith(folder + "/");

  const envelope = (more: Partial<Envelope> = {}): Promise<Envelope> => {
    const read = more.read ?? [work];
    const write = more.write ?? [work];
    const access = (path: string): PathAccess => {
      if (inside(path, base.temp)) return "write";
      if (/\/\.env(\/|$)/.test(path)) return "none";
      if (/\/\.git\/(config$|hooks(\/|$))/.test(path) && !write.includes(path)) return "read";
      if (write.some((one) => inside(path, one))) return "write";
      return [...read, ...base.read].some((one) => inside(path, one)) ? "read" : "none";
    };
    return Promise.resolve({ read, write, access, closed: [], network: "none", unixSockets: false, ...more });
  };
  return {
    sandbox,
    work,
    home,
    outside,
    envelope,
    async sh(command, more = {}, spec = {}) {
      const result = await sandbox.run({
        argv: ["/bin/sh", "-c", command],
        cwd: work,
        timeoutMs: 20_000,
        maxOutputBytes: 20_000,
        mergeStderr: true,
        signal: new AbortController().signal,
        envelope: await envelope(more),
        ...spec,
      });
      return { ...result, out: text(result.stdout.head) + text(result.stdout.tail) };
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
