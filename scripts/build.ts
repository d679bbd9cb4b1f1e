/**
 * `deno task build`: makes `dist/`: one program, `dist/pryx`, that runs from any folder, offline, with an empty home.
 *
 * First a bundle of plain JavaScript (start-up is npm resolution and module count, and a bundle has neither), then
 * `deno compile` on it. Where the base binary that `deno compile` wants cannot be had, `dist/pryx` is a launcher
 * instead: a shell script that runs the bundle with the Deno it was built with. The last line says which it is.
 *
 * Environment: `COMPILE_DENO` and `DENORT_BIN` name another Deno to compile with, and its base binary.
 */
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { selfArgv } from "../core/domain/self_argv.ts";
import { launcher } from "./_launcher.ts";
import { hideImports } from "./_hide_imports.ts";
import { lightPaths } from "./_light_paths.ts";
import { vendorNatives } from "./_natives.ts";

/** Modules that are started by name, as workers: each is an entry point of the bundle, beside main.ts. */
const WORKERS = [
  "core/sandbox/file_worker.ts",
  "core/sandbox/spawner_worker.ts",
];

/**
 * Packages with native code, programs or other files of their own in them: they stay outside the bundle, in a
 * node_modules folder beside it.
 */
const NATIVES = ["@napi-rs/keyring", "@vscode/ripgrep", "typescript"];

/** Scripts of these packages that are worth squeezing too: nine megabytes that a check has to read. */
const LARGE = ["typescript/lib/typescript.js"];

/** Megabytes. What pryx keeps in memory is bounded by design; a leak ends with an error instead of a swapping machine. */
const HEAP_LIMIT = 1024;

const COMPILE_LIMIT_MS = 180_000;

export type BuildKind = "compiled" | "launcher";

export interface BuildOptions {
  /** Root of the source tree. */
  readonly root: string;
  /** Folder to make; what was there is replaced when the build has succeeded. */
  readonly out: string;
  /** `launcher` never tries to compile. */
  readonly kind?: BuildKind;
  /** The Deno that the launcher runs. Default: the one running this. */
  readonly deno?: string;
}

interface Manifest {
  readonly version: string;
  readonly imports: Readonly<Record<string, string>>;
  readonly unstable: readonly string[];
}

/** Builds, tries the result out, and puts it in place. */
export async function build(options: BuildOptions, say: (line: string) => void): Promise<BuildKind> {
  const root = resolve(options.root);
  const out = resolve(options.out);
  const manifest = JSON.parse(await Deno.readTextFile(join(root, "deno.json"))) as Manifest;
  await Deno.mkdir(dirname(out), { recursive: true });
  // Beside its destination, so that the rename at the end stays on one file system.
  const work = await Deno.makeTempDir({ dir: dirname(out), prefix: ".pryx-build-" });
  try {
    await Deno.chmod(work, 0o755);
    const folder = join(work, "bundle");
    await bundle(root, folder);
    await vendorNatives(root, folder, NATIVES, manifest.imports);
    await squeeze(folder);
    await writeJson(join(folder, "deno.json"), { nodeModulesDir: "manual", unstable: manifest.unstable });
    say(`bundled ${await kilobytes(folder)} KB of JavaScript`);

    const program = join(work, "pryx");
    let kind: BuildKind = "launcher";
    if (options.kind !== "launcher") {
      const problem = await compile(folder, program);
      if (problem === undefined) kind = "compiled";
      else if (options.kind === "compiled") throw new Error(`deno compile failed: ${problem}`);
      else say(`deno compile is not possible here (${problem})`);
    }
    if (kind === "launcher") {
      const deno = options.deno ?? Deno.execPath();
      await Deno.writeTextFile(program, launcher({ deno, heapLimit: HEAP_LIMIT, version: manifest.version }));
      await Deno.chmod(program, 0o755);
      // Of no use to a compiled program: its engine is another one, and its files are in it already.
      await compileGuest(folder, deno);
    }
    await writeJson(join(work, "build.json"), { version: manifest.version, kind, deno: Deno.version.deno });
    await tryOut(program, manifest.version);
    await replace(work, out);
    return kind;
  } catch (error) {
    await Deno.remove(work, { recursive: true }).catch(() => {});
    throw error;
  }
}

/** Without the bundler's --minify: it drops `using` declarations that are read once, and with them what they would close. */
async function bundle(root: string, folder: string): Promise<void> {
  const externals = NATIVES.map((name) => `--external=${name}`);
  const args = [
    "bundle",
    "--quiet",
    "--platform",
    "deno",
    "--code-splitting",
    "--outdir",
    folder,
  ];
  await run(Deno.execPath(), [...args, ...externals, "main.ts", ...WORKERS], { cwd: root });
  const workers = WORKERS.map((path) => path.replace(/\.ts$/, ".js"));
  await hideImports(folder, workers, NATIVES);
  await lightPaths(folder, workers, async (entry, output) => {
    await run(Deno.execPath(), ["bundle", "--quiet", "--platform", "deno", "--output", output, entry], {
      cwd: root,
    });
  });
}

