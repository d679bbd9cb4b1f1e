import type { AutomationProblem } from "../../core/domain/automation.ts";
import { checkTypes } from "../../core/automation/check.ts";

/** Files of a project that is nowhere, by path below its root. */
export type Project = Readonly<Record<string, string>>;

const ROOT = "/project";

/** What is wrong with `job.pryx.ts` and what it imports; paths from the project's root. */
export async function problemsOf(
  project: Project | string,
  entries: readonly string[] = ["job.pryx.ts"],
): Promise<AutomationProblem[]> {
  const files = typeof project === "string" ? { "job.pryx.ts": project } : project;
  const problems = await checkTypes(entries.map((path) => `${ROOT}/${path}`), {
    read: (path) => Promise.resolve(files[path.slice(ROOT.length + 1)]),
  });
  return problems.map((one) => ({ ...one, file: one.file.slice(ROOT.length + 1) }));
}

/** The same, each as `job.pryx.ts:3:5 TS2322`. */
export async function placesOf(project: Project | string, entries?: readonly string[]): Promise<string[]> {
  const problems = await problemsOf(project, entries);
  return problems.map(({ file, line, column, code }) => `${file}:${line}:${column} ${code}`);
}
