import { PryxError } from "./error.ts";
import type { Places } from "./places.ts";

/**
 * The one recording format, as JSON lines: a header, then entries in the order things happened. Who wrote an entry reads
 * it, by its kind: `model` (core/providers/cassette.ts), those of automations (core/automation/tape.ts). Readers skip
 * kinds they do not answer. Folders are written `${workspace}` and `${home}`, so that a cassette made in one place replays
 * in another.
 */
export interface Cassette {
  readonly header: CassetteHeader;
  readonly entries: readonly CassetteEntry[];
}

/** First line of a cassette. */
export interface CassetteHeader {
  readonly v: 1;
  readonly type: "cassette";
  /** ISO 8601. */
  readonly createdAt: string;
  /** Provider that was asked first; absent where none was before something else was recorded. */
  readonly provider?: string;
}

/** Every line after the first, as anybody may read it. */
export interface CassetteEntry {
  readonly kind: string;
  readonly [field: string]: unknown;
}

/** A cassette that is being written. One for all that goes into it: entries stand in the order things happened. */
export interface Recording {
  readonly places: Places;
  /** Takes secret values out of a text. */
  redact(text: string): string;
  /** A text as it may be kept: without secrets, folders as marks. */
  hide(text: string): string;
  /**
   * Writes the header, once. An existing cassette is begun anew; another file is not touched. Rejects with `conflict`, or
   * with `io`.
   */
  begin(provider?: string): Promise<void>;
  /** Writes one entry behind those before it. Whoever is killed leaves a cassette that can be read up to there. */
  /** Resolves when all of it is written; rejects when some could not be. */
  settled(): Promise<void>;
  append<E extends { readonly kind: string }>(entry: E): Promise<void>;
}

/** Parses the text of a cassette; `name` is what errors call it. A last line that was cut off is left out. */
export function parseCassette(text: string, name: string): Cassette {
  const invalid = (problem: string, cause?: unknown) =>
    new PryxError("input_invalid", `Cannot use the cassette ${name}: ${problem}`, {
      fix: "Record it again with `--record FILE`",
      cause,
    });
  const lines = text.split("\n");
  const parsed: unknown[] = [];
  lines.forEach((line, index) => {
    if (line.trim() === "") return;
    try {
      parsed.push(JSON.parse(line));
    } catch (cause) {
      // A recorder that was killed leaves half a line at the end; all before it counts.
      if (index === lines.length - 1 && parsed.length > 0) return;
      throw invalid(`line ${index + 1} is not JSON`, cause);
    }
  });
  const header = parsed[0] as Partial<CassetteHeader> | null | undefined;
  if (header?.type !== "cassette") throw invalid("it is not a cassette");
  if (header.v !== 1) throw invalid(`it has version ${header.v}, this program reads version 1`);
  const entries = parsed.slice(1) as CassetteEntry[];
  const bad = entries.findIndex((entry) => typeof entry?.kind !== "string");
  if (bad >= 0) throw invalid(`entry ${bad + 1} has no kind`);
  return { header: header as CassetteHeader, entries };
}

/** JSON text with keys in order and no spaces; text that is not JSON stays as it is. */
export function canonicalJson(text: string): string {
  try {
    return JSON.stringify(sorted(JSON.parse(text)));
  } catch {
    return text;
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1).map(([key, item]) => [key, sorted(item)]),
  );
}
