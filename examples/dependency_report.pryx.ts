#!/usr/bin/env -S pryx run
/**
 * What could be newer: reads `package.json` and `deno.json` and asks an index of npm packages for the latest versions.
 *
 *     pryx run dependency_report.pryx.ts                       # a table
 *     pryx run dependency_report.pryx.ts --json | jq '.[].name'
 *     pryx run dependency_report.pryx.ts --fail-on major       # for CI
 *
 * To learn from it: the manifest names the one host, so nothing of the project can go anywhere else; a package that cannot be
 * asked for is a row of the report and does not end it. For an index of your own change the two lines below together.
 */
import { args, exit, fs, http, HttpError, log, parallel, type Permissions, PryxError, ui } from "pryx";
import { dependenciesOf, type Difference, difference, lowest } from "./_versions.ts";

const REGISTRY = "https://data.jsdelivr.com";
export const permissions = {
  read: ["package.json", "deno.json"],
  net: ["data.jsdelivr.com"],
} satisfies Permissions;

interface Row {
  readonly name: string;
  readonly wanted: string;
  /** Null where it could not be found out. */
  readonly latest: string | null;
  readonly difference: Difference | "unknown";
  readonly file: string;
  readonly problem?: string;
}

const options = args.declare({
  description: "Reports dependencies that could be newer.",
  flags: {
    json: { type: "boolean", description: "JSON instead of a table" },
    all: { type: "boolean", description: "Those that are up to date, too" },
    failOn: { type: "string", choices: ["major", "minor", "patch", "never"], default: "never" },
  },
});

const found: { name: string; wanted: string; file: string }[] = [];
for (const file of ["package.json", "deno.json"]) {
  if (!await fs.exists(file)) continue;
  for (const one of dependenciesOf(await fs.readJson(file))) found.push({ ...one, file });
}
if (found.length === 0) {
  throw new PryxError("There are no dependencies in package.json or deno.json", { code: "not_found" });
}

const names = [...new Set(found.map(({ name }) => name))];
using progress = ui.progress("Packages", names.length);
const answers = new Map(
  await parallel(names, async (name) => {
    const answer = await latestOf(name);
    progress.update();
    return [name, answer] as const;
  }, { limit: 8 }),
);
progress.end();

const rows = found.map(({ name, wanted, file }): Row => {
  const answer = answers.get(name) ?? { problem: "was not asked for" };
  if ("problem" in answer) return { name, wanted, latest: null, difference: "unknown", file, ...answer };
  return { name, wanted, latest: answer.latest, difference: difference(lowest(wanted), answer.latest), file };
});
const ORDER: readonly Row["difference"][] = ["major", "minor", "patch", "unknown", "none"];
rows.sort((a, b) => ORDER.indexOf(a.difference) - ORDER.indexOf(b.difference) || (a.name < b.name ? -1 : 1));
const shown = options.all ? rows : rows.filter((row) => row.difference !== "none");

if (options.json) console.log(JSON.stringify(shown, null, 2));
else if (shown.length > 0) {
  ui.table(shown.map(({ problem, latest, ...row }) => ({ ...row, latest: latest ?? problem })), [
    "name",
    "wanted",
    "latest",
    "difference",
    "file",
  ]);
}
const newer = rows.filter((row) => ["major", "minor", "patch"].includes(row.difference));
log.info(`${rows.length} dependencies, ${newer.length} could be newer`);

const limit = options.failOn === "never" ? -1 : ORDER.indexOf(options.failOn);
const over = rows.filter((row) => ORDER.indexOf(row.difference) <= limit);
if (over.length > 0) {
  log.error(`${over.length} dependencies are a ${options.failOn} version or more behind`);
  exit(1);
}

/** The version that has the tag `latest`. */
async function latestOf(name: string): Promise<{ readonly latest: string } | { readonly problem: string }> {
  try {
    const { version } = await http.json<{ version?: string | null }>(
      `${REGISTRY}/v1/packages/npm/${name}/resolved?specifier=latest`,
    );
    return version === undefined || version === null
      ? { problem: "has no latest version" }
      : { latest: version };
  } catch (error) {
    if (error instanceof HttpError) {
      return { problem: error.status === 404 ? "not there" : `HTTP ${error.status}` };
    }
    throw error;
  }
}
