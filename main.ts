/**
 * Where pryx begins: the fast path for `--version`, then the command line over the program. Whatever else is needed is
 * imported and opened when it is first used (core/program.ts), and closed once, at the end, in reverse.
 */
import { VERSION } from "./core/domain/version.ts";

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
  const loading = import("./core/program.ts");
  if (args[0]?.startsWith("__")) return await (await loading).runPart(args);
  if (args[0] === "run") void loading.then(({ preloadRun }) => preloadRun());
  const [{ runCli }, { COMMANDS, openProgram }] = await Promise.all([import("./repl/cli.ts"), loading]);
  await using opened = new AsyncDisposableStack();
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
      (context ??= openProgram(opened))(surface, signal, {
        ...(cwd === undefined ? {} : { cwd }),
        ...(profile === undefined ? {} : { profile }),
        ...(model === undefined ? {} : { model }),
      }),
  });
}
