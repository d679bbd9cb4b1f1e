import { messageOf } from "../domain/error.ts";
import { plainText } from "./_terminal_text.ts";
import type { LongOutput, ToolContext } from "./tool.ts";

/** All of an output, wherever it has to be: in memory while it is short, then in a file as it comes. */
export interface WholeOutput {
  add(piece: string): void;
  /** What became of it when it was too long to show. Closes the file. Never throws: no command ends for want of a log. */
  end(): KeptOutput | undefined;
  /** Instead of `end`: closes and removes the file, if there is one. */
  discard(): void;
}

export interface KeptOutput {
  /** The file; absent when it could not be written. */
  readonly path?: string;
  /** Why it could not be written. */
  readonly problem?: string;
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
  let problem: string | undefined;
  let chars = 0;
  let newlines = 0;
  let atLineEnd = false;

  /** Runs what writes; after a failure, a full disk say, nothing more is written. */
  function attempt(work: () => void): void {
    if (problem !== undefined) return;
    try {
      work();
    } catch (error) {
      problem = messageOf(error);
      short = "";
      discard();
    }
  }

  function discard(): void {
    const broken = file;
    file = undefined;
    try {
      broken?.end({ keep: false });
    } catch {
      // It could not be written; that it cannot be removed either changes nothing.
    }
  }

  function take(end: number): void {
    const text = plainText(pending.slice(0, end));
    pending = pending.slice(end);
    if (text === "") return;
    chars += text.length;
    atLineEnd = text.endsWith("\n");
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) newlines++;
    attempt(() => {
      if (file) return file.write(text);
      short += text;
      if (short.length <= limit) return;
      file = ctx.keepLong(name);
      file.write(short);
      short = "";
    });
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
      attempt(() => file?.end());
      if (!file && problem === undefined) return undefined;
      // A last line end is not shown, and so it is not left out.
      const last = atLineEnd ? 1 : 0;
      const counts = { chars: chars - last, newlines: newlines - last };
      return file ? { ...counts, path: file.path } : { ...counts, problem: problem ?? "" };
    },
    discard,
  };
}
