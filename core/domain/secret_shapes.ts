/**
 * Shapes of well-known credentials. Each is anchored on a prefix that its issuer documents, so that prose and code are
 * rarely mistaken for one. A look-behind keeps what introduces the secret (`Bearer `, `https://user:`) out of the match.
 */
const SHAPES: readonly RegExp[] = [
  // OpenAI, Anthropic, OpenRouter, DeepSeek. Real ones hold digits; words joined by hyphens do not.
  /(?<![A-Za-z0-9])sk-(?=[A-Za-z_-]*\d)[A-Za-z0-9_-]{20,}/,
  /(?<![A-Za-z0-9])gsk_[A-Za-z0-9]{20,}/,
  /(?<![A-Za-z0-9])xai-[A-Za-z0-9]{20,}/,
  /(?<![A-Za-z0-9])pplx-[A-Za-z0-9]{20,}/,
  /(?<![A-Za-z0-9])r8_[A-Za-z0-9]{30,}/,
  /(?<![A-Za-z0-9])hf_[A-Za-z0-9]{30,}/,
  // Google
  /(?<![A-Za-z0-9])AIza[0-9A-Za-z_-]{35}/,
  /(?<![A-Za-z0-9])ya29\.[0-9A-Za-z_-]{20,}/,
  // Code hosts and registries
  /(?<![A-Za-z0-9])gh[pousr]_[A-Za-z0-9]{30,}/,
  /(?<![A-Za-z0-9])github_pat_[A-Za-z0-9_]{22,}/,
  /(?<![A-Za-z0-9])glpat-[A-Za-z0-9_-]{20,}/,
  /(?<![A-Za-z0-9])npm_[A-Za-z0-9]{36}/,
  // Clouds
  /(?<![A-Za-z0-9])(?:AKIA|ASIA)[0-9A-Z]{16}(?![0-9A-Za-z])/,
  /(?<![A-Za-z0-9])dop_v1_[a-f0-9]{40,}/,
  // Chat and payment
  /(?<![A-Za-z0-9])xox[abeoprs]-[A-Za-z0-9-]{10,}/,
  /(?<![A-Za-z0-9])xapp-[A-Za-z0-9-]{20,}/,
  /(?<![A-Za-z0-9])[rs]k_(?:live|test)_[0-9A-Za-z]{16,}/,
  /(?<![A-Za-z0-9])\d{8,10}:[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])/,
  // Tokens, keys and passwords in their containers
  /(?<![A-Za-z0-9])eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/,
  /AGE-SECRET-KEY-1[0-9A-Z]{50,}/,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/,
  /(?<=\b[Bb]earer\s{1,4})(?=[A-Za-z._~+/-]*\d)[A-Za-z0-9._~+/-]{20,}=*/,
  /(?<=\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/:@"']{0,64}:)[^\s/@"']{3,}(?=@)/,
];

/** Finds every well-known credential in a text. Global: use it with `replace`, or reset `lastIndex`. */
export const SECRET_SHAPES = new RegExp(SHAPES.map((shape) => shape.source).join("|"), "g");

/** True when a text holds something with the shape of a well-known credential. */
export function looksLikeSecret(text: string): boolean {
  return text.search(SECRET_SHAPES) >= 0;
}

/** The text with every well-known credential replaced by `[redacted]`. */
export function maskSecretShapes(text: string): string {
  return text.replace(SECRET_SHAPES, "[redacted]");
}
