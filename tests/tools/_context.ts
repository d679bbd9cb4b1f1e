/** What the tests of tools run in: a real sandbox on a scratch folder. */
import { join } from "node:path";
import { resolvePath } from "../../core/agent/host.ts";
import { PryxError } from "../../core/domain/error.ts";
import type { Need } from "../../core/domain/need.ts";
import type { SandboxGrants } from "../../core/domain/policy.ts";
import { createSandbox } from "../../core/sandbox/create_sandbox.ts";
import type { ProcessSpec } from "../../core/sandbox/sandbox.ts";
import type { Tool, ToolContext, ToolResult } from "../../core/tools/tool.ts";

export interface Bench extends AsyncDisposable {
  /** Resolved path of the scratch workspace. */
  readonly folder: string;
  readonly context: ToolContext;
  /** Needs that tools asked for in the middle of a call. */
  readonly required: Need[];
  readonly asked: { question: string; options: readonly string[] | undefined }[];
  /** Absolute paths of kept outputs. */
  readonly kept: string[];
  put(name: string, content: string | Uint8Array): Promise<string>;
  get(name: string): Promise<string>;
  bytes(name: string): Promise<Uint8Array>;
  /** Needs, then the run, as the agent does it. */
  call(tool: Tool, args: Record<string, unknown>): Promise<ToolResult>;
  needs(tool: Tool, args: Record<string, unknown>): Promise<readonly string[]>;
}

export interface BenchOptions {
  readonly denied?: readonly string[];
  /** Needs that `require` grants; all others are denied. */
  readonly grant?: readonly string[];
  readonly answer?: string;
  readonly signal?: AbortSignal;
  /** Environment of child processes. Default: this process's PATH. */
  readonly env?: Record<string, string>;
  readonly run?: (spec: ProcessSpec, run: ToolContext["run"]) => ReturnType<ToolContext["run"]>;
  readonly grants?: (folder: string) => SandboxGrants;
}

export async function createBench(options: BenchOptions = {}): Promise<Bench> {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "pryx-tools-" }));
  const home = join(folder, "..", "no-home");
  const env = options.env ?? { PATH: Deno.env.get("PATH") ?? "" };
  const sandbox = createSandbox({ home, env, scopes: [folder] });
  const grants = options.grants?.(folder) ?? {
    read: [folder],
    write: [folder],
    denied: (options.denied ?? []).map((entry) => join(folder, entry)),
  };
  const required: Need[] = [];
  const asked: Bench["asked"] = [];
  const kept: string[] = [];
  const hosts = new Set<string>();
  const signal = options.signal ?? new AbortController().signal;
  const context: ToolContext = {
    cwd: folder,
    home,
    signal,
    files: sandbox.files(grants),
    resolve: (path) => resolvePath(path, folder, home),
    shellNeeds: () => Promise.resolve([]),
    run: (spec) => options.run ? options.run(spec, sandbox.run) : sandbox.run(spec),
    async fetch(url, init) {
      const target = new URL(url);
      const place = `${target.hostname}:${target.port || (target.protocol === "https:" ? "443" : "80")}`;
      if (!hosts.has(place)) throw new PryxError("denied", `A request to ${place} was not decided`);
      return await fetch(target, { ...init, redirect: "manual" });
    },
    require(need) {
      required.push(need);
      if (!options.grant?.includes(need.target)) {
        return Promise.reject(new PryxError("denied", `Denied: ${need.kind}=${need.target}`));
      }
      hosts.add(need.target);
      return Promise.resolve();
    },
    emit: () => {},
    ask(question, choices) {
      asked.push({ question, options: choices });
      return options.answer === undefined
        ? Promise.reject(new PryxError("denied", "Nobody is there"))
        : Promise.resolve(options.answer);
    },
    async keep(name, content) {
      const path = join(folder, `kept-${kept.length}-${name}`);
      await (typeof content === "string" ? Deno.writeTextFile(path, content) : Deno.writeFile(path, content));
      kept.push(path);
      return path;
    },
  };
  const given = (args: Record<string, unknown>) => args as Parameters<Tool["run"]>[0];
  return {
    folder,
    context,
    required,
    asked,
    kept,
    async put(name, content) {
      const path = join(folder, name);
      await Deno.mkdir(join(path, ".."), { recursive: true });
      await (typeof content === "string" ? Deno.writeTextFile(path, content) : Deno.writeFile(path, content));
      return path;
    },
    get: (name) => Deno.readTextFile(join(folder, name)),
    bytes: (name) => Deno.readFile(join(folder, name)),
    async call(tool, args) {
      const needs = await tool.needs(given(args), context);
      for (const need of needs) if (need.kind === "net") hosts.add(need.target);
      return await tool.run(given(args), context);
    },
    async needs(tool, args) {
      const needs = await tool.needs(given(args), context);
      return needs.map(({ kind, target }) => `${kind}=${target}`);
    },
    async [Symbol.asyncDispose]() {
      await sandbox[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}
