/** How the text of a file is written down. */
type Encoding = "utf-8" | "utf-16le" | "utf-16be";

/** A file's bytes as text, with what is needed to write them back the same way. */
interface DecodedText {
  /** Without the byte order mark. */
  readonly text: string;
  readonly encoding: Encoding;
  readonly bom: boolean;
  /** True when bytes did not fit the encoding; they stand as U+FFFD in `text`. */
  readonly invalid: boolean;
}

/** The encoding that a byte order mark at the start names. */
export function markOf(bytes: Uint8Array): { encoding: Encoding; length: number } | undefined {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return { encoding: "utf-8", length: 3 };
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return { encoding: "utf-16le", length: 2 };
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return { encoding: "utf-16be", length: 2 };
  return undefined;
}

/** UTF-8, unless a byte order mark says otherwise. */
export function decodeText(bytes: Uint8Array): DecodedText {
  const mark = markOf(bytes);
  const encoding = mark?.encoding ?? "utf-8";
  const body = mark ? bytes.subarray(mark.length) : bytes;
  const bom = mark !== undefined;
  try {
    const text = new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(body);
    return { text, encoding, bom, invalid: false };
  } catch {
    const text = new TextDecoder(encoding, { ignoreBOM: true }).decode(body);
    return { text, encoding, bom, invalid: true };
  }
}

/** The inverse of {@link decodeText} for text that was valid. */
export function encodeText(
  text: string,
  { encoding, bom }: Pick<DecodedText, "encoding" | "bom">,
): Uint8Array {
  const marked = bom ? `\ufeff${text}` : text;
  if (encoding === "utf-8") return new TextEncoder().encode(marked);
  const bytes = new Uint8Array(marked.length * 2);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < marked.length; i++) {
    view.setUint16(i * 2, marked.charCodeAt(i), encoding === "utf-16le");
  }
  return bytes;
}

/** True for content that is not text: it holds a NUL and has no mark of an encoding that uses those. */
export function isBinary(bytes: Uint8Array): boolean {
  const mark = markOf(bytes);
  if (mark && mark.encoding !== "utf-8") return false;
  return bytes.includes(0) || IMAGES.includes(fileType(bytes) ?? "") || fileType(bytes) === "PDF document";
}

const IMAGES: readonly string[] = [
  "PNG image",
  "JPEG image",
  "GIF image",
  "WebP image",
  "BMP image",
  "TIFF image",
];

/** What the first bytes of well-known formats are. `at`: where they stand, 0 unless given. */
const MAGIC: readonly { readonly type: string; readonly bytes: readonly number[]; readonly at?: number }[] = [
  { type: "PNG image", bytes: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] },
  { type: "JPEG image", bytes: [0xff, 0xd8, 0xff] },
  { type: "GIF image", bytes: [0x47, 0x49, 0x46, 0x38, 0x37, 0x61] },
  { type: "GIF image", bytes: [0x47, 0x49, 0x46, 0x38, 0x39, 0x61] },
  { type: "WebP image", bytes: [0x57, 0x45, 0x42, 0x50], at: 8 },
  { type: "TIFF image", bytes: [0x49, 0x49, 0x2a, 0x00] },
  { type: "TIFF image", bytes: [0x4d, 0x4d, 0x00, 0x2a] },
  { type: "AVIF or HEIF image or MP4 video", bytes: [0x66, 0x74, 0x79, 0x70], at: 4 },
  { type: "icon", bytes: [0x00, 0x00, 0x01, 0x00] },
  { type: "PDF document", bytes: [0x25, 0x50, 0x44, 0x46, 0x2d] },
  { type: "ZIP archive (or a document, jar or package made of one)", bytes: [0x50, 0x4b, 0x03, 0x04] },
  { type: "gzip archive", bytes: [0x1f, 0x8b, 0x08] },
  { type: "bzip2 archive", bytes: [0x42, 0x5a, 0x68, 0x39] },
  { type: "xz archive", bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00] },
  { type: "zstd archive", bytes: [0x28, 0xb5, 0x2f, 0xfd] },
  { type: "ELF program or library", bytes: [0x7f, 0x45, 0x4c, 0x46] },
  { type: "Mach-O program", bytes: [0xcf, 0xfa, 0xed, 0xfe] },
  { type: "Java class", bytes: [0xca, 0xfe, 0xba, 0xbe] },
  { type: "WebAssembly module", bytes: [0x00, 0x61, 0x73, 0x6d] },
  {
    type: "SQLite database",
    bytes: [0x53, 0x51, 0x4c, 0x69, 0x74, 0x65, 0x20, 0x66, 0x6f, 0x72, 0x6d, 0x61, 0x74],
  },
  { type: "Ogg media", bytes: [0x4f, 0x67, 0x67, 0x53] },
  { type: "tar archive", bytes: [0x75, 0x73, 0x74, 0x61, 0x72], at: 257 },
];

/** A guess from the first bytes (300 are enough); undefined when they are of no well-known format. */
export function fileType(bytes: Uint8Array): string | undefined {
  // BMP's own two letters also begin words, so its reserved zeros count too.
  if (
    bytes[0] === 0x42 && bytes[1] === 0x4d && bytes.length > 9 && bytes.subarray(6, 10).every((b) => b === 0)
  ) {
    return "BMP image";
  }
  return MAGIC.find(({ bytes: magic, at = 0 }) => magic.every((byte, i) => bytes[at + i] === byte))?.type;
}

/** Whether the bytes begin like an image of a known type. */
export function isImage(bytes: Uint8Array): boolean {
  return IMAGES.includes(fileType(bytes) ?? "");
}

/** `1 byte`, `812 bytes`, `14.2 KB`, `3.0 MB`: powers of 1024. */
export function formatSize(bytes: number): string {
  if (bytes < 1024) return bytes === 1 ? "1 byte" : `${bytes} bytes`;
  let size = bytes;
  let unit = "bytes";
  for (const next of ["KB", "MB", "GB", "TB"]) {
    if (size < 1024) break;
    size /= 1024;
    unit = next;
  }
  return `${size.toFixed(size < 100 ? 1 : 0)} ${unit}`;
}

/** `1 line`, `2 lines`. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

/** How many lines a text has, as editors count: a newline at the end begins no further one. */
export function countLines(text: string): number {
  if (text === "") return 0;
  let lines = text.endsWith("\n") ? 0 : 1;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines++;
  return lines;
}

/** The first `length` UTF-16 units, without half a character at the end. */
export function clip(text: string, length: number): string {
  if (text.length <= length) return text;
  const unit = text.charCodeAt(length);
  return text.slice(0, unit >= 0xdc00 && unit <= 0xdfff ? length - 1 : length);
}
