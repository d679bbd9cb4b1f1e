import assert from "node:assert/strict";
import { builtPryx } from "../support/built_pryx.ts";
import { runExample, withExamples } from "./_project.ts";

Deno.test("csv_chart draws every column of numbers, and bars of those that are named", async () => {
  await using pryx = await builtPryx();
  await withExamples(pryx);
  const line = await runExample(pryx, "csv_chart", ["data/sales.csv"]);
  assert.equal(line.code, 0, line.stderr);
  assert.match(line.stderr, /Wrote data\/sales\.svg: north, south, online by month, 12 rows/);
  const svg = await pryx.read("data/sales.svg");
  assert.equal(svg.match(/<path /g)?.length, 3);
  assert.equal(svg.match(/<circle /g)?.length, 36);
  assert.match(svg, /<title>Dec: online 22,600<\/title>/);

  const args = [
    "data/sales.csv",
    "--type=bar",
    "--y",
    "north",
    "--y",
    "south",
    "-o",
    "out.svg",
    "--title",
    "A & B",
  ];
  const bar = await runExample(pryx, "csv_chart", args);
  assert.equal(bar.code, 0, bar.stderr);
  const bars = await pryx.read("out.svg");
  assert.equal(bars.match(/stroke="none"/g)?.length, 24);
  assert.match(bars, /<title>A &amp; B<\/title>/);
});

Deno.test("csv_chart says what is wrong with the table, and writes no file that its manifest has not", async () => {
  await using pryx = await builtPryx();
  await withExamples(pryx);
  await pryx.write("bad.csv", "day,price\nMon,1\nTue,cheap\n");
  const elsewhereStanding = await pryx.run([
    "run",
    "--frozen",
    "--allow-locked",
    "--lock",
    "../pryx.lock",
    "../csv_chart.pryx.ts",
    "sales.csv",
  ], {
    cwd: `${pryx.workspace}/data`,
  });
  assert.equal(elsewhereStanding.code, 0, elsewhereStanding.stderr);
  assert.match(await pryx.read("data/sales.svg"), /<svg/);
  const missing = await runExample(pryx, "csv_chart", ["data/sales.csv", "--y", "nroth"]);
  assert.equal(missing.code, 2);
  assert.match(missing.stderr, /has no column "nroth"[\s\S]*its columns are month, north, south, online/);
  const words = await runExample(pryx, "csv_chart", ["bad.csv", "--y", "price"]);
  assert.equal(words.code, 2);
  assert.match(words.stderr, /"cheap" in column price, row 3, is no number/);
  const elsewhere = await runExample(pryx, "csv_chart", ["data/sales.csv", "-o", "chart.html"]);
  assert.equal(elsewhere.code, 3);
  assert.equal((await runExample(pryx, "csv_chart")).code, 2);
});
