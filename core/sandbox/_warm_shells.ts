import { join } from "node:path";
import { SHELL_INSIDE } from "./bubblewrap.ts";
import { limitsOf, spawnServing } from "./_child.ts";
import type { Confinement } from "./_confinement.ts";
import { groupLookout, namespaceLookout } from "./_left_behind.ts";
import type { Kernel, Prepared } from "./kernel.ts";
import type { ProcessLimits } from "./_limits.ts";
import { type JobChild, openWarmShell, type WarmShell } from "./_warm_shell.ts";
import type { Reaper } from "./reaper.ts";
import type { ProcessSpec } from "./sandbox.ts";
import { OWN_NAMES } from "./_wrapper.ts";
import { unrefTimer } from "./_unref_timer.ts";

export interface WarmShellsOptions {
  readonly limits: ProcessLimits;
  readonly reaper: Reaper;
  readonly kernel: Pick<Kernel, "hidden" | "baseline">;
}

/** One command in a shell that was confined before, or is for it. */
export interface WarmRun {
  readonly child: JobChild;
  readonly confinement: Confinement;
  /** After the command: the shell waits for the next one where it can and `keep` says so, or is ended with all that is left in it. */
  done(keep: boolean): Promise<void>;
  /** The shell is given up, and what is left in it goes on. */
  leave(): Promise<void>;
  /** True when the shell was made for this command, with what was prepared for it: then both end together. */
  readonly first: boolean;
}

export interface WarmShells extends AsyncDisposable {
  /** Undefined when the command has to be started the usual way. Never waits for another command. */
  run(command: WarmCommand): Promise<WarmRun | undefined>;
}

export interface WarmCommand {
  readonly spec: ProcessSpec;
  /** Absolute path of argv[0]. */
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
  readonly prepared: Prepared;
}

interface Place {
  readonly key: string;
  readonly shell: WarmShell;
  readonly confinement: Confinement;
  readonly prepared: Prepared;
  busy: boolean;
  idleSince: number;
  timer?: ReturnType<typeof setTimeout>;
}

/** Shells that live at the same time. */
const MOST = 4;
const IDLE_MS = 10_000;
/** Of a command line: what is longer reaches limits of the system itself. */
const MOST_BYTES = 64 * 1024;
const SHELL = "/bin/sh";

/**
 * Confined shells that run one command after the other, of commands that say so (`ProcessSpec.reuse`) and are held to
 * exactly the same: the key is everything that holds them. Idle ones do not keep pryx alive. Linux only.
 */
