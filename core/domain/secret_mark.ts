/**
 * Secrets in the hands of programs: a mark stands for the value, which takes its place in a request on its way out and
 * nowhere else. Letters, digits, dots, hyphens and underscores only, so that it comes through JSON, forms and headers whole.
 */
const MARK = /pryx-secret--([A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,62}?[A-Za-z0-9_-])??)--([0-9a-f]{32})--/gu;

export interface SecretMark {
  /** As it stands in the text. */
  readonly mark: string;
  readonly name: string;
  readonly nonce: string;
}

/** `nonce`: 32 hex digits that nobody else knows; a mark with another one stands for nothing. */
export function secretMark(name: string, nonce: string): string {
  return `pryx-secret--${name}--${nonce}--`;
}

/** Every mark in a text, once each. Whether its nonce is right is not known here. */
export function secretMarks(text: string): readonly SecretMark[] {
  const found = new Map<string, SecretMark>();
  for (const [mark, name = "", nonce = ""] of text.matchAll(MARK)) found.set(mark, { mark, name, nonce });
  return [...found.values()];
}

/** A value as texts show it: as it is, inside JSON, inside a URL. Too short ones are too common in ordinary text. */
export function secretForms(value: string): readonly string[] {
  const trimmed = value.trim();
  if (trimmed.length < SHORTEST) return [];
  const forms = [value, trimmed, JSON.stringify(trimmed).slice(1, -1), encodeForm(trimmed)];
  return [...new Set(forms)];
}

const SHORTEST = 8;

function encodeForm(value: string): string {
  try {
    return encodeURIComponent(value);
  } catch {
    // Lone surrogates have no such form.
    return value;
  }
}
