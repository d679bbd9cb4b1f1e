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

/** Number of the file that carries the jobs' standard error in a shell that runs several. */
const JOB_ERROR = 5;

/** What names of the shell's own begin with: a variable of that name would be a job's too. */
export const OWN_NAMES = "pryx_";

/** What a shell says of how jobs ended is the only thing that tells a signal from an exit code above 128. */
const SAYS = "/proc/self/fd/2";

export interface WarmShellText {
  /** Printed when it is ready for jobs. */
  readonly ready: string;
  /** Folders that end with its confinement: a job that leaves something there was the last. */
  readonly fresh: readonly string[];
  /** A file for what it says of jobs that a signal ended. Absent: nobody need know. */
  readonly says?: string;
}

/**
 * What a `sh` that reads its program from a pipe is told first. It has nothing to say itself; of what it prints of ended
 * jobs nobody may think that a job did. The signals that end a group are for jobs: it ends with its input, or by KILL.
 */
export function warmShell({ ready, fresh, says = "/dev/null" }: WarmShellText): string {
  const names = fresh.flatMap((
    folder,
  ) => [`${quote(folder)}/*`, `${quote(folder)}/.[!.]*`, `${quote(folder)}/..?*`]);
  const shared = fresh.length === 0 ? [] : [
    "for pryx_name in shm sem msg; do",
    "{ IFS= read -r pryx_line && IFS= read -r pryx_line; } </proc/sysvipc/$pryx_name &&",
    'pryx_left="$pryx_left $pryx_name"',
    "done",
  ];
  return [
    `exec ${JOB_ERROR}>&2 2>${quote(says)}`,
    "trap : HUP INT QUIT TERM USR1 USR2 ALRM",
    "pryx_look() {",
    `set -- ${names.join(" ")}`,
    'pryx_left="$*"',
    ...shared,
    "}",
    "pryx_look",
    "pryx_first=$pryx_left",
    `printf '%s' ${quote(ready)}`,
    "",
  ].join("\n");
}

export interface JobText {
  /** What is run, its program as an absolute path. No NUL in it. */
  readonly argv: readonly string[];
  readonly cwd: string;
  /** Lines that set the limits. */
  readonly limits: readonly string[];
  readonly mergeStderr: boolean;
  /**
   * Said on both outputs when the job has ended, after a NUL; on standard output with the exit code (and
   * `signal`, when that is what ended it), as a line. When nobody
   * waits for the job any more it is said there once more, with {@link LAST_LINE}.
   */
  readonly marker: string;
}

/** Follows the second marker when the job left nothing in the folders that end with the shell; as long, when it did. */
export const LAST_LINE = "0\n";

/**
 * One job for such a `sh`. Its outputs are the same pipes opened anew, so that what a program sets on them (not to block,
 * say) ends with it; of the shell's own files it gets none.
 */
export function jobText({ argv, cwd, limits, mergeStderr, marker }: JobText): string {
  const error = mergeStderr ? "2>&1" : `2>/proc/self/fd/${JOB_ERROR}`;
  return [
    "(",
    ...limits,
    `cd -P -- ${quote(cwd)} && unset OLDPWD && exec ${argv.map(quote).join(" ")}`,
    `) </dev/null >/proc/self/fd/1 ${error} ${JOB_ERROR}>&-`,
    "pryx_code=$?",
    // One that may not be emptied is /dev/null, which never holds anything.
    `[ -s ${SAYS} ] && { : >${SAYS}; pryx_code="$pryx_code signal"; }`,
    `printf '\\000%s%s\\n' ${marker} "$pryx_code"`,
    ...mergeStderr ? [] : [`printf '\\000%s' ${marker} >&${JOB_ERROR}`],
    "pryx_look",
    `[ "$pryx_left" = "$pryx_first" ]`,
    `printf '\\000%s%s\\n' ${marker} "$?"`,
    "",
  ].join("\n");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
