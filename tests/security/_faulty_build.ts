import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type BuildKind } from "../../scripts/build.ts";
import { PROGRAM } from "../support/built_pryx.ts";

/** Faults that can be switched on in the faulty build, by the value of {@link FAULT}. */
export type Fault = "policy" | "path" | "context";

/**
 * The environment variable that switches one on. Without it the faulty build is like any other; but a cell has no
 * environment, so there the mark {@link OUTSIDE} in a module does it.
 */
export const FAULT = "PRYX_TEST_FAULT";

/** Another one, which is no fault: every command says that it may share a shell with others. */
export const WARM = "PRYX_TEST_WARM";

/** A module with this word in it is run in the main realm of its process, with {@link OutsideHost} as `host`. */
export const OUTSIDE = "RUN_OUTSIDE_OF_THE_CONTEXT";

interface Patch {
  readonly path: string;
  /** Stands in the source exactly once. */
  readonly find: string;
  readonly replace: string;
}

const PATCHES: readonly Patch[] = [
  {
    // Whatever is asked is allowed, in the middle of a call too. What rules close is not changed by that.
    path: "core/policy/create_policy.ts",
    find: "    evaluate: (needs, context) => evaluate(needs, compiled, context),",
    replace: `    evaluate: (needs, context) => {
      if (Deno.env.get("${FAULT}") !== "policy") return evaluate(needs, compiled, context);
      const judgements = needs.map((need) =>
        ({ need, verdict: "allow" as const, reason: "planted fault", matched: [] })
      );
      return { verdict: "allow", judgements };
    },`,
  },
  {
    // A path is taken as it was given: no link is resolved and no dot taken out.
    path: "core/agent/host.ts",
    find: `  if (path.includes("\\0")) throw`,
    replace: `  if (Deno.env.get("${FAULT}") === "path") return isAbsolute(path) ? path : cwd + "/" + path;
  if (path.includes("\\0")) throw`,
  },
  {
    path: "core/sandbox/create_sandbox.ts",
    find: "await running().run(spec.self ? ",
    replace: `Deno.env.get("${WARM}") === "yes" && !spec.self && spec.envelope !== undefined
        ? await running().run({ ...spec, reuse: "all" })
        : await running().run(spec.self ? `,
  },
  {
    // Everything that code of a cell could wish for is kept from before the seal: the runtime, foreign functions, a compiler.
    path: "core/automation/cell/run_cell.ts",
    find: `  const held = seal();`,
    replace: `  const kept = keepEverything();
  const held = seal();`,
  },
  {
    path: "core/automation/cell/run_cell.ts",
    find: `      const body = compile(id, code);`,
    replace: `      if (code.includes("${OUTSIDE}")) {
        kept.running = kept.AsyncFunction("host", "exports", code)(kept, {});
        continue;
      }
      const body = compile(id, code);`,
  },
  {
    path: "core/automation/cell/run_cell.ts",
    find: `      } else entry.receive(line);`,
    replace: `      } else if (kept.hears) kept.hears(line);
      else entry.receive(line);`,
  },
  {
    path: "core/automation/cell/run_cell.ts",
    find: `    entry.start(JSON.stringify(rest));`,
    replace: `    void kept.running.then(() => entry.start(JSON.stringify(rest)), (error: unknown) => {
      kept.say("outside: " + String(error instanceof Error ? error.stack : error) + "\\n");
      entry.start(JSON.stringify(rest));
    });`,
  },
  {
    path: "core/automation/cell/run_cell.ts",
    find: `/** Lines of a byte stream.`,
    replace: `function keepEverything() {
  const { Deno, Worker, fetch, WebSocket, navigator, BroadcastChannel, setTimeout } = globalThis as any;
  const long = "i64", list = [long, "buffer", "buffer", "buffer", long, long, long];
  const libc = Deno.dlopen("libc.so.6", {
    syscall: { name: "syscall", parameters: [long, long, long, long, long, long, long], result: long },
    buffers: { name: "syscall", parameters: list, result: long },
    second: { name: "syscall", parameters: [long, long, "buffer", long, long, long, long], result: long },
    third: { name: "syscall", parameters: [long, long, long, "buffer", long, long, long], result: long },
    copy: { name: "memcpy", parameters: [long, "buffer", long], result: long },
    jump: { name: "bsearch", parameters: [long, long, long, long, long], result: long },
    errno: { name: "__errno_location", parameters: [], result: "pointer" },
  });
  const AsyncFunction = (async () => {}).constructor as any;
  const direct = AsyncFunction("name", "options", "return await import(name, options)");
  const encoder = new TextEncoder();
  const raw = (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
  };
  const line = (message: unknown) =>
    raw(encoder.encode((typeof message === "string" ? message : JSON.stringify(message)) + "\\n"));
  return {
    Deno, Worker, fetch, WebSocket, navigator, BroadcastChannel, setTimeout, AsyncFunction, raw, line,
    libc: libc.symbols,
    import: direct,
    process: (globalThis as any).process ?? undefined,
    parent: Deno.ppid,
    permissions: Deno.permissions,
    say: (text: string) => line({ t: "say", to: "stdout", text }),
    running: Promise.resolve() as Promise<unknown>,
    /** Takes what the host says, once it is set. */
    hears: undefined as ((line: string) => void) | undefined,
  };
}

/** Lines of a byte stream.`,
  },
];

