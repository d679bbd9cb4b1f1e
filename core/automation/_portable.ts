import type { Recording } from "../domain/cassette.ts";
import { mapStrings } from "../domain/map_strings.ts";
import { hidePlaces, type Places, showPlaces } from "../domain/places.ts";
import type { Json } from "../domain/schema.ts";

/**
 * What a replayed automation is told its folders are: the same on every machine, so that what it makes of them is, too.
 * Nothing is there.
 */
export const REPLAY_PLACES: Places = { workspace: "/pryx/workspace", home: "/pryx/home" };

/** Puts values into the form that a cassette keeps: no secrets, and nothing that is another in every run. */
export interface Portable {
  <T>(value: T): T;
  /** From now on `real` is written as another name: `session-1`, `session-2`, …. */
  rename(real: string, as: (number: number, real: string) => string): void;
}

export function createPortable({ hide, redact }: Pick<Recording, "hide" | "redact">): Portable {
  const known = new Map<string, string>();
  const counts = new Map<unknown, number>();

  const text = (one: string): string => {
    let named = one;
    for (const [real, name] of known) named = named.replaceAll(real, name);
    return hide(named);
  };
  const portable = <T>(value: T): T => mapStrings(withoutSecretBytes(value, redact), text);
  return Object.assign(portable, {
    rename(real: string, as: (number: number, real: string) => string) {
      // A short one would be found in texts that mean something else.
      if (real.length < 8 || known.has(real)) return;
      const number = (counts.get(as) ?? 0) + 1;
      counts.set(as, number);
      known.set(real, as(number, real));
    },
  });
}

export const SESSION_NAME = (number: number) => `session-${number}`;
/** A mark whose nonce is nobody's: of the same letters, so that forms and URLs have it whole. */
export const SECRET_NAME = (_number: number, mark: string) =>
  mark.replace(/[0-9a-f]{32}/u, (nonce) => "0".repeat(nonce.length));
export const TEMP_NAME = (number: number) => `/pryx/temp/${number}`;

/** The same for a replay, which has the names from its recording. */
export function replayPortable(redact: (text: string) => string): Portable {
  return createPortable({ redact, hide: (text) => hidePlaces(redact(text), REPLAY_PLACES) });
}

/** A recorded value as a replayed automation sees it. */
export function shownInReplay<T>(value: T): T {
  return mapStrings(value, (text) => showPlaces(text, REPLAY_PLACES));
}

/** Text that travels as bytes is text nevertheless. */
function withoutSecretBytes<T>(value: T, redact: (text: string) => string): T {
  const walk = (one: unknown): unknown => {
    if (Array.isArray(one)) return one.map(walk);
    if (typeof one !== "object" || one === null) return one;
    return Object.fromEntries(
      Object.entries(one as Record<string, Json>).map(([key, item]) => [
        key,
        typeof item === "string" && /base64$/iu.test(key) ? redactBase64(item, redact) : walk(item),
      ]),
    );
  };
  return walk(value) as T;
}

function redactBase64(base64: string, redact: (text: string) => string): string {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
      Uint8Array.fromBase64(base64),
    );
    const without = redact(text);
    return without === text ? base64 : new TextEncoder().encode(without).toBase64();
  } catch {
    // Not text: nothing is known to look for.
    return base64;
  }
}
