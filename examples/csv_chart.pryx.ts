#!/usr/bin/env -S pryx run
/**
 * A chart from a table: CSV in, SVG out.
 *
 *     pryx run csv_chart.pryx.ts data/sales.csv                              # first column along x, a line for each other one
 *     pryx run csv_chart.pryx.ts data/sales.csv --type bar --y north --y south --out sales.svg
 *
 * To learn from it: everything is computed here, so the manifest has files and nothing else; the two modules beside this file
 * have no power of their own, and are tested without any (csv_chart.test.pryx.ts).
 */
import { args, fs, log, type Permissions, PryxError } from "pryx";
import { parseCsv, type Table } from "./_csv.ts";
import { renderChart } from "./_svg_chart.ts";

export const permissions = {
  read: ["**/*.csv"],
  write: ["**/*.svg"],
} satisfies Permissions;

const options = args.declare({
  description: "Draws a bar or line chart of a CSV file, as SVG.",
  positional: ["file"],
  flags: {
    type: { type: "string", choices: ["line", "bar"], default: "line", description: "What is drawn" },
    x: { type: "string", description: "Column along the x axis; the first one by default" },
    y: { type: "strings", description: "Column with numbers; all others by default" },
    title: { type: "string", description: "Stands above the chart; the file's name by default" },
    out: { type: "string", short: "o", description: "Where to write it; beside the CSV file by default" },
  },
});
const [file = ""] = options.positional;
const out = options.out ?? file.replace(/\.csv$/i, "") + ".svg";

const table = parseCsv(await fs.read(args.path(file)));
const x = options.x ?? table.columns[0] ?? "";
const y = options.y.length > 0 ? options.y : table.columns.filter((name) => name !== x && isNumeric(name));
for (const name of [x, ...y]) {
  if (table.columns.includes(name)) continue;
  throw new PryxError(`${file} has no column "${name}"`, {
    code: "input_invalid",
    fix: `its columns are ${table.columns.join(", ")}`,
  });
}
if (table.rows.length === 0 || y.length === 0) {
  throw new PryxError(`${file} has no numbers to draw`, {
    code: "input_invalid",
    fix: "name columns with --y",
  });
}

await fs.write(
  args.path(out),
  renderChart({
    kind: options.type,
    title: options.title ?? file.replace(/^.*\//, "").replace(/\.csv$/i, ""),
    labels: table.rows.map((row) => row[x] ?? ""),
    series: y.map((name) => ({
      name,
      values: table.rows.map((row, at) => toNumber(row[name] ?? "", name, at)),
    })),
  }),
);
log.info(`Wrote ${out}: ${y.join(", ")} by ${x}, ${table.rows.length} rows`);

function isNumeric(name: string): boolean {
  const { rows }: Table = table;
  return rows.some((row) => row[name] !== "") &&
    rows.every((row) => !Number.isNaN(Number(clean(row[name] ?? ""))));
}

/** Null for an empty cell: a gap in the line. */
function toNumber(text: string, column: string, row: number): number | null {
  if (text.trim() === "") return null;
  const value = Number(clean(text));
  if (Number.isFinite(value)) return value;
  throw new PryxError(`${file}: "${text}" in column ${column}, row ${row + 2}, is no number`, {
    code: "input_invalid",
  });
}

/** Without what people write into numbers: spaces, thousands' commas, units of money, a percent sign. */
function clean(text: string): string {
  return text.replaceAll(/[\s$€£%]|,(?=\d{3}(?:\D|$))/g, "");
}
