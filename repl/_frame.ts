/** Characters that may take two columns on some terminal: what is counted too wide only breaks earlier. */
const WIDE = /[\u{250}-\u{10ffff}]/u;
const TAB = 8;

/**
 * Text behind a bar, broken so that the terminal never breaks it itself: a line without the bar could be made to look
 * like part of the question. `label` stands before the first line, spaces of its length before the others.
 */
export function frame(
  bar: string,
  text: string,
  columns: number,
  label: { readonly plain: string; readonly shown: string } = { plain: "", shown: "" },
): string[] {
  const width = Math.max(10, columns - 3 - label.plain.length);
  const indent = " ".repeat(label.plain.length);
  return text.split("\n").flatMap((line) => pieces(line, width))
    .map((piece, at) => `${bar} ${at === 0 ? label.shown : indent}${piece}`.trimEnd());
}

/** Breaks at the last space that is not far back, else anywhere. */
function pieces(line: string, width: number): string[] {
  const out: string[] = [];
  let piece = "";
  let used = 0;
  for (const char of line) {
    const wide = char === "\t" ? TAB : WIDE.test(char) ? 2 : 1;
    if (used + wide > width) {
      const space = piece.lastIndexOf(" ");
      const at = space > piece.length / 2 ? space + 1 : piece.length;
      out.push(piece.slice(0, at));
      piece = piece.slice(at);
      used = columnsOfText(piece);
    }
    piece += char;
    used += wide;
  }
  return [...out, piece];
}

function columnsOfText(text: string): number {
  let used = 0;
  for (const char of text) used += char === "\t" ? TAB : WIDE.test(char) ? 2 : 1;
  return used;
}
