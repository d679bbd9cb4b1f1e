#!/usr/bin/env -S pryx run
/**
 * Reads a log for you: puts lines of the same shape together, counts them, and asks the agent what is behind the worst.
 *
 *     pryx run log_triage.pryx.ts data/app.log
 *     journalctl -u app | pryx run log_triage.pryx.ts --top 10
 *     pryx run log_triage.pryx.ts data/app.log --offline      # shapes and counts alone, without the agent
 *
 * Ends 1 when something is as bad as `--fail-on` says.
 *
 * `args.path` reads `file` from where you stand; everything else is relative to the project.
 *
 * To learn from it: what a program can do, the program does, and the agent gets the little that is left. It sees shapes
 * (`user <number> from <address>`), never a line with what stood in it: names and tokens stay here.
 */
import { agent, args, exit, fs, log, type Permissions, PryxError, stdin, ui } from "pryx";
import { cluster, LEVELS } from "./_log_shapes.ts";

export const permissions = {
  read: ["**/*.log"],
  use: ["agent"],
} satisfies Permissions;

const SEVERITIES = ["low", "medium", "high", "critical"] as const;

const options = args.declare({
  description: "Groups the lines of a log by shape, and names causes of the worst.",
  positional: ["[file]"],
  flags: {
    top: { type: "number", default: 5, short: "n", description: "How many shapes the agent looks at" },
    offline: { type: "boolean", description: "Without the agent: errors count as high, warnings as medium" },
    failOn: { type: "string", choices: [...SEVERITIES, "never"], default: "high" },
    json: { type: "boolean", description: "JSON instead of a report" },
  },
});
const [file] = options.positional;
const text = file === undefined ? await stdin() : await fs.read(args.path(file));
if (text.trim() === "") {
  throw new PryxError("There are no lines to look at", {
    code: "input_invalid",
    fix: "name a file, or pipe a log in",
  });
}

const shapes = cluster(text.split("\n"));
// Errors first, then what is there most.
const worst = shapes.filter(({ level }) => level !== "info" && level !== "debug").slice(0, options.top);
const findings = options.offline || worst.length === 0 ? worst.map(plain) : await ask();
const report = worst.map((shape, index) => {
  const { severity = "low", cause = "", next = "" } = findings.find((one) => one.shape === index + 1) ?? {};
  return {
    severity,
    count: shape.count,
    level: shape.level,
    shape: shape.shape,
    first: shape.first,
    cause,
    next,
  };
}).toSorted((a, b) => SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity) || b.count - a.count);

if (options.json) console.log(JSON.stringify(report, null, 2));
else {
  const lines = shapes.reduce((sum, { count }) => sum + count, 0);
  ui.table(LEVELS.map((level) => {
    const of = shapes.filter((shape) => shape.level === level);
    return { level, lines: of.reduce((sum, { count }) => sum + count, 0), shapes: of.length };
  }));
  console.log(`\n${lines} lines of ${shapes.length} shapes\n`);
  for (const { severity, count, shape, first, cause, next } of report) {
    console.log(`${severity.toUpperCase()}  ${count}×  ${shape}\n    first in line ${first}`);
    if (cause !== "") console.log(`    cause: ${cause}\n    next:  ${next}`);
  }
}

const limit = options.failOn === "never" ? SEVERITIES.length : SEVERITIES.indexOf(options.failOn);
const bad = report.filter(({ severity }) => SEVERITIES.indexOf(severity) >= limit);
if (bad.length > 0) {
  log.error(`${bad.length} of ${report.length} shapes are ${options.failOn} or worse`);
  exit(1);
}

function plain({ level }: (typeof worst)[number], index: number) {
  return {
    shape: index + 1,
    severity: level === "error" ? "high" as const : "medium" as const,
    cause: "",
    next: "",
  };
}

async function ask() {
  log.info(`Asking about ${worst.length} shapes`);
  const { findings } = await agent.ask(
    "These are the worst shapes of lines in a log, with how often each came. For each: how severe is it, what is the most " +
      "likely cause, and what should be looked at next? Shapes can have one cause together: say so.",
    {
      context: worst.map(({ level, count, shape }, index) => `${index + 1}. [${level}, ${count}×] ${shape}`)
        .join("\n"),
      tools: [],
      schema: {
        type: "object",
        properties: {
          findings: {
            type: "array",
            items: {
              type: "object",
              properties: {
                shape: { type: "integer", description: "Its number in the list" },
                severity: { type: "string", enum: SEVERITIES },
                cause: { type: "string", description: "One sentence" },
                next: { type: "string", description: "What to look at, one sentence" },
              },
              required: ["shape", "severity", "cause", "next"],
            },
          },
        },
        required: ["findings"],
      },
    },
  );
  return findings;
}
