import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startModelServer } from "./model_server.ts";
import type { ModelScript, ModelServer, ModelServerOptions } from "./model_server.ts";

/** The program as users get it: `deno task test` builds it before it runs the tests. PRYX_TEST_PROGRAM names another one. */
export const PROGRAM = Deno.env.get("PRYX_TEST_PROGRAM") ??
  fileURLToPath(new URL("../../dist/test/pryx", import.meta.url));

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Default: the workspace. */
  readonly cwd?: string;
  /** Piped in; absent: standard input is empty. */
  readonly stdin?: string | Uint8Array;
  /** A command line that the program is started through. */
  readonly through?: readonly string[];
}

/** A fresh machine for the built program: an empty home, a workspace, and no environment but what a test gives it. */
export interface BuiltPryx extends AsyncDisposable {
  readonly home: string;
  readonly workspace: string;
  readonly env: Readonly<Record<string, string>>;
  run(args: readonly string[], options?: RunOptions): Promise<Finished>;
  /** Started and not waited for; the test ends it. */
  start(args: readonly string[], options?: RunOptions): Started;
  /** `--json` output of a command that is expected to succeed. */
  json(args: readonly string[], options?: RunOptions): Promise<unknown>;
  write(path: string, content: string): Promise<void>;
  read(path: string): Promise<string>;
}

export interface Started extends AsyncDisposable {
  readonly pid: number;
  kill(signal: Deno.Signal): void;
  /** Resolves when `text` was printed on either stream; rejects when the process ended before. */
  printed(text: string | RegExp): Promise<void>;
  finished(): Promise<Finished>;
}

export async function builtPryx(env: Readonly<Record<string, string>> = {}): Promise<BuiltPryx> {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "pryx e2e " }));
  const home = join(folder, "home");
  const workspace = join(folder, "work");
  await Deno.mkdir(home);
  await Deno.mkdir(workspace);
  await Deno.mkdir(join(folder, "tmp"));
  const base = {
    PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin",
    HOME: home,
    TMPDIR: join(folder, "tmp"),
    NO_COLOR: "1",
    ...env,
  };

  function start(args: readonly string[], options: RunOptions = {}): Started {
    const [program = PROGRAM, ...rest] = [...options.through ?? [], PROGRAM, ...args];
    const child = new Deno.Command(program, {
      args: rest,
      cwd: options.cwd ?? workspace,
      env: { ...base, ...options.env },
      clearEnv: true,
      stdin: options.stdin === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    return watch(child, options.stdin);
  }

  const run = async (args: readonly string[], options: RunOptions = {}) => {
    await using started = start(args, options);
    return await started.finished();
  };

  return {
    home,
    workspace,
    env: base,
    start,
    run,
    async json(args, options) {
      const { code, stdout, stderr } = await run([...args, "--json"], options);
      if (code !== 0) throw new Error(`pryx ${args.join(" ")} ended ${code}:\n${stderr}`);
      return JSON.parse(stdout);
    },
    write: (path, content) => Deno.writeTextFile(join(workspace, path), content),
    read: (path) => Deno.readTextFile(join(workspace, path)),
    async [Symbol.asyncDispose]() {
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** A fresh machine with a model server on loopback, set up as the provider `test`. */
export async function withModel(
  script: ModelScript,
  options: ModelServerOptions & { readonly prices?: boolean } = {},
): Promise<BuiltPryx & { readonly server: ModelServer }> {
  const server = await startModelServer(script, options);
  const built = await builtPryx({ PRYX_MODEL: "test/model", TEST_KEY: "sk-test-key-0123456789" });
  const config = {
    providers: {
      test: {
        baseUrl: server.url,
        key: "env:TEST_KEY",
        ...(options.prices === false
          ? { local: false }
          : { prices: { model: { input: 1000, output: 1000 } } }),
      },
    },
  };
  const folder = join(built.home, ".config", "pryx");
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(join(folder, "config.jsonc"), JSON.stringify(config));
  return {
    ...built,
    server,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await built[Symbol.asyncDispose]();
    },
  };
}

function watch(child: Deno.ChildProcess, stdin: string | Uint8Array | undefined): Started {
  const text = { stdout: "", stderr: "" };
  const waiters: (() => void)[] = [];
  let ended = false;
  const wake = () => {
    for (const waiter of waiters.splice(0)) waiter();
  };
  const read = async (stream: "stdout" | "stderr") => {
    for await (const piece of child[stream].pipeThrough(new TextDecoderStream())) {
      text[stream] += piece;
      wake();
    }
  };
  const feed = async () => {
    if (stdin === undefined) return;
    const writer = child.stdin.getWriter();
    try {
      await writer.write(typeof stdin === "string" ? new TextEncoder().encode(stdin) : stdin);
      await writer.close();
    } catch {
      // The program did not want all of it.
    }
  };
  const done = Promise.all([child.status, read("stdout"), read("stderr"), feed()]).then(([status]) => {
    ended = true;
    wake();
    return status;
  });
  return {
    pid: child.pid,
    kill: (signal) => child.kill(signal),
    async printed(wanted) {
      const has = () => {
        const all = text.stdout + text.stderr;
        return typeof wanted === "string" ? all.includes(wanted) : wanted.test(all);
      };
      while (!has()) {
        if (ended) throw new Error(`it ended without printing ${wanted}:\n${text.stdout}\n${text.stderr}`);
        await new Promise<void>((resolve) => waiters.push(resolve));
      }
    },
    async finished() {
      const status = await done;
      return { code: status.code, ...text };
    },
    async [Symbol.asyncDispose]() {
      if (!ended) {
        try {
          child.kill("SIGKILL");
        } catch {
          // It has just ended.
        }
      }
      await done;
    },
  };
}
