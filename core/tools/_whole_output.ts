import { plainText } from "./_terminal_text.ts";
import type { LongOutput, ToolContext } from "./tool.ts";

/** All of an output, wherever it has to be: in memory while it is short, then in a file as it comes. */
export interface WholeOutput {
  add(piece: string): void;
  /** The file, characters and line ends, when it became too long to show. Closes the file. */
  end(): KeptOutput | undefined;
  /** Instead of `end`: closes and removes the file, if there is one. */
  discard(): void;
}

export interface KeptOutput {
  readonly path: string;
  readonly chars: number;
  readonly newlines: number;
}

/** Lines longer than this are taken as they are: what a terminal would make of them can wait no longer. */
const LONGEST_LINE = 1024 * 1024;

/** As a terminal would show it, line by line; in a file once it is longer than `limit` characters. */
export function wholeOutput(ctx: Pick<ToolContext, "keepLong">, name: string, limit: number): WholeOutput {
  let pending = "";
  let short = "";
  let file: LongOutput | undefined;
  let chars = 0;
  let newlines = 0;
  let atLineEnd = false;

  function take(end: number): void {
    const text = plainText(pending.slice(0, end));
    pending = pending.slice(end);
    if (text === "") return;
    chars += text.length;
    atLineEnd = text.endsWith("\n");
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) newlines++;
    if (file) return file.write(text);
    short += text;
    if (short.length <= limit) return;
    file = ctx.keepLong(name);
    file.write(short);
    short = "";
  }

  return {
    add(piece) {
      pending += piece;
      const line = pending.lastIndexOf("\n") + 1;
      if (line > 0) take(line);
      else if (pending.length > LONGEST_LINE) take(pending.length);
    },
    end() {
      take(pending.length);
      file?.end();
      // A last line end is not shown, and so it is not left out.
      const last = atLineEnd ? 1 : 0;
      return file && { path: file.path, chars: chars - last, newlines: newlines - last };
    },
    discard() {
      file?.end({ keep: false });
      file = undefined;
    },
  };
}
