import { SECRET_SHAPES } from "../domain/secret_shapes.ts";

/** Takes secrets out of text that is kept or shown: cassettes, logs, events. */
interface Redactor {
  /** A value to take out from now on. Values of fewer than 8 characters are too common in ordinary text. */
  add(value: string): void;
  /** The text with every known value, and whatever has the shape of a well-known credential, as `[redacted]`. */
  redact(text: string): string;
}

const MARK = "[redacted]";
const SHORTEST = 8;

/** Knows no secret yet. */
export function createRedactor(): Redactor {
  const known = new Set<string>();
  let pattern: RegExp | undefined;
  return {
    add(value) {
      const trimmed = value.trim();
      for (const form of [value, trimmed, jsonForm(trimmed), encodeForm(trimmed)]) {
        if (form.length >= SHORTEST && trimmed.length >= SHORTEST) known.add(form);
      }
      // Longest first: a secret that holds another goes as a whole.
      const forms = [...known].sort((a, b) => b.length - a.length).map(escape);
      pattern = forms.length > 0 ? new RegExp(forms.join("|"), "g") : undefined;
    },
    redact(text) {
      if (text.length < SHORTEST) return text;
      const without = pattern ? text.replace(pattern, MARK) : text;
      return without.replace(SECRET_SHAPES, MARK);
    },
  };
}

/** As it stands inside JSON text. */
function jsonForm(value: string): string {
  return JSON.stringify(value).slice(1, -1);
}

/** As it stands inside a URL. */
function encodeForm(value: string): string {
  try {
    return encodeURIComponent(value);
  } catch {
    // Lone surrogates have no such form.
    return value;
  }
}

function escape(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}
