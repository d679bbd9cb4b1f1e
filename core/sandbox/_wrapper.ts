/** Numbers of the files that carry the child's input and output through bubblewrap. */
const IN = 3;
const OUT = 4;
const ERROR = 5;
/** Number of the file with the seccomp filter, and of the one with the arguments of bwrap. */
export const SECCOMP_FILE = 7;
export const ARGUMENTS_FILE = 8;
/** Number of the file that says that the child was put together. */
const STARTED_FILE = 6;

export interface WrapperOptions {
  /** Lines that set the limits. */
  readonly limits: readonly string[];
  /** Waits for a line on stdin before it becomes the program. */
  readonly waits: boolean;
  /** The program has no input. */
  readonly noInput: boolean;
  readonly mergeStderr: boolean;
}

/** The `sh` that sets limits and then becomes the program: `sh -c TEXT sh PROGRAM ARGUMENTS…`. */
export function wrapper({ limits, waits, noInput, mergeStderr }: WrapperOptions): string {
  return [
    ...waits ? ["IFS= read -r go || exit 125", "unset go"] : [],
    ...limits,
    `exec "$@"${noInput ? " </dev/null" : ""}${mergeStderr ? " 2>&1" : ""}`,
    "",
  ].join("\n");
}

/** The same inside bubblewrap, whose streams are on other numbers. Before anything else it says that it came this far. */
export function innerWrapper({ limits, waits, noInput, mergeStderr }: WrapperOptions): string {
  const input = noInput ? "</dev/null" : `<&${IN}`;
  const error = mergeStderr ? OUT : ERROR;
  return [
    `echo >&${STARTED_FILE} && exec ${STARTED_FILE}>&- || exit 125`,
    ...waits ? [`IFS= read -r go <&${IN} || exit 125`, "unset go"] : [],
    ...limits,
    `exec "$@" ${input} >&${OUT} 2>&${error} ${IN}<&- ${OUT}>&- ${ERROR}>&-`,
    "",
  ].join("\n");
}

/**
 * The `sh` that becomes bubblewrap: `sh -c TEXT sh BWRAP ARGUMENTS…`. Its first process lives as long as anything in
 * the namespace, and would hold the child's pipes open: so they are passed on under other numbers, which that process
 * closes. What bubblewrap itself has to say goes to `messages`. The child can write there too, for that process has the
 * file open: once something is in `started`, it is the child that speaks.
 */
export function outerWrapper(
  files: { seccomp: string; messages: string; started: string; arguments: string },
): string {
  return `exec "$@" ${IN}<&0 ${OUT}>&1 ${ERROR}>&2 ${STARTED_FILE}>${quote(files.started)}` +
    ` ${SECCOMP_FILE}<${quote(files.seccomp)}` +
    ` ${ARGUMENTS_FILE}<${quote(files.arguments)} </dev/null >/dev/null 2>${quote(files.messages)}\n`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