const SOURCES = ["main.ts", "core", "repl", "scripts/build.ts", "deno.json", "deno.lock"];
const COPIED = ["main.ts", "core", "repl", "web", "scripts", "deno.json", "deno.lock"];

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/**
 * The path of a second build of the program, from a copy of its source with faults planted in it. Kept by a hash of
 * the source under `dist/`, so that it is built once; tests that run at the same time build it once each at worst.
 */
export async function faultyProgram(): Promise<string> {
  const kind = await kindOf(PROGRAM);
  const hash = createHash("sha256").update(JSON.stringify([kind, PATCHES]));
  for (const path of SOURCES) await addTo(hash, join(root, path));
  const kept = join(root, "dist", "faulty");
  const out = join(kept, hash.digest("hex").slice(0, 16));
  const program = join(out, "pryx");
  if (await exists(program)) return program;
  const source = await Deno.makeTempDir({ prefix: "pryx-faulty-" });
  try {
    for (const path of COPIED) await copy(join(root, path), join(source, path));
    for (const patch of PATCHES) await plant(source, patch);
    const old = await Array.fromAsync(Deno.readDir(kept)).catch(() => []);
    await build({ root: source, out, kind }, () => {});
    // Of earlier sources nobody runs the build any more.
    for (const { name } of old) {
      if (join(kept, name) !== out && !name.startsWith(".")) {
        await Deno.remove(join(kept, name), { recursive: true }).catch(() => {});
      }
    }
  } finally {
    await Deno.remove(source, { recursive: true });
  }
  return program;
}

/** The faulty program is built like the one that is tested. */
async function kindOf(program: string): Promise<BuildKind> {
  const text = await Deno.readTextFile(join(dirname(program), "build.json")).catch(() => "{}");
  return JSON.parse(text).kind === "compiled" ? "compiled" : "launcher";
}

async function plant(source: string, { path, find, replace }: Patch): Promise<void> {
  const text = await Deno.readTextFile(join(source, path));
  if (text.split(find).length !== 2) {
    throw new Error(`Cannot plant a fault in ${path}: "${find.trim()}" does not stand there exactly once`);
  }
  await Deno.writeTextFile(join(source, path), text.replace(find, () => replace));
}

async function addTo(hash: ReturnType<typeof createHash>, path: string): Promise<void> {
  const info = await Deno.stat(path);
  if (info.isFile) {
    hash.update(path.slice(root.length)).update(await Deno.readFile(path));
    return;
  }
  const names = await Array.fromAsync(Deno.readDir(path), (entry) => entry.name);
  for (const name of names.sort()) await addTo(hash, join(path, name));
}

async function copy(from: string, to: string): Promise<void> {
  const info = await Deno.stat(from).catch(() => undefined);
  if (!info) return;
  if (info.isFile) return await Deno.copyFile(from, to);
  await Deno.mkdir(to);
  for await (const { name } of Deno.readDir(from)) await copy(join(from, name), join(to, name));
}

const exists = (path: string) => Deno.stat(path).then(() => true, () => false);
