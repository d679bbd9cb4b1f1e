/** From the worst on. */
export const LEVELS = ["error", "warning", "info", "debug"] as const;
export type Level = (typeof LEVELS)[number];

/** Lines that differ only in their values. */
export interface Shape {
  /** The line, with `<number>`, `<address>`, … for what varies. */
  readonly shape: string;
  readonly level: Level;
  readonly count: number;
  /** Where it came first, from 1. */
  readonly first: number;
}

/** What varies, from the most particular on. */
const VALUES: readonly (readonly [RegExp, string])[] = [
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, "<uuid>"],
  [/\b(?:https?|postgres|redis|amqp):\/\/[^\s"'<>]+/gi, "<url>"],
  [/\b[\w.+-]+@[\w-]+\.[\w.-]+\b/g, "<mail>"],
  [/\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b/g, "<address>"],
  [/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.){3,}'/g, "<text>"],
  [/(?<![\w<])(?:\/[\w.@-]+){2,}/g, "<path>"],
  [/\b(?:0x)?(?=[0-9a-f]*\d)[0-9a-f]{8,}\b/gi, "<hex>"],
  [/(?<![\w<])[-+]?\d+(?:[.,]\d+)*(?=\b|[a-z%]{1,2}\b)/gi, "<number>"],
];
const TIME =
  /^[\[(]?(?:\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*|\w{3} +\d{1,2} \d\d:\d\d:\d\d|\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d[^\]]*)[\])]?\s*/;

/** Shapes of lines, the worst level first, then the most frequent. Empty lines are none. */
export function cluster(lines: Iterable<string>): Shape[] {
  const found = new Map<string, { level: Level; count: number; first: number }>();
  let number = 0;
  for (const line of lines) {
    number++;
    if (line.trim() === "") continue;
    const shape = shapeOf(line);
    const known = found.get(shape);
    if (known) known.count++;
    else found.set(shape, { level: levelOf(line), count: 1, first: number });
  }
  return [...found].map(([shape, rest]) => ({ shape, ...rest })).sort((a, b) =>
    LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level) || b.count - a.count || a.first - b.first
  );
}

/** Without its time, and with names for its values. */
export function shapeOf(line: string): string {
  const text = line.trim().replace(TIME, "").slice(0, 500);
  return VALUES.reduce((shape, [value, name]) => shape.replaceAll(value, name), text);
}

function levelOf(line: string): Level {
  if (
    /\b(?:fatal|critical|crit|panic|error|err|exception|traceback|severe)\b|\w(?:Error|Exception)\b/i.test(
      line,
    )
  ) {
    return "error";
  }
  if (/\bwarn(?:ing)?\b/i.test(line)) return "warning";
  return /\b(?:debug|trace)\b/i.test(line) ? "debug" : "info";
}
