import type { AutomationProblem, Permissions } from "../domain/automation.ts";

/** A place in a text: line and column from 1, columns in UTF-16 units. */
export interface Spot {
  readonly line: number;
  readonly column: number;
}

/** A problem whose file is not said yet: the same text may stand in several. */
export type Finding = Omit<AutomationProblem, "file">;

/** How the text of a module is to be read. */
export type ModuleKind = "ts" | "js" | "json";

export function moduleKind(path: string): ModuleKind {
  if (path.endsWith(".json")) return "json";
  return /\.m?js$/u.test(path) ? "js" : "ts";
}

/** An import that is there when the module runs, and where its specifier stands. Imports of types alone are none. */
export interface ImportSite extends Spot {
  /** As written. */
  readonly specifier: string;
}

/** What one module's text says, whatever is around it. */
export interface Module {
  /** As in `LinkedModule`. */
  readonly code: string;
  readonly imports: readonly ImportSite[];
  /** Where it exports `permissions`, in whatever form. */
  readonly manifestAt?: Spot;
  /** What it declares; read from an entry only. */
  readonly permissions?: Permissions;
  readonly findings: readonly Finding[];
}

/** Places of offsets in a text. */
export function createSpots(text: string): (offset: number) => Spot {
  const starts = [0];
  for (const { index, 0: { length } } of text.matchAll(/\r\n|[\n\r\u2028\u2029]/gu)) {
    starts.push(index + length);
  }
  return (offset) => {
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
}
