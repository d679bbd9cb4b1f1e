/** Absolute path of a file in tests/support. */
export function fromFileUrl(name: string): string {
  return decodeURIComponent(new URL(name, import.meta.url).pathname);
}
