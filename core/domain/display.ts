/**
 * Characters that a terminal obeys, that are invisible, or that reorder what is around them: C0 and C1 controls but
 * newline and tab, soft hyphen, bidirectional marks and isolates, zero-width and other default-ignorable characters,
 * line separators, variation selectors, Unicode tags, lone surrogates (Unicode 16, Default_Ignorable_Code_Point and
 * Bidi_Control); blanks that are no space to a shell; marks that strike out or cover what they stand on, and of marks in a
 * row those after the second.
 */
const HIDDEN =
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00a0\u00ad\u0334-\u0338\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u20d0-\u20ff\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]|\p{Surrogate}|(?<=\p{M}{2})\p{M}/gu;

/** `text` as a person may safely be shown it: what would not be seen, or would change what is seen, as `\u{…}`. */
export function escapeForDisplay(text: string): string {
  return text.replace(HIDDEN, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}
