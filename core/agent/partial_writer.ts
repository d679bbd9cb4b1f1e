import type { TurnId } from "../domain/id.ts";
import type { SessionParts } from "./session_parts.ts";

/** The longest time that a streamed piece is only in memory, milliseconds. */
const WRITE_EVERY = 250;

/** Gathers a message while it streams and overwrites one row with it, at most every {@link WRITE_EVERY}. */
export function partialWriter(parts: SessionParts, turn: TurnId) {
  const pieces: string[] = [];
  let next = performance.now() + WRITE_EVERY;
  let written = false;
  return {
    add(piece: string): void {
      pieces.push(piece);
      const now = performance.now();
      if (now < next) return;
      parts.store.writePartial(parts.session, turn, parts.redact(pieces.join("")));
      written = true;
      // A long message costs more to write: wait in proportion, so that writing never rules streaming.
      next = performance.now() + Math.max(WRITE_EVERY, (performance.now() - now) * 20);
    },
    clear(): void {
      if (written) parts.store.clearPartial(parts.session);
      written = false;
    },
    get text(): string {
      return pieces.join("");
    },
  };
}
