import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import type { AutomationProblem, LinkedGraph } from "../../core/domain/automation.ts";
import type { AutomationSource, Linking } from "../../core/automation/automation.ts";
import { createLinker, type LinkerOptions } from "../../core/automation/link.ts";
import { patternProblem } from "../../core/policy/rules.ts";

/** A project in a folder of its own, removed afterwards; `pryx.lock` marks its root. */
export async function project(files: Readonly<Record<string, string | Uint8Array>>) {
  const outer = await Deno.realPath(await Deno.makeTempDir());
  const root = join(outer, "project");
  const write = async (name: string, content: string | Uint8Array) => {
    await Deno.mkdir(dirname(join(root, name)), { recursive: true });
    await Deno.writeFile(
      join(root, name),
      typeof content === "string" ? new TextEncoder().encode(content) : content,
    );
  };
  for (const [name, content] of Object.entries({ "pryx.lock": "", ...files })) await write(name, content);
  const link = (
    source: string | AutomationSource,
    options: Partial<LinkerOptions> = {},
  ): Promise<Linking> => {
    return linkWith(options)(typeof source === "string" ? { file: join(root, source) } : source);
  };
  return {
    outer,
    root,
    path: (name: string) => join(root, name),
    write,
    link,
    graph: async (source: string | AutomationSource = "job.pryx.ts", options?: Partial<LinkerOptions>) =>
      graphOf(await link(source, options)),
    /** Problems as `file:line:column message`. */
    problems: async (source: string | AutomationSource = "job.pryx.ts", options?: Partial<LinkerOptions>) => {
      const linking = await link(source, options);
      assert.ok("problems" in linking, "it should not link");
      return linking.problems.map((problem) => shown(problem, root));
    },
    [Symbol.asyncDispose]: () => Deno.remove(outer, { recursive: true }),
  };
}

export function linkWith(options: Partial<LinkerOptions> = {}) {
  return createLinker({
    may: () => Promise.resolve(),
    patternProblem: (kind, pattern) => patternProblem({ verdict: "allow", kind, pattern }),
    ...options,
  });
}

export function graphOf(linking: Linking): LinkedGraph {
  if ("graph" in linking) return linking.graph;
  throw new Error(`It does not link: ${linking.problems.map((problem) => shown(problem, "")).join("\n")}`);
}

function shown({ file, line, column, message }: AutomationProblem, root: string): string {
  return `${file.startsWith(`${root}/`) ? file.slice(root.length + 1) : file}:${line}:${column} ${message}`;
}

/** Runs the modules of a graph that has no `await` at its top, as a cell would: each when it is required. */
export function runGraph(graph: LinkedGraph, pryx: unknown = {}): Record<string, unknown> {
  const loaded = new Map<string, { exports: Record<string, unknown> }>();
  const require = (id: string): unknown => {
    const known = loaded.get(id);
    if (known) return known.exports;
    const found = graph.modules.find((module) => module.id === id);
    assert.ok(found, `${id} is not in the graph`);
    const module = { exports: {} as Record<string, unknown> };
    loaded.set(id, module);
    if (found.json) return module.exports = JSON.parse(found.code);
    const body = new Function("exports", "require", "module", found.code);
    body(
      module.exports,
      (name: string) => name === "pryx" ? pryx : require(found.links[name] ?? name),
      module,
    );
    return module.exports;
  };
  return require(graph.entry) as Record<string, unknown>;
}
