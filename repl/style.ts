/** Paints text for a terminal; without colour every function returns its text as it is. */
export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly cyan: (text: string) => string;
}

/** Without `color` every style is the text itself. */
export function createStyle(color: boolean): Style {
  const paint = (open: number, close: number) => (text: string) =>
    color && text !== "" ? `\x1b[${open}m${text}\x1b[${close}m` : text;
  return {
    bold: paint(1, 22),
    dim: paint(2, 22),
    red: paint(31, 39),
    green: paint(32, 39),
    yellow: paint(33, 39),
    cyan: paint(36, 39),
  };
}

/** Whether to use colour on a stream: never without a terminal, with NO_COLOR (no-color.org) or on a dumb terminal. */
export function wantsColor(
  isTerminal: boolean,
  flag: boolean,
  env: (name: string) => string | undefined,
): boolean {
  return isTerminal && flag && !env("NO_COLOR") && env("TERM") !== "dumb";
}
