import { assert, test } from "pryx";
import { parseCsv } from "./_csv.ts";
import { niceTicks, renderChart } from "./_svg_chart.ts";

test("parseCsv() reads quotes, line ends of all systems, and other separators", () => {
  const { columns, rows } = parseCsv('name;"price; net"\r\n"a ""b""";1\r\n\r\nc\r\n');
  assert.equal(columns, ["name", "price; net"]);
  assert.equal(rows, [{ name: 'a "b"', "price; net": "1" }, { name: "c", "price; net": "" }]);
});

test("niceTicks() are round, and hold everything", () => {
  assert.equal(niceTicks(0, 97), [0, 20, 40, 60, 80, 100]);
  assert.equal(niceTicks(-3, 7), [-4, -2, 0, 2, 4, 6, 8]);
  assert.equal(niceTicks(0, 0), [0, 0.2, 0.4, 0.6, 0.8, 1]);
});

test("renderChart() escapes what stands in the table, and leaves gaps", () => {
  const chart = { kind: "line", title: "<b>&", labels: ["1", "2", "3"] } as const;
  const svg = renderChart({ ...chart, series: [{ name: "a", values: [1, null, 3] }] });
  assert.match(svg, /<title>&lt;b&gt;&amp;<\/title>/);
  assert.equal(svg.match(/<circle/g)?.length, 2);
  assert.equal(svg.match(/d="(M[^"]*M[^"]*)"/)?.length, 2);
});
