/** What /proc says of one process, while it lives: zombies, which nobody waits for, do not count. */
export interface ProcessStat {
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** In clock ticks since the system started: tells it from another that is given its number. */
  readonly started: string;
}

export function statOf(pid: number): ProcessStat | undefined {
  // pid (name) state parent group session …, and the name may hold anything.
  const stat = textAt(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, parent, group, session] = fields;
  if (state === "Z" || state === "X") return undefined;
  return {
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    started: fields[19] ?? "",
  };
}

/** True for a process that has ended, is about to, or was sent a signal that it has not yet seen to. */
export function isEnding(pid: number): boolean {
  const status = textAt(`/proc/${pid}/status`);
  return status === undefined || !/^VmSize:/m.test(status) || !/^ShdPnd:\s*0+$/m.test(status);
}

/** Numbers of the processes that `proc` shows. */
export function processesIn(proc: string): number[] {
  try {
    return [...Deno.readDirSync(proc)].map(({ name }) => Number(name)).filter((pid) => pid > 0);
  } catch {
    return [];
  }
}

/** Without white space around it; undefined when the process has ended, or is another user's. */
export function textAt(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path).trim();
  } catch {
    return undefined;
  }
}
