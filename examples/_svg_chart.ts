/** What is drawn. */
export interface Chart {
  readonly kind: "line" | "bar";
  readonly title: string;
  /** Along the x axis. */
  readonly labels: readonly string[];
  /** One value a label; null where there is none. */
  readonly series: readonly { readonly name: string; readonly values: readonly (number | null)[] }[];
}

const WIDTH = 800;
const HEIGHT = 450;
const MARGIN = { top: 84, right: 24, bottom: 56, left: 72 };
const PLOT = { width: WIDTH - MARGIN.left - MARGIN.right, height: HEIGHT - MARGIN.top - MARGIN.bottom };
/** Okabe and Ito's colours: apart for people who see colours otherwise, too. */
const COLOURS = ["#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#999999"];
/** Pixels that a character of a label takes, about. */
const CHARACTER = 7;

/** A chart as an SVG document, readable on light and dark pages. Values are in `<title>`: they show under the pointer. */
export function renderChart({ kind, title, labels, series }: Chart): string {
  const values = series.flatMap((one) => one.values).filter((value) => value !== null);
  const ticks = niceTicks(Math.min(0, ...values), Math.max(0, ...values));
  const low = ticks[0] ?? 0;
  const high = ticks.at(-1) ?? 1;
  const y = (value: number) => round(MARGIN.top + PLOT.height * (1 - (value - low) / (high - low)));
  const step = PLOT.width / labels.length;
  const x = (index: number) => round(MARGIN.left + step * (index + 0.5));
  const colour = (index: number) => COLOURS[index % COLOURS.length] ?? "";

  const draw = kind === "bar"
    ? series.map((one, at) => bars(one, at, series.length, { x, y, step, labels }))
    : series.map((one) => lines(one, { x, y, labels }));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" font-family="system-ui, sans-serif" font-size="12">`,
    `<title>${escape(title)}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    `<text x="${MARGIN.left}" y="34" font-size="18" font-weight="600" fill="#1b1b1b">${escape(title)}</text>`,
    ...legend(series.map(({ name }) => name), colour),
    ...ticks.map((tick) => {
      const at = y(tick);
      const line = `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${at}" y2="${at}" stroke="${
        tick === 0 ? "#666666" : "#e3e3e3"
      }"/>`;
      return `${line}<text x="${MARGIN.left - 10}" y="${at + 4}" text-anchor="end" fill="#555555">${
        shown(tick)
      }</text>`;
    }),
    ...xLabels(labels, x, step),
    ...draw.map((marks, at) => `<g fill="${colour(at)}" stroke="${colour(at)}">${marks}</g>`),
    "</svg>",
    "",
  ].join("\n");
}

interface Scale {
  x(index: number): number;
  y(value: number): number;
  readonly labels: readonly string[];
}

function bars(
  { name, values }: Chart["series"][number],
  at: number,
  of: number,
  { x, y, step, labels }: Scale & { readonly step: number },
): string {
  const group = step * 0.76;
  const width = group / of;
  return values.map((value, index) => {
    if (value === null) return "";
    const left = round(x(index) - group / 2 + width * at);
    const top = Math.min(y(value), y(0));
    const height = round(Math.abs(y(value) - y(0)));
    return `<rect x="${left}" y="${top}" width="${round(width * 0.94)}" height="${height}" stroke="none">` +
      `<title>${escape(`${labels[index]}: ${name} ${shown(value)}`)}</title></rect>`;
  }).join("");
}

function lines({ name, values }: Chart["series"][number], { x, y, labels }: Scale): string {
  let pen = "M";
  const path = values.map((value, index) => {
    const part = value === null ? "" : `${pen}${x(index)} ${y(value)}`;
    // A gap in the numbers is a gap in the line.
    pen = value === null ? "M" : "L";
    return part;
  }).join("");
  const points = values.map((value, index) =>
    value === null ? "" : `<circle cx="${x(index)}" cy="${y(value)}" r="3.5" stroke="#ffffff">` +
      `<title>${escape(`${labels[index]}: ${name} ${shown(value)}`)}</title></circle>`
  );
  return `<path d="${path}" fill="none" stroke-width="2.5" stroke-linejoin="round"/>${points.join("")}`;
}

function legend(names: readonly string[], colour: (index: number) => string): string[] {
  let left = MARGIN.left;
  return names.map((name, at) => {
    const mark = `<rect x="${left}" y="50" width="12" height="12" rx="2" fill="${colour(at)}"/>`;
    const text = `<text x="${left + 18}" y="60.5" fill="#1b1b1b">${escape(name)}</text>`;
    left += 18 + name.length * CHARACTER + 22;
    return mark + text;
  });
}

/** As many as fit, the first among them. */
function xLabels(labels: readonly string[], x: (index: number) => number, step: number): string[] {
  const longest = Math.max(...labels.map((label) => label.length)) * CHARACTER + 10;
  const every = Math.max(1, Math.ceil(longest / step));
  return labels.flatMap((label, index) =>
    index % every !== 0 ? [] : [
      `<text x="${x(index)}" y="${HEIGHT - MARGIN.bottom + 24}" text-anchor="middle" fill="#555555">${
        escape(label)
      }</text>`,
    ]
  );
}

/** Round numbers around everything from `low` to `high`, four to nine of them. */
export function niceTicks(low: number, high: number): number[] {
  const span = high > low ? high - low : 1;
  const rough = span / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.floor(low / step);
  const last = Math.ceil(Math.max(high, low + span) / step);
  return Array.from(
    { length: last - first + 1 },
    (_, index) => Number(((first + index) * step).toPrecision(12)),
  );
}

/** `12,500`; `0.25`. */
function shown(value: number): string {
  const [whole = "", part] = String(Number(value.toPrecision(12))).split(".");
  const grouped = whole.replaceAll(/\B(?=(?:\d{3})+$)/g, ",");
  return part === undefined ? grouped : `${grouped}.${part}`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
