import { join, relative, resolve, sep } from "node:path";
import type { Automations } from "../automation/automation.ts";
import {
  API_VERSION,
  AUTOMATION_SUFFIX,
  type AutomationProblem,
  type LinkedGraph,
} from "../domain/automation.ts";
import { escapeForDisplay } from "../domain/display.ts";
import { EXIT, PryxError } from "../domain/error.ts";
import type { Json } from "../domain/schema.ts";
import { checkGithub, checkText } from "./_check_text.ts";
import { type Command, type CommandContext, defineCommand } from "./command.ts";

/** The automations of one project, and what was found about them. */
export interface ProjectCheck {
  readonly root: string;
  /** Absolute path of its pryx.lock. */
  readonly lock: string;
  readonly files: readonly string[];
  readonly problems: readonly AutomationProblem[];
  /** What pryx.lock does not say as it is, by path from the root. */
  readonly drift: readonly Drift[];
  /** False when pryx.lock names no automation yet. */
  readonly locked: boolean;
  /** True when pryx.lock was written. */
  readonly written: boolean;
}

export interface Drift {
  /** From the project's root. */
  readonly path: string;
  /** As a reviewer reads it. */
  readonly lines: readonly string[];
}

export const commands: readonly Command[] = [defineCommand({
  name: "check",
  summary: "Check automations: types, imports, permissions, and pryx.lock",
  description:
    "Checks *.pryx.ts files without running them: their syntax, what they import, their permissions, and their types, with the TypeScript compiler inside pryx. Without a path: all of the project, except what ignore files name. A problem is printed as file:line:column, on standard output.\n\npryx.lock says of each automation what it may do, and a hash of all its code. --update writes it; --frozen fails on everything that is not as it says, and prints what an automation may do now and could not before. Without either that is only noted. Exits 1 when something is wrong.",
  input: {
    type: "object",
    properties: {
      paths: {
        type: "array",
        items: { type: "string" },
        description: "Automations, or folders with some; all of the project by default",
      },
      update: { type: "boolean", description: "Write pryx.lock as things are now" },
      frozen: { type: "boolean", description: "Fail on what is not as pryx.lock says" },
      format: {
        type: "string",
        enum: ["text", "github"],
        description: "How problems are printed: for people, or as annotations of a GitHub workflow",
        default: "text",
      },
    },
  },
  positionals: ["paths"],
  complete: { paths: "files" },
  examples: [
    { line: "pryx check", note: "Everything in this project" },
    { line: "pryx check release.pryx.ts --update", note: "One file; then pryx.lock says what it may do" },
    {
      line: "pryx check --frozen --format github",
      note: "In CI: fails when what an automation may do has changed",
    },
  ],
  async run(input, ctx) {
    if (input.update && input.frozen) {
      throw new PryxError("usage", "--update and --frozen do not go together", {
        fix: "write the lock with --update; see in CI with --frozen that it holds",
      });
    }
    const checks: ProjectCheck[] = [];
    for (const [root, scope] of await projectsOf(input.paths ?? [], ctx)) {
      ctx.signal.throwIfAborted();
      checks.push(await checkProject(root, scope, input, ctx));
    }
    const failed = checks.some(({ problems, drift }) =>
      problems.some(({ severity }) => severity === "error") || (input.frozen === true && drift.length > 0)
    );
    const view = { cwd: ctx.cwd, frozen: input.frozen === true, update: input.update === true };
    const text = input.format === "github" ? checkGithub(checks, view) : checkText(checks, view);
    return {
      data: { ok: !failed, projects: checks } as unknown as Json,
      text: escapeForDisplay(text),
      exitCode: failed ? EXIT.error : EXIT.done,
    };
  },
})];

/** What is to be checked of one project. */
interface Scope {
  readonly files: Set<string>;
  /** Folders with all that is in them, also what only pryx.lock knows of. */
  readonly folders: Set<string>;
}

