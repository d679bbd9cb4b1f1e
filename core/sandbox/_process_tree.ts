import { processesIn, type ProcessStat, statOf, textAt } from "./_proc.ts";

/** A child and all that came of it, as far as it is known. */
export interface Tree {
  readonly pid: number;
  /** `NAME=VALUE` of its environment. */
  readonly mark: string;
  /** Processes seen before, with the time they were started at, and whether they belong to it. */
  readonly known: Map<number, { readonly started: string; readonly member: boolean }>;
  /** Its own /proc, where it has a process namespace of its own: there all processes are its own. */
  namespace: string | undefined;
}

/** The /proc of the process namespace that this bwrap made: as its first process sees it. Undefined where there is none. */
export function namespaceOf(bwrap: number): string | undefined {
  try {
    const own = Deno.readLinkSync("/proc/self/ns/pid");
    const [first] = Deno.readTextFileSync(`/proc/${bwrap}/task/${bwrap}/children`).trim().split(" ");
    if (first === undefined || first === "" || Deno.readLinkSync(`/proc/${first}/ns/pid`) === own) {
      return undefined;
    }
    const proc = `/proc/${first}/root/proc`;
    // Only its own: until the namespace is put together, the root is still that of everybody.
    return Deno.readTextFileSync(`${proc}/1/comm`).trim() === "bwrap" ? proc : undefined;
  } catch {
    return undefined;
  }
}

/** Numbers of its processes: those of its own namespace where there is one, else as pryx sees them. */
export function processesOf(tree: Tree): number[] {
  if (tree.namespace !== undefined) {
    const inside = processesIn(tree.namespace);
    if (inside.length > 0) return inside.filter((pid) => pid !== 1);
  }
  return descendants(tree);
}

/** Who has the child's group or session, came of a member, or carries the mark: a process can leave all but the last two. */
function descendants(tree: Tree): number[] {
  const { known } = tree;
  const stats = new Map<number, ProcessStat>();
  for (const pid of processesIn("/proc")) {
    const stat = statOf(pid);
    if (stat) stats.set(pid, stat);
  }
  for (const pid of known.keys()) if (!stats.has(pid)) known.delete(pid);
  const isMember = (pid: number): boolean => {
    const stat = stats.get(pid);
    if (!stat) return false;
    const before = known.get(pid);
    if (before?.started === stat.started) return before.member;
    const { parent, group, session, started } = stat;
    // Set first, so that a loop of parents ends.
    known.set(pid, { started, member: false });
    const member = pid === tree.pid || group === tree.pid || session === tree.pid || isMember(parent) ||
      carriesMark(pid, tree.mark);
    known.set(pid, { started, member });
    return member;
  };
  return [...stats.keys()].filter(isMember);
}

export function carriesMark(pid: number, mark: string): boolean {
  return textAt(`/proc/${pid}/environ`)?.split("\0").includes(mark) ?? false;
}

/**
 * Bytes of private memory of these processes. Pages that forks share are counted for each, so a sum over `limit` is
 * counted again in full, which takes longer.
 */
export function memoryOf(tree: Tree, members: readonly number[], limit: number): number {
  const proc = tree.namespace ?? "/proc";
  const quick = sum(members, (pid) => field(`${proc}/${pid}/status`, /^RssAnon:\s+(\d+) kB/m));
  if (quick <= limit) return quick;
  return sum(members, (pid) => field(`${proc}/${pid}/smaps_rollup`, /^Pss_Anon:\s+(\d+) kB/m));
}

function sum(members: readonly number[], of: (pid: number) => number): number {
  return members.reduce((total, pid) => total + of(pid), 0) * 1024;
}

function field(path: string, pattern: RegExp): number {
  return Number(textAt(path)?.match(pattern)?.[1] ?? 0);
}
