/** Signals every process of a group. A group that is gone is no error: it is what was wanted. */
export function signalGroup(group: number, signal: "SIGTERM" | "SIGKILL"): void {
  try {
    // Windows has no groups: there the child alone is ended.
    Deno.kill(Deno.build.os === "windows" ? group : -group, signal);
  } catch {
    // It has ended, or what is left of it belongs to another user.
  }
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
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      // pid (name) state parent group …, and the name may hold anything.
      const stat = Deno.readTextFileSync(`/proc/${name}/stat`);
      const [state, , of] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (Number(of) === group && state !== "Z" && state !== "X") return true;
    } catch {
      // It ended while we looked.
    }
  }
  return false;
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
