import type { Need } from "../domain/need.ts";
import type { ShellHost } from "./_shell_context.ts";
import { quoteWords } from "./_words.ts";

export type { ShellHost };

/**
 * The needs of a command line, as bash reads it: a `run` for every simple command wherever it stands (in compounds,
 * functions, substitutions, here-documents, behind wrappers and in text that a shell is given), `read` and `write` for
 * redirects, `read` for the folders it changes to, `net` for sockets that the shell opens. Folders and plain variables
 * are followed; where they depend on what happens, needs are stated for each case.
 *
 * What is only data may be unknown: the words of a `run` then hold a mark that no rule allows (`UNKNOWN`). Where the
 * unknown may change what runs, or what is written, the need is `opaque` and says why; its target is the text.
 *
 * The promise: when every need is allowed, nothing runs but what was allowed. Total: never rejects for what the text
 * is; it does when `host` does.
 */
export async function shellNeeds(
  command: string,
  cwd: string,
  host: ShellHost,
): Promise<readonly Need[]> {
  const { createWalk } = await import("./_shell_walk.ts");
  const { newShell } = await import("./_shell_values.ts");
  const walk = createWalk(host);
  try {
    await walk.text(command, newShell([cwd], undefined, false), { source: command, posix: false, depth: 0 });
    await walk.rest();
  } catch (error) {
    // Deep nesting can exhaust the stack before the parser's own limit does.
    if (!(error instanceof RangeError)) throw error;
    walk.opaque(command, "it is nested too deeply");
  }
  const needs = walk.needs(command);
  return needs.length > 0 ? needs : [await shellItself(command, host)];
}

/** A command line of nothing but what the shell does itself still takes a shell. */
async function shellItself(command: string, host: ShellHost): Promise<Need> {
  const argv = ["bash", "-c", command];
  const executable = await host.findExecutable("bash", "/");
  const need = { kind: "run", target: quoteWords(argv), argv } as const;
  return executable === undefined
    ? need
    : { ...need, executable, inWritableFolder: host.isWritable(executable) };
}
