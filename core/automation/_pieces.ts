import type { TapeEntry } from "./tape.ts";

type Piece = Extract<TapeEntry, { kind: "event" }>;

/**
 * Holds pieces of output back until something else comes, so that a secret that was cut in two is found: what goes
 * together is looked at as one. Where there is none the pieces stay as they are.
 */
export function holdPieces(
  redact: (text: string) => string,
): { add(entry: TapeEntry): readonly TapeEntry[] } {
  let held: Piece[] = [];
  return {
    add(entry) {
      if (entry.kind === "event") {
        held.push(entry);
        return [];
      }
      const pieces = held.length > 1 ? redacted(held, redact) : held;
      held = [];
      return [...pieces, entry];
    },
  };
}

function redacted(pieces: readonly Piece[], redact: (text: string) => string): readonly Piece[] {
  const streams = new Map<string, number[]>();
  pieces.forEach((piece, index) => {
    const name = `${piece.id} ${streamOf(piece)}`;
    streams.set(name, [...streams.get(name) ?? [], index]);
  });
  const result = [...pieces];
  for (const indexes of streams.values()) {
    const texts = indexes.map((index) => textOf(pieces[index]));
    const whole = texts.join("");
    const clean = redact(whole);
    // Every piece by itself says as much: no secret lies across two of them.
    if (clean === texts.map(redact).join("")) continue;
    indexes.forEach((index, place) => {
      const piece = pieces[index];
      if (piece) result[index] = withText(piece, place === 0 ? clean : "");
    });
  }
  return result;
}

function isRecord(value: unknown): value is { readonly stream?: unknown; readonly text: string } {
  return typeof value === "object" && value !== null && "text" in value && typeof value.text === "string";
}

function streamOf({ value }: Piece): string {
  return isRecord(value) ? String(value.stream) : "";
}

function textOf(piece: Piece | undefined): string {
  const value = piece?.value;
  return typeof value === "string" ? value : isRecord(value) ? value.text : "";
}

function withText(piece: Piece, text: string): Piece {
  const { value } = piece;
  if (typeof value === "string") return { ...piece, value: text };
  return isRecord(value) ? { ...piece, value: Object.assign({}, value, { text }) as Piece["value"] } : piece;
}
