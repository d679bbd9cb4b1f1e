/** The names in a text, which are parted by spaces and line breaks: for lists that are too long for a name a line. */
export function words(text: string): readonly string[] {
  return text.trim().split(/\s+/u);
}
