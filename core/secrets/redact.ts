import { secretForms } from "../domain/secret_mark.ts";
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
      for (const form of secretForms(value)) known.add(form);
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

function escape(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}
