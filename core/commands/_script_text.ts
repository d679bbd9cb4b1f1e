import type { Permissions } from "../domain/automation.ts";
import type { Need } from "../domain/need.ts";
import type { ScriptStep } from "./_script_calls.ts";
import { manifestOf } from "./_script_manifest.ts";
import { type ScriptLine, translate } from "./_script_steps.ts";
import { oneLine } from "./_session_text.ts";

/** An automation that does what a session did. */
export interface Script {
  readonly code: string;
  readonly permissions: Permissions;
  /** Its calls, in order. */
  readonly lines: readonly ScriptLine[];
  /** What of the session is not in it, and why: one sentence each. */
  readonly leftOut: readonly string[];
}

/** Columns of a comment, and lines that are kept of what was said. */
const WIDTH = 100;
const MAX_SAID = 12;

/** `title`: what the session is about, for its first line. */
export function scriptOf(
  steps: readonly ScriptStep[],
  { title, session, root }: { readonly title: string; readonly session: string; readonly root: string },
): Script {
  const body: string[] = [];
  const lines: ScriptLine[] = [];
  const leftOut: string[] = [];
  const needs: Need[] = [];
  const leave = (what: string) => {
    leftOut.push(what);
    body.push(...comment(`Left out: ${what}`));
  };
  for (const step of steps) {
    switch (step.kind) {
      case "said":
        if (body.length > 0) body.push("");
        body.push(...comment(step.who === "person" ? `Asked: ${step.text}` : step.text));
        break;
      case "undone":
        leave(`${step.tool} ${oneLine(step.title, 80)}: it was ${step.why}`);
        break;
      case "call": {
        // A command that fails is an answer; anything else that did would only fail again.
        if (step.failed && (step.tool !== "shell" || step.exitCode === null)) {
          leave(`${step.tool} ${oneLine(step.title, 80)}: it failed (${oneLine(step.text, 120)})`);
          break;
        }
        const line = translate(step);
        lines.push(line);
        needs.push(...step.needs);
        if (step.failed) body.push(`// It ended with exit code ${step.exitCode}.`);
        body.push(line.code);
      }
    }
  }
  const permissions = manifestOf(needs, root);
  const uses = [...new Set(lines.map(({ uses }) => uses))].sort();
  const head = [
    "#!/usr/bin/env -S pryx run",
    ...comment(`${oneLine(title, 200)} (made from session ${session})`),
    ...(uses.length > 0 ? [`import { ${uses.join(", ")} } from "pryx";`] : []),
    "",
    ...(Object.keys(permissions).length > 0 ? [manifestText(permissions), ""] : []),
  ];
  return { code: `${[...head, ...body].join("\n")}\n`, permissions, lines, leftOut };
}

function manifestText(permissions: Permissions): string {
  const kinds = Object.entries(permissions).map(([kind, patterns]) => {
    const words = patterns.map((pattern) => JSON.stringify(pattern));
    const one = `  ${kind}: [${words.join(", ")}],`;
    return one.length <= WIDTH ? one : `  ${kind}: [\n${words.map((word) => `    ${word},\n`).join("")}  ],`;
  });
  return `export const permissions = {\n${kinds.join("\n")}\n};`;
}

function comment(text: string): string[] {
  const lines = text.trim().split("\n").flatMap(wrapped);
  const kept = lines.length > MAX_SAID ? [...lines.slice(0, MAX_SAID), "…"] : lines;
  return kept.map((line) => `// ${line}`.trimEnd());
}

/** A line of text in lines of comments. Nothing in it can end one. */
function wrapped(line: string): string[] {
  const words = line.replace(/[\p{Cc}\u2028\u2029]+/gu, " ").trimEnd().split(" ");
  const lines = [""];
  for (const word of words) {
    const last = lines.at(-1) ?? "";
    if (last !== "" && last.length + word.length + 4 > WIDTH) lines.push(word);
    else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
  }
  return lines;
}
