/**
 * The parts of pryx that run as processes of their own, by hidden subcommand. Nobody types them. Each is loaded when its
 * process begins, and nothing else of the program with it.
 */
export async function runPart([name, ...args]: readonly string[]): Promise<number> {
  switch (name) {
    case "__cell": {
      const [{ runCell }, { seal }] = await Promise.all([
        import("./automation/cell/run_cell.ts"),
        import("./sandbox/seal.ts"),
      ]);
      return await runCell({ seal: () => seal({ already: args[0] === "confined" }) });
    }
    case "__guest":
      return (await import("./automation/cell/run_cell.ts")).writeCompiledGuest();
    case "__bridge":
      return await (await import("./sandbox/bridge.ts")).runBridge(args);
    case "__check":
      return await (await import("./agent/check_output.ts")).runCheck();
    case "__page":
      return await (await import("./tools/page.ts")).runPage();
  }
  Deno.stderr.writeSync(new TextEncoder().encode(`pryx: there is no command ${name}\n`));
  return 2;
}
