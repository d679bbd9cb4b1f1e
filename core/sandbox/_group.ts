import { processesIn, statOf, textAt } from "./_proc.ts";

/** Signals every process of a group. A group that is gone is no error: it is what was wanted. */
export function signalGroup(group: number, signal: "SIGTERM" | "SIGKILL"): void {
  // Windows has no groups: there the child alone is ended.
  signalProcess(Deno.build.os === "windows" ? group : -group, signal);
}

/** The same for one process. */
export function signalProcess(pid: number, signal: "SIGTERM" | "SIGKILL"): void {
  try {
    Deno.kill(pid, signal);
  } catch {
    // It has ended, or what is left of it belongs to another user.
  }
}

/**
 * TERM for every process of a group but bubblewrap's own, which would end at once and say that the program had: so the
 * program has its time to end well. Others of that name end with the group.
 */
export function terminateGroup(group: number): void {
  if (Deno.build.os !== "linux" || nameOf(group) !== "bwrap") return signalGroup(group, "SIGTERM");
  for (const pid of membersOf(group)) {
    if (nameOf(pid) !== "bwrap") signalProcess(pid, "SIGTERM");
  }
}

function nameOf(pid: number): string | undefined {
  return textAt(`/proc/${pid}/comm`);
}

/** True when nothing is left of a group but the first process of a namespace, which is about to end. */
export function isEmptyNamespace(group: number): boolean {
  if (Deno.build.os !== "linux") return false;
  for (const pid of membersOf(group)) {
    // One that ended while we looked has none either.
    if (nameOf(pid) !== "bwrap" || textAt(`/proc/${pid}/task/${pid}/children`)) return false;
  }
  return true;
}

/** True while a process of the group lives; also when it is another user's. Dead ones nobody waits for do not count. */
export function isGroupAlive(group: number): boolean {
  if (Deno.build.os === "windows") return false;
  try {
    // The global is loaded when it is reached, not at start-up.
    // deno-lint-ignore no-process-global
    process.kill(-group, 0);
    return Deno.build.os !== "linux" || hasLivingMember(group);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** Linux: a container whose first process collects no orphans keeps them as zombies, which signals still reach. */
function hasLivingMember(group: number): boolean {
  return membersOf(group).next().done === false;
}

function* membersOf(group: number): Generator<number> {
  for (const pid of processesIn("/proc")) if (statOf(pid)?.group === group) yield pid;
}

/** True when `promise` settles within `ms`. Its failure counts as settled. */
export async function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([promise.then(() => true as const, () => true as const), late]);
  } finally {
    clearTimeout(timer);
  }
}
