/** Matching lines of one file; `path` as ripgrep printed it. */
export interface FileMatches {
  readonly path: string;
  readonly lines: readonly MatchingLine[];
}

export interface MatchingLine {
  /** From 1; absent for what ripgrep says of the file instead of a line. */
  readonly line?: number;
  readonly text: string;
}

/** What ripgrep writes between matches of different files when one of them turns out not to be text. */
const BINARY = /^(.*): ((?:WARNING: stopped searching )?binary file .*)\n?/;

/**
 * Reads `PATH NUL LINE:TEXT NEWLINE` records. The path is what stands before a NUL, whatever characters it holds: a name
 * with a newline in it cannot pass for another file's. A last record that was cut off is left out.
 */
export function parseMatches(output: string): FileMatches[] {
  const files = new Map<string, MatchingLine[]>();
  const add = (path: string, line: MatchingLine) => {
    const lines = files.get(path);
    if (lines) lines.push(line);
    else files.set(path, [line]);
  };
  let at = 0;
  while (at < output.length) {
    const notice = BINARY.exec(output.slice(at, at + 8_192));
    const nul = output.indexOf("\0", at);
    if (notice && (nul < 0 || at + notice[0].length <= nul)) {
      add(notice[1] ?? "", { text: notice[2] ?? "" });
      at += notice[0].length;
      continue;
    }
    if (nul < 0) break;
    const end = output.indexOf("\n", nul);
    if (end < 0) break;
    const record = /^(\d+):(.*)$/s.exec(output.slice(nul + 1, end).replace(/\r$/, ""));
    if (record) add(output.slice(at, nul), { line: Number(record[1]), text: record[2] ?? "" });
    at = end + 1;
  }
  return [...files].map(([path, lines]) => ({ path, lines }));
}
