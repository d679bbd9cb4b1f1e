import { join } from "node:path";
import { createNeedContext } from "../../core/agent/host.ts";
import { PryxError } from "../../core/domain/error.ts";
import type { Need } from "../../core/domain/need.ts";
import type { SandboxGrants } from "../../core/domain/policy.ts";
import { shellNeeds } from "../../core/policy/shell_command.ts";
import { createSandbox } from "../../core/sandbox/create_sandbox.ts";
import type { Sandbox } from "../../core/sandbox/sandbox.ts";
import type { Tool, ToolContext, ToolResult } from "../../core/tools/tool.ts";

export interface ToolContextOptions {
  /** Default: the whole file system, nothing denied. */
  readonly grants?: Partial<SandboxGrants>;
  readonly signal?: AbortSignal;
  /** The children's and the reaper's environment. Default: this process's PATH. */
  readonly env?: Readonly<Record<string, string>>;
  /** Answers questions. Default: nobody is there. */
  readonly answer?: (question: string, options?: readonly string[]) => string;
  /** Decides needs that come up in the middle of a call. Default: all are granted. */
  readonly decide?: (need: Need) => boolean;
  /** Replaces requests to the network. Default: real ones, redirects not followed. */
  readonly fetch?: ToolContext["fetch"];
}

/** A tool's context over the real sandbox, in a temporary workspace that goes with it. */
export interface TestToolContext extends AsyncDisposable {
  readonly ctx: ToolContext;
  readonly sandbox: Sandbox;
  /** Absolute, resolved. */
  readonly workspace: string;
  /** A folder beside the workspace, outside of it. */
  readonly outside: string;
  /** Live output so far. */
  readonly emitted: { text: string; stream: string }[];
  /** Needs asked for in the middle of calls. */
  readonly required: Need[];
  /** Absolute path in the workspace. */
  path(name: string): string;
  /** Writes a file into the workspace and returns its absolute path. */
  write(name: string, content: string | Uint8Array): Promise<string>;
  /** States the needs, as the agent does before a decision, then runs the tool. */
  call(tool: Tool, args: Parameters<Tool["run"]>[0]): Promise<ToolResult>;
}

/** With everything granted unless `options` say otherwise. */
export async function createToolContext(options: ToolContextOptions = {}): Promise<TestToolContext> {
  const root = await Deno.realPath(await Deno.makeTempDir({ prefix: "pryx tool " }));
  const [workspace, outside, home, kept] = ["work", "outside", "home", "kept"].map((name) =>
    join(root, name)
  ) as [
    string,
    string,
    string,
    string,
  ];
  for (const folder of [workspace, outside, home, kept]) await Deno.mkdir(folder);
  const env = options.env ?? { PATH: Deno.env.get("PATH") ?? "" };
  const sandbox = createSandbox({ home, env, scopes: [workspace] });
  const grants: SandboxGrants = { read: ["/"], write: ["/"], denied: [], ...options.grants };
  const emitted: { text: string; stream: string }[] = [];
  const required: Need[] = [];
  const ctx: ToolContext = {
    ...createNeedContext({ workspace, home, searchPath: env.PATH ?? "", shellNeeds }),
    signal: options.signal ?? new AbortController().signal,
    files: sandbox.files(grants),
    run: (spec) => sandbox.run(spec),
    fetch: options.fetch ?? ((url, init) => fetch(url, { ...init, redirect: "manual" })),
    require(need) {
      required.push(need);
      if (options.decide?.(need) ?? true) return Promise.resolve();
      return Promise.reject(new PryxError("denied", `Denied: ${need.kind}=${need.target}`));
    },
    emit: (text, stream = "stdout") => void emitted.push({ text, stream }),
    ask(question, choices) {
      if (options.answer) return Promise.resolve(options.answer(question, choices));
      return Promise.reject(new PryxError("denied", "Nobody is there to answer"));
    },
    async keep(name, content) {
      const path = join(kept, name);
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      await Deno.writeFile(path, bytes);
      return path;
    },
  };
  return {
    ctx,
    sandbox,
    workspace,
    outside,
    emitted,
    required,
    path: (name) => join(workspace, name),
    async write(name, content) {
      const path = join(workspace, name);
      await Deno.mkdir(join(path, ".."), { recursive: true });
      await Deno.writeFile(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
      return path;
    },
    async call(tool, args) {
      await tool.needs(args, ctx);
      return await tool.run(args, ctx);
    },
    async [Symbol.asyncDispose]() {
      await sandbox[Symbol.asyncDispose]();
      await Deno.remove(root, { recursive: true });
    },
  };
}
