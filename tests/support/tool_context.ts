import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createNeedContext } from "../../core/agent/host.ts";
import { PryxError } from "../../core/domain/error.ts";
import type { Need } from "../../core/domain/need.ts";
import { selfArgv } from "../../core/domain/self_argv.ts";
import { shellNeeds } from "../../core/policy/shell_command.ts";
import { createSandbox } from "../../core/sandbox/create_sandbox.ts";
import type { ProcessSpec } from "../../core/sandbox/sandbox.ts";
import type { Tool, ToolContext, ToolResult } from "../../core/tools/tool.ts";

export interface ToolContextOptions {
  /** Closed files: paths or globs, as seen from the workspace. */
  readonly denied?: readonly string[];
  /** Targets of the needs in the middle of a call that are granted; all others are denied. */
  readonly grant?: readonly string[];
  readonly signal?: AbortSignal;
  /** The children's and the reaper's environment. Default: this process's PATH. */
  readonly env?: Readonly<Record<string, string>>;
  /** Answers questions. Default: nobody is there. */
  readonly answer?: string;
  /** Stands between a tool and the processes it starts. */
  readonly run?: (spec: ProcessSpec, run: ToolContext["run"]) => ReturnType<ToolContext["run"]>;
}

/** A tool's context over the real sandbox, in a temporary workspace that goes with it. */
export interface TestToolContext extends AsyncDisposable {
  readonly ctx: ToolContext;
  /** Absolute, resolved; all that may be read and written. */
  readonly workspace: string;
  /** A folder beside the workspace, outside of it. */
  readonly outside: string;
  /** Live output so far. */
  readonly emitted: { text: string; stream: string }[];
  /** Needs asked for in the middle of calls. */
  readonly required: Need[];
  readonly asked: { question: string; options: readonly string[] | undefined }[];
  /** Absolute paths of kept outputs. */
  readonly kept: string[];
  /** Absolute path in the workspace. */
  path(name: string): string;
  /** Writes a file into the workspace, folders too, and returns its absolute path. */
  write(name: string, content: string | Uint8Array): Promise<string>;
  /** A file of the workspace. */
  read(name: string): Promise<string>;
  readBytes(name: string): Promise<Uint8Array>;
  /** States the needs, as the agent does before a decision, then runs the tool. */
  call(tool: Tool, args: Record<string, unknown>): Promise<ToolResult>;
  /** What a call would need, as `kind=target`. */
  needs(tool: Tool, args: Record<string, unknown>): Promise<readonly string[]>;
}

export async function createToolContext(options: ToolContextOptions = {}): Promise<TestToolContext> {
  const root = await Deno.realPath(await Deno.makeTempDir({ prefix: "pryx tool " }));
  const [workspace, outside, home] = [join(root, "work"), join(root, "outside"), join(root, "home")];
  const outputs = join(root, "kept");
  for (const folder of [workspace, outside, home, outputs]) await Deno.mkdir(folder);
  const env = options.env ?? { PATH: Deno.env.get("PATH") ?? "" };
  const main = fileURLToPath(new URL("../../main.ts", import.meta.url));
  const self = selfArgv({ standalone: false, execPath: Deno.execPath(), main });
  const sandbox = createSandbox({ home, env, scopes: [workspace], self });
  const denied = (options.denied ?? []).map((entry) => join(workspace, entry));
  const emitted: TestToolContext["emitted"] = [];
  const required: Need[] = [];
  const asked: TestToolContext["asked"] = [];
  const kept: string[] = [];
  /** Hosts with port that were decided: requests go nowhere else. */
  const hosts = new Set<string>();
  const ctx: ToolContext = {
    ...createNeedContext({
      workspace,
      home,
      searchPath: env.PATH ?? "",
      shellNeeds,
      isClosed: () => Promise.resolve(false),
    }),
    signal: options.signal ?? new AbortController().signal,
    files: sandbox.files({ read: [workspace], write: [workspace], denied }),
    run: (spec) => options.run ? options.run(spec, sandbox.run) : sandbox.run(spec),
    async fetch(url, init) {
      const target = new URL(url);
      const place = `${target.hostname}:${target.port || (target.protocol === "https:" ? "443" : "80")}`;
      if (!hosts.has(place)) throw new PryxError("denied", `A request to ${place} was not decided`);
      const named = (host: string, port: number) =>
        hosts.has(host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`);
      return await sandbox.fetch(target, { ...init, named });
    },
    require(need) {
      required.push(need);
      if (!options.grant?.includes(need.target)) {
        return Promise.reject(new PryxError("denied", `Denied: ${need.kind}=${need.target}`));
      }
      hosts.add(need.target);
      return Promise.resolve();
    },
    emit: (text, stream = "stdout") => void emitted.push({ text, stream }),
    ask(question, choices) {
      asked.push({ question, options: choices });
      return options.answer === undefined
        ? Promise.reject(new PryxError("denied", "Nobody is there to answer"))
        : Promise.resolve(options.answer);
    },
    async keep(name, content) {
      const path = join(outputs, `${kept.length}-${name}`);
      await put(path, content);
      kept.push(path);
      return path;
    },
    keepLong(name) {
      const path = join(outputs, `${kept.length}-${name}`);
      kept.push(path);
      let text = "";
      return {
        path,
        write: (piece) => void (text += piece),
        end({ keep = true } = {}) {
          if (keep) Deno.mkdirSync(outputs, { recursive: true });
          if (keep) Deno.writeTextFileSync(path, text);
          else Deno.removeSync(path);
        },
      };
    },
  };
  const stated = (tool: Tool, args: Record<string, unknown>) =>
    tool.needs(args as Parameters<Tool["run"]>[0], ctx);
  return {
    ctx,
    workspace,
    outside,
    emitted,
    required,
    asked,
    kept,
    path: (name) => join(workspace, name),
    async write(name, content) {
      const path = join(workspace, name);
      await Deno.mkdir(join(path, ".."), { recursive: true });
      await put(path, content);
      return path;
    },
    read: (name) => Deno.readTextFile(join(workspace, name)),
    readBytes: (name) => Deno.readFile(join(workspace, name)),
    async call(tool, args) {
      for (const need of await stated(tool, args)) if (need.kind === "net") hosts.add(need.target);
      return await tool.run(args as Parameters<Tool["run"]>[0], ctx);
    },
    needs: async (tool, args) => (await stated(tool, args)).map(({ kind, target }) => `${kind}=${target}`),
    async [Symbol.asyncDispose]() {
      await sandbox[Symbol.asyncDispose]();
      await Deno.remove(root, { recursive: true });
    },
  };
}

async function put(path: string, content: string | Uint8Array): Promise<void> {
  await Deno.writeFile(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
}
