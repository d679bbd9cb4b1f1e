import { processesIn, statOf, textAt } from "./_proc.ts";
import { carriesMark } from "./_process_tree.ts";

/** True when nothing that came of a shell's jobs runs any more. */
export type Lookout = () => boolean;

/**
 * In a namespace that bwrap made for the shell: its first process is given everything that lost its parent, and has the
 * shell alone when there is nothing. Undefined where the kernel does not list children.
 */
export function namespaceLookout(bwrap: number): Lookout | undefined {
  const [first, ...more] = childrenOf(bwrap);
  if (first === undefined || more.length > 0) return undefined;
  const shell = childrenOf(first);
  if (shell.length !== 1) return undefined;
  return () => {
    const now = childrenOf(first);
    return now.length === 1 && now[0] === shell[0];
  };
}

/** In the group of the shell, or with its mark: those that started since, since everything older was looked at before. */
export function groupLookout(group: number, mark: string): Lookout {
  let known = new Set(processesIn("/proc"));
  return () => {
    const now = processesIn("/proc");
    const left = now.filter((pid) =>
      !known.has(pid) && (statOf(pid)?.group === group || carriesMark(pid, mark))
    );
    known = new Set(now.filter((pid) => !left.includes(pid)));
    return left.length === 0;
  };
}

function childrenOf(pid: number | string): string[] {
  return textAt(`/proc/${pid}/task/${pid}/children`)?.split(" ").filter((one) => one !== "") ?? [];
}
