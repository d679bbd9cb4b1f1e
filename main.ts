/**
 * Where pryx begins: the fast path for `--version`, then the command line over the program. Whatever else is needed is
 * imported and opened when it is first used (core/program.ts), and closed once, at the end, in reverse.
 */
import { selfArgv } from "./core/domain/self_argv.ts";
import { VERSION } from "./core/domain/version.ts";
import { runPart } from "./core/part_index.ts";
import { type CellProcess, spawnCell } from "./core/sandbox/cell_process.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));

/** Columns of the terminal; 80 where there is none. */
function columns(): number {
  try {
    return Deno.consoleSize().columns;
  } catch {
    return 80;
  }
}

async function main(args: readonly string[]): Promise<number> {
  if (args.length === 1 && (args[0] === "--version" || args[0] === "-V")) {
    Deno.stdout.writeSync(new TextEncoder().encode(`pryx ${VERSION}\n`));
    return 0;
  }
  if (args[0]?.startsWith("__")) return await runPart(args);
  const self = selfArgv({
    standalone: Deno.build.standalone,
    execPath: Deno.execPath(),
    main: import.meta.filename ?? "",
  });
  const cell = runsAutomation(args) ? startCell(self) : undefined;
  const loading = import("./core/program.ts");
  if (args[0] === "run") {
    void loading.then(({ preloadRun }) => preloadRun({ automation: cell !== undefined }));
  }
  const [{ runCli }, { COMMANDS, openProgram }] = await Promise.all([import("./repl/cli.ts"), loading]);
  await using opened = new AsyncDisposableStack();
  if (cell) opened.use(cell);
  // What is wrong with the environment is said like any other error, by the first command that needs it.
  let context: ReturnType<typeof openProgram> | undefined;
  const index = [...COMMANDS, {
    name: "completions",
    summary: "Print the completion script of a shell",
    load: async () => [(await import("./repl/completions.ts")).completions],
  }];
  const { stdin, stdout, stderr } = Deno;
  return await runCli(args, {
    index,
    version: VERSION,
    stdin,
    stdout,
    stderr,
    env: (name) => Deno.env.get(name),
    columns,
    context: ({ cwd, profile, model }, surface, signal) =>
      (context ??= openProgram(opened, { self, cell }))(surface, signal, {
        ...(cwd === undefined ? {} : { cwd }),
        ...(profile === undefined ? {} : { profile }),
        ...(model === undefined ? {} : { model }),
      }),
  });
}

/**
 * `pryx eval`, `pryx run job.pryx.ts`, `pryx run --ts -`: some word is such a file. A guess that is wrong costs a process.
 * What is recorded or replayed runs in another.
 */
function runsAutomation([command, ...rest]: readonly string[]): boolean {
  if (command === "eval") return true;
  return command === "run" && rest.some((word) => word === "--ts" || /^\S+\.pryx\.ts$/.test(word)) &&
    !rest.some((word) => /^--(?:record|replay)(?:=|$)/.test(word));
}

/** Before anything else is loaded: the process gets ready while this one reads what it is to do. */
function startCell(self: readonly [string, ...string[]]): CellProcess | undefined {
  try {
    return spawnCell(self);
  } catch {
    // Whoever needs it starts it again, and says why it cannot be.
    return undefined;
  }
}
