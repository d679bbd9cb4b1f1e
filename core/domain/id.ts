declare const brand: unique symbol;
type Branded<T, B extends string> = T & { readonly [brand]: B };

export type SessionId = Branded<string, "session">;
export type TurnId = Branded<string, "turn">;
export type CallId = Branded<string, "call">;
export type ApprovalId = Branded<string, "approval">;
export type GrantId = Branded<string, "grant">;

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/**
 * A new id: nine characters of time (milliseconds, so ids sort by age) and seven random ones, in Crockford's base 32
 * without capitals. Safe in file names, URLs and shells.
 */
export function newId<T extends string>(now: number = Date.now()): T {
  let time = "";
  for (let rest = now, i = 0; i < 9; i++) {
    time = ALPHABET.charAt(rest % 32) + time;
    rest = Math.floor(rest / 32);
  }
  let random = "";
  for (const byte of crypto.getRandomValues(new Uint8Array(7))) random += ALPHABET.charAt(byte & 31);
  return (time + random) as T;
}
