/** A part of a text that is to be replaced, and by what. Offsets in UTF-16 units, the end exclusive. */
export interface Replacement {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Every place where `wanted` stands exactly, without overlaps. */
export function findExact(text: string, wanted: string, replacement: string): Replacement[] {
  const found: Replacement[] = [];
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length)) {
    found.push({ start: at, end: at + wanted.length, text: replacement });
  }
  return found;
}

/**
 * Every place where the lines of `wanted` stand when white space around each line is not counted. What replaces them is
 * indented as the file is. Texts have `\n` alone as line end.
 */
export function findTolerant(text: string, wanted: string, replacement: string): Replacement[] {
  const endsLine = wanted.endsWith("\n");
  const old = splitLines(wanted);
  const keys = old.map((line) => line.trim());
  if (keys.every((key) => key === "")) return [];
  const lines = text.split("\n");
  const trimmed = lines.map((line) => line.trim());
  const starts = lineStarts(lines);
  const found: Replacement[] = [];
  for (let i = 0; i + keys.length <= lines.length; i++) {
    if (!keys.every((key, k) => trimmed[i + k] === key)) continue;
    const matched = lines.slice(i, i + keys.length);
    const start = starts[i] ?? 0;
    const end = start + matched.join("\n").length;
    const atEnd = i + keys.length === lines.length;
    found.push({
      start,
      end: endsLine && !atEnd ? end + 1 : end,
      text: reindent(endsLine && atEnd ? replacement.replace(/\n$/, "") : replacement, old, matched),
    });
    i += keys.length - 1;
  }
  return found;
}

function splitLines(text: string): string[] {
  return (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n");
}

function lineStarts(lines: readonly string[]): number[] {
  let at = 0;
  return lines.map((line) => {
    const start = at;
    at += line.length + 1;
    return start;
  });
}

function indentOf(line: string): string {
  return /^[ \t]*/.exec(line)?.[0] ?? "";
}

/** Moves `replacement`, written beside `old`, to where the file has `matched`: the same lines, indented its way. */
function reindent(replacement: string, old: readonly string[], matched: readonly string[]): string {
  const seen = new Map<string, string>();
  old.forEach((line, i) => {
    if (line.trim() !== "" && !seen.has(indentOf(line))) seen.set(indentOf(line), indentOf(matched[i] ?? ""));
  });
  const known = [...seen].sort(([a], [b]) => b.length - a.length);
  const unit = stepOf([...seen.keys()]);
  const fileUnit = matched.some((line) => line.startsWith("\t")) ? "\t" : stepOf([...seen.values()]);
  return replacement.split("\n").map((line) => {
    if (line.trim() === "") return "";
    const indent = indentOf(line);
    return placeIndent(indent, known, unit, fileUnit) + line.slice(indent.length);
  }).join("\n");
}

function placeIndent(
  indent: string,
  known: readonly (readonly [string, string])[],
  unit: string,
  fileUnit: string,
): string {
  const base = known.find(([from]) => indent.startsWith(from));
  if (base) {
    const more = indent.slice(base[0].length);
    return base[1] + convert(more, unit, fileUnit);
  }
  // Less than any line that was matched: as much less in the file.
  const least = known.at(-1);
  if (!least) return indent;
  const steps = Math.round((least[0].length - indent.length) / unit.length);
  return least[1].slice(0, Math.max(0, least[1].length - steps * fileUnit.length));
}

/** Whole steps of one kind of indentation as the other kind; what is no whole step (alignment) stays. */
function convert(indent: string, unit: string, fileUnit: string): string {
  if (unit === fileUnit || indent === "") return indent;
  const isTabs = indent[0] === "\t";
  if (isTabs === (fileUnit === "\t") && unit.length === fileUnit.length) return indent;
  const step = isTabs ? "\t" : unit.startsWith("\t") ? "  " : unit;
  let steps = 0;
  let rest = indent;
  while (rest.startsWith(step)) {
    rest = rest.slice(step.length);
    steps++;
  }
  return fileUnit.repeat(steps) + rest;
}

/** One step of indentation: the smallest difference between the indentations given; four spaces when there is none. */
function stepOf(indents: readonly string[]): string {
  if (indents.some((indent) => indent.startsWith("\t"))) return "\t";
  const widths = [...new Set([0, ...indents.map((indent) => indent.length)])].sort((a, b) => a - b);
  let step = Infinity;
  for (let i = 1; i < widths.length; i++) step = Math.min(step, (widths[i] ?? 0) - (widths[i - 1] ?? 0));
  return " ".repeat(step === Infinity ? 4 : step);
}

/** Number of the line, from 1, at each offset. Offsets ascending. */
export function lineNumbers(text: string, offsets: readonly number[]): number[] {
  let line = 1;
  let at = 0;
  return offsets.map((offset) => {
    for (let next = text.indexOf("\n", at); next >= 0 && next < offset; next = text.indexOf("\n", at)) {
      line++;
      at = next + 1;
    }
    return line;
  });
}
