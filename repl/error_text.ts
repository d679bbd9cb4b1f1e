import type { PryxError } from "../core/domain/error.ts";
import { sanitize } from "./sanitize.ts";
import type { Style } from "./style.ts";

/** Lines of a message that fit one screen with its fix. */
const MAX_LINES = 18;

/**
 * An error as a person reads it, in one screen: `pryx: message`, then what to do. Only with `debug` also the stack and
 * everything that caused it.
 */
export function renderError(error: PryxError, style: Style, debug: boolean): string {
  const [first = "", ...more] = sanitize(error.message).split("\n");
  const lines = [`${style.red("pryx:")} ${first}`, ...clip(more)];
  const fix = error.fix ?? (error.code === "internal" ? BUG : undefined);
  if (fix !== undefined) lines.push(...sanitize(fix).split("\n").map((line) => `  ${line}`));
  if (debug) lines.push(...stackOf(error).map((line) => style.dim(line)));
  return `${lines.join("\n")}\n`;
}

const BUG = "This should not happen. Run it again with --debug to see where, and report that";

function clip(lines: readonly string[]): readonly string[] {
  return lines.length <= MAX_LINES
    ? lines
    : [...lines.slice(0, MAX_LINES - 1), `… ${lines.length - MAX_LINES + 1} more lines`];
}

function stackOf(error: unknown): readonly string[] {
  const lines: string[] = [];
  let current = error;
  for (let depth = 0; current !== undefined && depth < 8; depth++) {
    const text = current instanceof Error ? current.stack ?? current.message : String(current);
    lines.push(...sanitize(depth === 0 ? text : `caused by: ${text}`).split("\n"));
    current = current instanceof Error ? current.cause : undefined;
  }
  return lines;
}
