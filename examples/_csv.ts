/** A table with a header. */
export interface Table {
  readonly columns: readonly string[];
  /** By column. */
  readonly rows: readonly Readonly<Record<string, string>>[];
}

/**
 * CSV as RFC 4180 has it, with `,`, `;` or tab between the cells, whichever the header has most of. Empty lines are skipped;
 * a row that is short has empty cells.
 */
export function parseCsv(text: string): Table {
  const [header = [], ...lines] = cellsOf(text.replace(/^\uFEFF/, ""));
  const columns = header.map((name) => name.trim());
  const rows = lines.filter((cells) => cells.some((cell) => cell !== "")).map((cells) =>
    Object.fromEntries(columns.map((name, at) => [name, cells[at]?.trim() ?? ""]))
  );
  return { columns, rows };
}

function cellsOf(text: string): string[][] {
  const separator = separatorOf(text.split("\n", 1)[0] ?? "");
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = "";
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? "";
    if (quoted) {
      if (char !== '"') cell += char;
      else if (text[at + 1] === '"') cell += text[++at];
      else quoted = false;
    } else if (char === '"' && cell === "") quoted = true;
    else if (char === separator) {
      row.push(cell);
      cell = "";
    } else if (char === "\n") {
      rows.push([...row, cell.replace(/\r$/, "")]);
      row = [];
      cell = "";
    } else cell += char;
  }
  if (cell !== "" || row.length > 0) rows.push([...row, cell.replace(/\r$/, "")]);
  return rows;
}

function separatorOf(header: string): string {
  const count = (one: string) => header.split(one).length;
  return [",", ";", "\t"].reduce((best, one) => count(one) > count(best) ? one : best);
}
