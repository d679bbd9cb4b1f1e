import { join } from "node:path";
import type { ToolCallOutcome } from "../../../core/api.ts";
import { PROGRAM_TOOLS } from "../../../core/builtins.ts";
import { scriptedProvider } from "../../support/scripted_provider.ts";
import { type TestPryx, testPryx, type TestPryxOptions } from "../../support/test_pryx.ts";

/** Calls of programs through all of the real core: policy, sandbox, events. */
export interface ProgramCalls extends AsyncDisposable {
  readonly test: TestPryx;
  call(tool: string, args: Record<string, unknown>, signal?: AbortSignal): Promise<ToolCallOutcome>;
  /** Writes a file, with folders, below the workspace; returns its absolute path. */
  plant(name: string, content?: string): Promise<string>;
}

export async function programCalls(options: Partial<TestPryxOptions> = {}): Promise<ProgramCalls> {
  const test = await testPryx({
    provider: scriptedProvider([]),
    tools: PROGRAM_TOOLS,
    preset: "workspace",
    ...options,
  });
  return {
    test,
    call: (tool, args, signal) =>
      test.pryx.callTool({
        tool,
        args,
        origin: "automation",
        workspace: test.workspace,
        surface: "test",
        attended: false,
        ...(signal ? { signal } : {}),
      }),
    async plant(name, content = `of ${name}`) {
      const path = join(test.workspace, name);
      await Deno.mkdir(join(path, ".."), { recursive: true });
      await Deno.writeTextFile(path, content);
      return path;
    },
    [Symbol.asyncDispose]: () => test[Symbol.asyncDispose](),
  };
}
