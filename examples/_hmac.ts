/**
 * HMAC-SHA-256 (RFC 2104, FIPS 180-4), as lower case hex. Automations have no `crypto.subtle`; for the few kilobytes of a
 * request this is fast enough.
 */
export function hmacSha256(key: string, text: string): string {
  const encoder = new TextEncoder();
  const given = encoder.encode(key);
  const block = new Uint8Array(64);
  block.set(given.length > 64 ? sha256(given) : given);
  const inner = sha256(join(block.map((byte) => byte ^ 0x36), encoder.encode(text)));
  return [...sha256(join(block.map((byte) => byte ^ 0x5c), inner))].map((byte) =>
    byte.toString(16).padStart(2, "0")
  )
    .join("");
}

/** Whether two texts are the same, in a time that does not tell where they differ. */
export function sameText(a: string, b: string): boolean {
  let different = a.length ^ b.length;
  for (let at = 0; at < b.length; at++) different |= a.charCodeAt(at) ^ b.charCodeAt(at);
  return different === 0;
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** The first 32 bits of the fractional parts of roots of the first primes (FIPS 180-4, 4.2.2 and 5.3.3). */
function fractions(count: number, root: number): number[] {
  const found: number[] = [];
  for (let candidate = 2; found.length < count; candidate++) {
    let prime = true;
    for (let divisor = 2; divisor * divisor <= candidate; divisor++) prime &&= candidate % divisor !== 0;
    if (prime) found.push((candidate ** (1 / root) % 1) * 2 ** 32 | 0);
  }
  return found;
}

const ROUNDS = fractions(64, 3);
const INITIAL = fractions(8, 2);

function sha256(bytes: Uint8Array): Uint8Array {
  const padded = new Uint8Array((bytes.length + 72 >> 6) * 64);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(bytes.length / 2 ** 29));
  view.setUint32(padded.length - 4, bytes.length << 3);

  const hash = Int32Array.from(INITIAL);
  const words = new Int32Array(64);
  for (let start = 0; start < padded.length; start += 64) {
    compress(hash, words, view, start);
  }
  const digest = new Uint8Array(32);
  hash.forEach((word, index) => new DataView(digest.buffer).setInt32(index * 4, word));
  return digest;
}

function compress(hash: Int32Array, words: Int32Array, view: DataView, start: number): void {
  const word = (at: number) => words[at] ?? 0;
  for (let at = 0; at < 16; at++) words[at] = view.getInt32(start + at * 4);
  for (let at = 16; at < 64; at++) {
    const [x, y] = [word(at - 15), word(at - 2)];
    words[at] = word(at - 16) + word(at - 7) + (turn(x, 7) ^ turn(x, 18) ^ x >>> 3) +
      (turn(y, 17) ^ turn(y, 19) ^ y >>> 10);
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = hash;
  for (let at = 0; at < 64; at++) {
    const one =
      h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + (e & f ^ ~e & g) + (ROUNDS[at] ?? 0) + word(at) | 0;
    const two = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + (a & b ^ a & c ^ b & c) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, d + one | 0, c, b, a, one + two | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((value, at) => hash[at] = (hash[at] ?? 0) + value | 0);
}

function turn(word: number, bits: number): number {
  return word >>> bits | word << 32 - bits;
}