/** Takes out white space, comments and long names: half the bytes to read at every start. Statements stay as they are. */
async function squeeze(folder: string): Promise<void> {
  const { stop, transform } = await import("esbuild");
  const rewrite = async (path: string, format: { readonly format?: "esm" }) => {
    const { code } = await transform(await Deno.readTextFile(path), {
      minifyWhitespace: true,
      minifyIdentifiers: true,
      legalComments: "eof",
      target: "esnext",
      ...format,
    });
    await Deno.writeTextFile(path, code);
  };
  try {
    for await (const path of scriptsBelow(folder)) await rewrite(path, { format: "esm" });
    for (const path of LARGE) await rewrite(join(folder, "node_modules", path), {});
  } finally {
    await stop();
  }
}

/** The bundle's own. */
async function* scriptsBelow(folder: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory && entry.name !== "node_modules") yield* scriptsBelow(path);
    else if (entry.name.endsWith(".js")) yield path;
  }
}

/** Lets the finished bundle write down what cells begin with, as a cell is started: an engine takes its own work alone. */
async function compileGuest(folder: string, deno: string): Promise<void> {
  const [program, ...args] = selfArgv({ standalone: false, execPath: deno, main: join(folder, "main.js") });
  await run(program, [...args, "__guest"], { signal: AbortSignal.timeout(60_000) });
}

/** Undefined when `program` was made; else why not, in one line. */
async function compile(folder: string, program: string): Promise<string | undefined> {
  const deno = Deno.env.get("COMPILE_DENO") ?? Deno.execPath();
  const parts = [];
  for await (const { name } of Deno.readDir(folder)) {
    // The chunks, and the folders of worker entries; packages are found through package.json.
    if (name !== "node_modules" && !name.endsWith(".json")) parts.push(`--include=${name}`);
  }
  // No code cache: a compiled program would keep it in a predictable file in the shared temporary folder.
  const flags = ["-A", "--no-prompt", "--no-check", "--no-lock", "--no-code-cache"];
  const args = [
    "compile",
    ...flags,
    `--v8-flags=--max-old-space-size=${HEAP_LIMIT},--min-semi-space-size=8`,
    "--output",
    program,
  ];
  try {
    await run(deno, [...args, ...parts.sort(), "main.js"], {
      cwd: folder,
      signal: AbortSignal.timeout(COMPILE_LIMIT_MS),
    });
    return undefined;
  } catch (error) {
    return lastCause(error instanceof Error ? error.message : String(error));
  }
}

/** Deno prints a chain of causes; the deepest says most in one line. */
function lastCause(text: string): string {
  const lines = text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const causes = lines.filter((line) => /^\d+: /.test(line) && !line.includes("<unknown>"));
  return (causes.at(-1) ?? lines.find((line) => line.startsWith("error:")) ?? lines.at(-1) ??
    "no reason given")
    .replace(/^\d+: /, "");
}

/** Runs the built program once, in an empty home, without what this build left in caches. */
async function tryOut(program: string, version: string): Promise<void> {
  const home = await Deno.makeTempDir({ prefix: "pryx-home-" });
  try {
    const env = { PATH: "/usr/bin:/bin", HOME: home, DENO_DIR: join(home, "deno") };
    const options = { cwd: home, env, clearEnv: true, signal: AbortSignal.timeout(60_000) };
    const printed = (await run(program, ["--version"], options)).trim();
    if (!printed.includes(version)) throw new Error(`pryx --version printed "${printed}", not ${version}`);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

/** Puts the finished folder in place of the old one: two renames, so nobody sees half of it. */
async function replace(work: string, out: string): Promise<void> {
  const old = `${work}.old`;
  const had = await Deno.rename(out, old).then(() => true, (error) => {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  });
  await Deno.rename(work, out);
  if (had) await Deno.remove(old, { recursive: true });
}

async function run(program: string, args: readonly string[], options: Deno.CommandOptions): Promise<string> {
  const command = new Deno.Command(program, {
    ...options,
    args: [...args],
    env: { NO_COLOR: "1", ...options.env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const { success, stdout, stderr } = await command.output();
  if (!success) throw new Error(`${program} ${args[0]} failed\n${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await Deno.writeTextFile(path, JSON.stringify(value, null, 2) + "\n");
}

async function kilobytes(folder: string): Promise<number> {
  let bytes = 0;
  for await (const entry of Deno.readDir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory && entry.name !== "node_modules") bytes += await kilobytes(path) * 1024;
    else if (entry.name.endsWith(".js")) bytes += (await Deno.stat(path)).size;
  }
  return Math.round(bytes / 1024);
}

if (import.meta.main) {
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  const { values } = parseArgs({
    args: Deno.args,
    options: { out: { type: "string" }, kind: { type: "string" }, deno: { type: "string" } },
  });
  const say = (line: string) => Deno.stdout.writeSync(new TextEncoder().encode(`build: ${line}\n`));
  const kind = values.kind === "compiled" || values.kind === "launcher" ? values.kind : undefined;
  const out = resolve(values.out ?? join(root, "dist"));
  const made = await build({ root, out, kind, deno: values.deno }, say);
  const what = made === "compiled"
    ? "a compiled binary"
    : `a launcher for the bundle beside it, run by ${values.deno ?? Deno.execPath()}`;
  say(`${join(out, "pryx")} is ${what}`);
}
