/** A part of a section: `### Added`. */
export interface Group {
  readonly title: string;
  readonly entries: readonly { readonly text: string; readonly commits: readonly string[] }[];
}

const HEADING = /^## +\[?v?([^\]\s]+)\]?.*$/gm;

export function hasSection(changelog: string, version: string): boolean {
  return [...changelog.matchAll(HEADING)].some(([, found]) => found === version.replace(/^v/, ""));
}

/** `## 1.4.0 (2026-03-01)` and what is below it, without a newline at its end. Groups of the same title become one. */
export function renderSection(version: string, date: Date, groups: readonly Group[]): string {
  const byTitle = Map.groupBy(groups, ({ title }) => title);
  const parts = [...byTitle].flatMap(([title, same]) => {
    const entries = same.flatMap((group) => group.entries);
    if (entries.length === 0) return [];
    const lines = entries.map(({ text, commits }) => {
      const hashes = commits.length === 0
        ? ""
        : ` (${commits.map((hash) => `\`${hash.slice(0, 9)}\``).join(", ")})`;
      return `- ${text.trim().replaceAll(/\s+/g, " ")}${hashes}`;
    });
    return ["", `### ${title}`, "", ...lines];
  });
  return [`## ${version} (${date.toISOString().slice(0, 10)})`, ...parts].join("\n");
}

/** Above the newest version, below what is not released yet. */
export function addSection(changelog: string, section: string): string {
  const first = [...changelog.matchAll(HEADING)].find(([, name]) => !/^unreleased$/i.test(name ?? ""));
  if (first === undefined) return `${changelog.trimEnd()}\n\n${section}\n`;
  return `${changelog.slice(0, first.index)}${section}\n\n${changelog.slice(first.index)}`;
}
