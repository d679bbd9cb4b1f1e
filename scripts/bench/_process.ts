import { join } from "node:path";

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Milliseconds from start to end. */
  readonly ms: number;
  /** `performance.now()` at start and end. */
  readonly started: number;
  readonly ended: number;
  /** Most memory that was resident, MB; undefined where the system does not say. */
  readonly peakMb: number | undefined;
}

/** Environment of a measured process: an empty home, and the model server as its only provider. */
export function environment(folder: string, serverUrl?: string): Record<string, string> {
  return {
    PATH: "/usr/bin:/bin",
    HOME: folder,
    PRYX_HOME: join(folder, "pryx"),
    DENO_DIR: join(folder, "deno"),
    NO_COLOR: "1",
    ...(serverUrl === undefined ? {} : {
      OPENAI_BASE_URL: serverUrl,
      OPENAI_API_KEY: "sk-bench",
      PRYX_MODEL: "openai/bench",
    }),
  };
}

/** Runs a program to its end. Throws when it fails. */
export async function run(
  program: string,
  args: readonly string[],
  options: { cwd: string; env: Record<string, string>; watchMemory?: boolean },
): Promise<Finished> {
  const started = performance.now();
  const child = new Deno.Command(program, {
    args: [...args],
    cwd: options.cwd,
    env: options.env,
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const memory = options.watchMemory ? watchPeak(child.pid) : undefined;
  const output = await child.output();
  const ended = performance.now();
  const peakMb = await memory?.();
  const stdout = new TextDecoder().decode(output.stdout);
  const stderr = new TextDecoder().decode(output.stderr);
  if (output.code !== 0) {
    throw new Error(
      `${program} ${args.join(" ")} ended with ${output.code}\n${stderr}${stdout.slice(-2000)}`,
    );
  }
  return { code: output.code, stdout, stderr, ms: ended - started, started, ended, peakMb };
}

/** Follows a process' high-water mark of resident memory; the result of the returned function is in MB. */
function watchPeak(pid: number): () => Promise<number | undefined> {
  let kilobytes = 0;
  let over = false;
  const look = async () => {
    while (!over) {
      try {
        const status = await Deno.readTextFile(`/proc/${pid}/status`);
        kilobytes = Math.max(kilobytes, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0));
      } catch {
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };
  const looking = look();
  return async () => {
    over = true;
    await looking;
    return kilobytes === 0 ? undefined : kilobytes / 1024;
  };
}

export interface ModelProcess extends AsyncDisposable {
  readonly url: string;
  /** `performance.now()` when each request for an answer was seen, in order. */
  readonly seen: readonly number[];
}

/** Starts the scripted model server in a process of its own, so that it takes no time from what is measured. */
export async function startModel(folder: string, script: unknown): Promise<ModelProcess> {
  const file = join(folder, "script.json");
  await Deno.writeTextFile(file, JSON.stringify(script));
  const server = new URL("../../tests/support/model_server_main.ts", import.meta.url);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-lock", "--no-check", server.href, file],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const seen: number[] = [];
  const url = Promise.withResolvers<string>();
  const reading = (async () => {
    let rest = "";
    let first = true;
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      const now = performance.now();
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (first) url.resolve(line);
        else seen.push(now);
        first = false;
      }
    }
    url.reject(new Error("The model server ended"));
  })();
  const address = await url.promise;
  return {
    url: address,
    seen,
    async [Symbol.asyncDispose]() {
      await child.stdin.close();
      await child.status;
      await reading;
    },
  };
}
