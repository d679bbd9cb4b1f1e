import { clip } from "./_text.ts";

/** Longer lines are cut: minified code and data would push out everything else. */
export const MAX_LINE_CHARS = 2_000;
/** Enough bytes for any line that is shown in full, whatever its characters. */
const MAX_LINE_BYTES = MAX_LINE_CHARS * 4;

/** Picks some lines out of UTF-8 text that comes in chunks. Holds no more than it will show. */
export class LineReader {
  readonly lines: string[] = [];
  readonly offset: number;
  /** True when no further line will be taken. */
  full = false;
  /** Lines seen so far, taken or not. */
  total = 0;
  /** True when the end of the text was seen. */
  complete = false;
  invalid = false;
  /** True when a line was too long to be shown whole. */
  cut = false;
  noFinalNewline = false;

  readonly #limit: number;
  #room: number;
  #parts: Uint8Array[] = [];
  #kept = 0;
  #length = 0;

  /** `offset`: the first line to take, from 1. `room`: characters, line numbers included. */
  constructor(offset: number, limit: number, room: number) {
    this.offset = offset;
    this.#limit = limit;
    this.#room = room;
  }

  push(chunk: Uint8Array): void {
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      this.#add(chunk.subarray(from, at));
      this.#finish();
      from = at + 1;
    }
    if (from < chunk.length) this.#add(chunk.subarray(from));
  }

  end(complete: boolean): void {
    this.complete = complete;
    if (this.#length === 0) return;
    if (complete) this.noFinalNewline = true;
    this.#finish();
  }

  #add(bytes: Uint8Array): void {
    this.#length += bytes.length;
    const room = MAX_LINE_BYTES - this.#kept;
    if (this.full || this.total + 1 < this.offset || room <= 0) return;
    const part = bytes.slice(0, room);
    this.#parts.push(part);
    this.#kept += part.length;
  }

  #finish(): void {
    this.total++;
    if (!this.full && this.total >= this.offset) this.#take();
    this.#parts = [];
    this.#kept = 0;
    this.#length = 0;
  }

  #take(): void {
    const bytes = new Uint8Array(this.#kept);
    let at = 0;
    for (const part of this.#parts) {
      bytes.set(part, at);
      at += part.length;
    }
    const whole = this.#kept === this.#length;
    let text = this.#decode(bytes, whole).replace(/\r$/, "");
    const tooLong = !whole || text.length > MAX_LINE_CHARS;
    if (tooLong) {
      text = `${clip(text, MAX_LINE_CHARS)}… [cut: the line has ${this.#length} bytes]`;
    }
    const cost = text.length + 8;
    if (this.lines.length >= this.#limit || (cost > this.#room && this.lines.length > 0)) {
      this.full = true;
      return;
    }
    this.cut ||= tooLong;
    this.lines.push(text);
    this.#room -= cost;
    if (this.lines.length >= this.#limit) this.full = true;
  }

  #decode(bytes: Uint8Array, whole: boolean): string {
    try {
      // With `stream`, a character that the cut has halved is held back instead of being an error.
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes, { stream: !whole });
    } catch {
      this.invalid = true;
      return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
    }
  }
}
