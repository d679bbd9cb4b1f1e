/** A text made of pieces of another, with a way back from its places to theirs. */
export interface Pieces {
  readonly text: string;
  /** Where what stands at an offset comes from; of what was put in, what it stands before. */
  origin(offset: number): number;
}

interface Piece {
  readonly text: string;
  /** Offset in the source. Of what was put in: where it belongs, where that is said. */
  readonly from?: number;
  readonly added?: true;
}

/** Goes through a source once, from its start to its end, and keeps, drops and adds. */
export class PieceWriter {
  readonly #source: string;
  readonly #front: Piece[] = [];
  readonly #body: Piece[] = [];
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  /** Keeps what stands before `offset` and was not seen yet. */
  keepTo(offset: number): void {
    if (offset > this.#at) this.#body.push(this.#slice(this.#at, offset));
    this.#at = Math.max(this.#at, offset);
  }

  /** Drops it. */
  dropTo(offset: number): void {
    this.#at = Math.max(this.#at, offset);
  }

  put(text: string): void {
    this.#body.push({ text, added: true });
  }

  /** Adds to what stands before everything, on behalf of what stands at `from`: text, or a part of the source. */
  putFirst(from: number, ...parts: readonly (string | readonly [start: number, end: number])[]): void {
    for (const part of parts) {
      this.#front.push(typeof part === "string" ? { text: part, from, added: true } : this.#slice(...part));
    }
  }

  finish(): Pieces {
    this.keepTo(this.#source.length);
    const pieces = [...this.#front, ...this.#body];
    return {
      text: pieces.map(({ text }) => text).join(""),
      origin: (offset) => this.#origin(pieces, offset),
    };
  }

  #slice(start: number, end: number): Piece {
    return { text: this.#source.slice(start, end), from: start };
  }

  #origin(pieces: readonly Piece[], offset: number): number {
    let start = 0;
    for (const [index, { text, from, added }] of pieces.entries()) {
      if (offset < start + text.length) {
        if (from !== undefined) return added ? from : from + offset - start;
        return pieces.slice(index).find((piece) => piece.from !== undefined)?.from ?? this.#source.length;
      }
      start += text.length;
    }
    return this.#source.length;
  }
}
