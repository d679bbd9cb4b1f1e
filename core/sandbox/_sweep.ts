import { join } from "node:path";

/** In the hidden part of a private folder: the number of the process it belongs to. */
export const OWNER = "owner";

/** What private folders are called. */
export const PRIVATE_NAME = /^pryx-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/u;
/** Where folders are shared with another container its processes are not seen: only what nobody used for long is dead. */
const LEAST_AGE_MS = 3 * 24 * 60 * 60_000;

export interface Sweep {
  /** Resolves when all was looked at. */
  readonly done: Promise<void>;
  /** Resolves when nothing is removed any more. */
  stop(): Promise<void>;
}

/**
 * Removes private folders in `around` whose process ended without doing so, and whose reaper could not either. Only
 * folders of this user, for this user alone, that name their process: one that does not live, and long ago.
 */
export function sweepDead(around: string, now: () => number = Date.now): Sweep {
  let stopped = false;
  const done = (async () => {
    for await (const { name, isDirectory } of Deno.readDir(around)) {
      if (stopped) return;
      const root = join(around, name);
      if (isDirectory && PRIVATE_NAME.test(name) && await isDead(root, now())) await removeAll(root);
    }
  })().catch(() => {
    // It is tidying: whoever comes later tries again.
  });
  return {
    done,
    async stop() {
      stopped = true;
      await done;
    },
  };
}

async function isDead(root: string, now: number): Promise<boolean> {
  const hidden = join(root, "host");
  try {
    const [top, inner, text] = await Promise.all([
      Deno.lstat(root),
      Deno.lstat(hidden),
      Deno.readTextFile(join(hidden, OWNER)),
    ]);
    const own = [top, inner].every(({ isDirectory, uid, mode }) =>
      isDirectory && uid === Deno.uid() && ((mode ?? 0) & 0o077) === 0
    );
    // Each command leaves its trace in the hidden part.
    const used = Math.max(...[top, inner].map(({ mtime }) => mtime?.getTime() ?? Infinity));
    return own && now - used > LEAST_AGE_MS && !isAlive(Number(text));
  } catch {
    return false;
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 1) return true;
  try {
    // The global is loaded when it is reached, not at start-up.
    // deno-lint-ignore no-process-global
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && "code" in error && error.code === "ESRCH");
  }
}

/** Also folders that a child closed to itself. What cannot be removed stays; nobody waits for it. */
export async function removeAll(root: string): Promise<void> {
  const remove = () => Deno.remove(root, { recursive: true });
  try {
    await remove();
  } catch {
    await open(root);
    await remove().catch(() => {});
  }
}

async function open(folder: string): Promise<void> {
  try {
    await Deno.chmod(folder, 0o700);
    for await (const entry of Deno.readDir(folder)) {
      if (entry.isDirectory) await open(join(folder, entry.name));
    }
  } catch {
    // Another user's, or gone.
  }
}