/** What is meant, by the root of its project; all of the project here when no path is given. */
async function projectsOf(
  paths: readonly string[],
  ctx: CommandContext,
): Promise<ReadonlyMap<string, Scope>> {
  const automations = await ctx.automations();
  const projects = new Map<string, Scope>();
  const scopeOf = (root: string) => {
    const scope = projects.get(root) ?? { files: new Set(), folders: new Set() };
    projects.set(root, scope);
    return scope;
  };
  const places = paths.length > 0 ? paths : [await automations.rootOf({ text: "", folder: ctx.cwd })];
  for (const path of places) {
    const { real, isFolder } = await placeOf(path, ctx.cwd);
    if (isFolder) scopeOf(await automations.rootOf({ text: "", folder: real })).folders.add(real);
    for (const file of isFolder ? await automations.find(real) : [real]) {
      scopeOf(await automations.rootOf({ file })).files.add(file);
    }
  }
  return projects;
}

async function placeOf(path: string, cwd: string): Promise<{ real: string; isFolder: boolean }> {
  const full = resolve(cwd, path);
  const info = await Deno.stat(full).catch(() => undefined);
  if (info === undefined) {
    throw new PryxError("usage", `There is no file or folder ${path}`, { fix: "check the path" });
  }
  if (!info.isDirectory && !full.endsWith(AUTOMATION_SUFFIX)) {
    throw new PryxError("usage", `${path} is no automation: its name does not end in ${AUTOMATION_SUFFIX}`, {
      fix: "name an automation; what it imports is checked with it",
    });
  }
  return { real: await Deno.realPath(full), isFolder: info.isDirectory };
}

async function checkProject(
  root: string,
  scope: Scope,
  { update }: { readonly update?: boolean },
  outer: CommandContext,
): Promise<ProjectCheck> {
  // Policy and settings are those of the project that a file is in, wherever the check was started.
  const automations = await outer.with({ cwd: root }).automations();
  const lock = await automations.readLock(join(root, "pryx.lock"));
  const gone: string[] = [];
  const files = new Set(scope.files);
  for (const path of lock.entries.keys()) {
    const file = join(root, path);
    if (files.has(file)) continue;
    if (!await isIn(root, file, automations)) gone.push(path);
    else if ([...scope.folders].some((folder) => isBelow(file, folder))) files.add(file);
  }
  const sorted = [...files].sort();
  const problems = await automations.check(sorted, { signal: outer.signal });
  const entries = new Map(lock.entries);
  const drift: Drift[] = [];
  for (const file of sorted) {
    const graph = await graphOf(file, automations);
    if (!graph) continue;
    const lines = automations.describeDrift(graph, lock.entries.get(graph.entry));
    if (lines.length > 0) drift.push({ path: graph.entry, lines });
    entries.set(graph.entry, { graph: graph.hash, permissions: graph.permissions ?? {}, api: API_VERSION });
  }
  for (const path of gone) {
    drift.push({ path, lines: [`${path} is not there any more`] });
    entries.delete(path);
  }
  const wrong = problems.some(({ severity }) => severity === "error");
  const written = update === true && !wrong && drift.length > 0;
  if (written) await automations.writeLock({ file: lock.file, entries });
  return { root, lock: lock.file, files: sorted, problems, drift, locked: lock.entries.size > 0, written };
}

/** Undefined when it cannot be linked: that is said among the problems. */
async function graphOf(file: string, automations: Automations): Promise<LinkedGraph | undefined> {
  try {
    const linking = await automations.link({ file });
    return "graph" in linking ? linking.graph : undefined;
  } catch (error) {
    if (error instanceof PryxError && error.code !== "cancelled") return undefined;
    throw error;
  }
}

/** Whether an automation that a lock names is there, and of that project. */
async function isIn(root: string, file: string, automations: Automations): Promise<boolean> {
  try {
    return await automations.rootOf({ file }) === root;
  } catch (error) {
    if (error instanceof PryxError && error.code === "not_found") return false;
    throw error;
  }
}

function isBelow(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== "" && way !== ".." && !way.startsWith(`..${sep}`);
}
