import { PryxError } from "../domain/error.ts";

/** Names that are safe as a file and as an account of a keychain, on every platform. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/;

/** Largest secret that is kept: a private key fits, a file given by mistake does not. */
const MAX_LENGTH = 64 * 1024;

/** Throws `input_invalid` for a name that no store takes. */
export function checkName(name: string): void {
  if (NAME.test(name) && !name.endsWith(".")) return;
  throw new PryxError("input_invalid", `"${name.slice(0, 80)}" cannot name a secret`, {
    fix: "Use up to 64 letters, digits, dots, hyphens and underscores, beginning with a letter or digit",
  });
}

/** Throws `input_invalid` for a value that cannot be kept. The message never holds the value. */
export function checkValue(name: string, value: string): void {
  const problem = value.trim() === ""
    ? "the value is empty"
    : value.includes("\0")
    ? "the value holds a NUL character"
    : value.length > MAX_LENGTH
    ? `the value is longer than ${MAX_LENGTH / 1024} KB`
    : undefined;
  if (problem) {
    throw new PryxError("input_invalid", `Cannot store the secret "${name}": ${problem}`, {
      fix: `Type it when asked, or give it on standard input: pryx secrets set ${name} < FILE`,
    });
  }
}