export function createWarmShells({ limits, reaper, kernel }: WarmShellsOptions): WarmShells {
  const places = new Set<Place>();
  let opening = 0;
  let copied: string | undefined;
  let works = Deno.build.os === "linux";

  /**
   * A copy of `sh` that may be run and not be read: the kernel shows its files and its memory to no other process of the
   * user, so that no job reaches what the next one is told through.
   */
  function unreadableShell(): string {
    if (copied !== undefined) return copied;
    const path = join(kernel.hidden, "sh");
    Deno.writeFileSync(path, Deno.readFileSync(SHELL), { createNew: true, mode: 0o700 });
    Deno.chmodSync(path, 0o111);
    return copied = path;
  }

  async function open(key: string, { spec, env, prepared }: WarmCommand): Promise<Place | undefined> {
    const copy = unreadableShell();
    const confinement = await prepared.confine({ cwd: "/", shell: copy });
    const alone = confinement.layer === "bubblewrap";
    const shell = alone ? SHELL_INSIDE : copy;
    const says = alone ? undefined : join(kernel.baseline().temp, `sh-${crypto.randomUUID()}`);
    if (says !== undefined) Deno.writeFileSync(says, new Uint8Array(0), { createNew: true, mode: 0o600 });
    const { stdin: _stdin, mergeStderr: _merge, ...common } = spec;
    const child = await spawnServing({
      spec: { ...common, argv: [shell], cwd: "/" },
      program: shell,
      env,
      limits,
      reaper,
      confinement,
    });
    const warm = await openWarmShell({
      child,
      fresh: alone ? confinement.fresh : [],
      ...says === undefined ? {} : { says },
      lookout: () => alone ? namespaceLookout(child.pid) : groupLookout(child.pid, child.mark),
    });
    if (says !== undefined) Deno.removeSync(says);
    if (!warm) {
      await reaper.remove(child.pid);
      return undefined;
    }
    return { key, shell: warm, confinement, prepared, busy: true, idleSince: 0 };
  }

  async function end(place: Place): Promise<void> {
    await forget(place, () => place.shell.end());
    await reaper.remove(place.shell.pid);
  }

  async function forget(place: Place, how: () => Promise<void>): Promise<void> {
    places.delete(place);
    clearTimeout(place.timer);
    await how();
    await place.prepared.release();
  }

  function rest(place: Place): void {
    place.busy = false;
    place.shell.hold(false);
    place.idleSince = performance.now();
    place.timer = setTimeout(() => void end(place).catch(() => {}), IDLE_MS);
    unrefTimer(place.timer);
  }

  /** Makes room for one more. False when all are at work. */
  async function makeRoom(): Promise<boolean> {
    if (places.size + opening < MOST) return true;
    const [oldest] = [...places].filter(({ busy }) => !busy).toSorted((a, b) => a.idleSince - b.idleSince);
    if (oldest) await end(oldest);
    return oldest !== undefined;
  }

  async function find(
    key: string,
    command: WarmCommand,
  ): Promise<{ place: Place; first: boolean } | undefined> {
    for (const place of [...places]) {
      if (place.key !== key || place.busy) continue;
      clearTimeout(place.timer);
      place.busy = true;
      place.shell.hold(true);
      if (place.shell.usable && await place.shell.isFresh()) return { place, first: false };
      await end(place);
    }
    if (!works || !await makeRoom()) return undefined;
    opening++;
    try {
      const place = await open(key, command);
      if (place) places.add(place);
      else works = false;
      return place && { place, first: true };
    } catch {
      // Started the usual way, it says itself what is wrong.
      works = false;
      return undefined;
    } finally {
      opening--;
    }
  }

  return {
    async run(command) {
      const { spec, program } = command;
      const key = keyOf(command);
      if (key === undefined || !works) return undefined;
      const found = await find(key, command);
      if (!found) return undefined;
      const { place, first } = found;
      const [, ...words] = spec.argv;
      const child = place.shell.start({
        argv: [program, ...words],
        cwd: spec.cwd,
        limits: limitsOf(spec, limits, place.confinement),
        mergeStderr: spec.mergeStderr === true,
      });
      return {
        child,
        confinement: place.confinement,
        first,
        async done(keep) {
          if (keep && place.shell.usable && child.clean) rest(place);
          else await end(place);
        },
        leave: () => forget(place, () => place.shell.leave()),
      };
    },
    async [Symbol.asyncDispose]() {
      works = false;
      await Promise.all([...places].map(end));
    },
  };
}

/** Undefined when it cannot share. */
function keyOf({ spec, env, prepared }: WarmCommand): string | undefined {
  const { reuse, stdin, stdio, argv } = spec;
  // A shell sets these itself.
  if (Object.keys(env).some((name) => name === "PWD" || name === "OLDPWD" || name.startsWith(OWN_NAMES))) {
    return;
  }
  if (reuse === undefined || prepared.place === undefined || stdin !== undefined || stdio !== undefined) {
    return;
  }
  const bytes = argv.reduce((sum, word) => sum + word.length * 3, 0);
  if (bytes > MOST_BYTES || argv.some((word) => word.includes("\0"))) return;
  return JSON.stringify([reuse, prepared.place, spec.sharesLoopback, env]);
}
