import { relative } from "node:path";
import type { AutomationProblem } from "../domain/automation.ts";
import type { ProjectCheck } from "./check.ts";
import { describeProblem } from "./_run_automation.ts";
import { count } from "./_session_text.ts";

interface View {
  /** Paths are shown from here. */
  readonly cwd: string;
  /** Drift is an error, not a note. */
  readonly frozen: boolean;
  /** The lock was to be written. */
  readonly update: boolean;
}

/** For people, as compilers write it: a problem a line, then what is not as locked, then the sum. */
export function checkText(checks: readonly ProjectCheck[], view: View): string {
  const problems = checks.flatMap(({ problems }) => problems).map((one) =>
    describeProblem(one, view.cwd).split("\n").join("\n  ")
  );
  const parts = [problems, ...checks.map((one) => driftLines(one, view)), [summary(checks, view)]];
  return parts.filter((lines) => lines.length > 0).map((lines) => lines.join("\n")).join("\n\n");
}

function driftLines(check: ProjectCheck, view: View): string[] {
  const { drift, written } = check;
  const name = shown(check.lock, view.cwd);
  if (drift.length === 0) return [];
  if (!view.frozen && !written) return [noted(check, view)];
  return [
    written ? `${name} is written. What is new in it:` : `${name} does not say what is here:`,
    ...drift.flatMap(({ lines }) => lines.map((line) => `  ${line}`)),
    ...(written ? [] : ["Review it, then accept it with: pryx check --update"]),
  ];
}

function noted({ drift, lock, locked }: ProjectCheck, { cwd, update }: View): string {
  const name = shown(lock, cwd);
  if (update) return `${name} is not written: there are errors`;
  if (!locked) return `${name} names no automation yet: write it with --update`;
  const not = drift.length === 1 ? "is" : "are";
  return `${
    count(drift.length, "automation")
  } ${not} not as ${name} says: see how with --frozen, write it with --update`;
}

function summary(checks: readonly ProjectCheck[], { frozen }: View): string {
  const files = checks.reduce((sum, { files }) => sum + files.length, 0);
  const problems = checks.flatMap(({ problems }) => problems);
  const errors = problems.filter(({ severity }) => severity === "error").length;
  const drift = frozen ? checks.reduce((sum, { drift }) => sum + drift.length, 0) : 0;
  const wrong = [
    ...(errors > 0 ? [count(errors, "error")] : []),
    ...(problems.length > errors ? [count(problems.length - errors, "warning")] : []),
    ...(drift > 0 ? [`${drift} not as locked`] : []),
  ];
  const checked = files === 0 ? "There are no automations here" : `${count(files, "automation")} checked`;
  return wrong.length > 0
    ? `${checked}: ${wrong.join(", ")}`
    : files === 0
    ? checked
    : `${checked}: all is well`;
}

/**
 * As commands of a GitHub workflow, which makes annotations of them.
 * https://docs.github.com/actions/reference/workflow-commands-for-github-actions
 */
export function checkGithub(checks: readonly ProjectCheck[], view: View): string {
  const lines = checks.flatMap((check) => [
    ...check.problems.map((one) => annotation(one, view.cwd)),
    ...driftAnnotations(check, view),
  ]);
  return [...lines, summary(checks, view)].join("\n");
}

function annotation(
  { file, line, column, severity, code, message, fix }: AutomationProblem,
  cwd: string,
): string {
  const text = fix === undefined ? message : `${message}\nFix: ${fix}`;
  return workflowCommand(
    severity,
    { file: shown(file, cwd), line, col: column, title: `pryx ${code}` },
    text,
  );
}

function driftAnnotations(check: ProjectCheck, view: View): string[] {
  const { drift, written } = check;
  const file = shown(check.lock, view.cwd);
  if (drift.length === 0 || written) return [];
  if (!view.frozen) return [workflowCommand("notice", { file, title: "pryx.lock" }, noted(check, view))];
  return drift.map(({ lines }) => workflowCommand("error", { file, title: "pryx.lock" }, lines.join("\n")));
}

function workflowCommand(
  name: string,
  properties: Readonly<Record<string, string | number>>,
  message: string,
): string {
  const listed = Object.entries(properties).map(([key, value]) => `${key}=${escapeProperty(String(value))}`);
  return `::${name} ${listed.join(",")}::${escapeMessage(message)}`;
}

/** A message ends with its line. */
function escapeMessage(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeMessage(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}

/** From `cwd` when it is below. */
function shown(path: string, cwd: string): string {
  const short = relative(cwd, path);
  return short === "" || short.startsWith("..") ? path : short;
}
