import type { Envelope } from "../domain/envelope.ts";
import { PryxError } from "../domain/error.ts";
import { formatNeed, type Need } from "../domain/need.ts";
import { type BaselineFolders, findBaseline } from "./baseline.ts";
import { OFFLINE } from "./_environment.ts";
import { createClosedPaths, type FoundClosed } from "./_closed_paths.ts";
import { createBubblewrapLayer, type Wrapped } from "./_bubblewrap_layer.ts";
import type { Confinement } from "./_confinement.ts";
import { type Bubblewrap, findBubblewrap, type NoBubblewrap } from "./_find_bubblewrap.ts";
import { isThere } from "./_existing.ts";
import { identities } from "./_identities.ts";
import type { LandlockPlan } from "./_landlock_layer.ts";
import { isInside } from "./_paths.ts";
import { makePlaces } from "./_places.ts";
import { createSharedNetwork } from "./_shared_network.ts";
import { createPrivateFolder } from "./_private_folder.ts";
import { shortfallOf } from "./_shortfall.ts";
import type { KernelSupport } from "./landlock.ts";
import type { Spawner } from "./_spawner.ts";

export interface KernelOptions {
  readonly home: string;
  /** pryx's own environment: PATH, TMPDIR, where toolchains live, the user's proxy. */
  readonly env: Readonly<Record<string, string>>;
  /** What agents write: no part of the sandbox comes from there. */
  readonly scopes: readonly string[];
  /** Folders of pryx itself, which no toolchain brings along. */
  readonly own: readonly string[];
  /** How this very program is started, for the way to the network proxy. Absent: hosts cannot be told apart. */
  readonly self?: readonly [string, ...string[]];
  /** Bytes of memory that a child may take. */
  readonly memoryBytes: number;
  readonly os?: string;
}

/** What holds a child to its envelope here. The strongest that works: two of them cannot be combined for files. */
export type KernelLayer =
  | { readonly name: "bubblewrap"; readonly bubblewrap: Bubblewrap }
  | { readonly name: "landlock"; readonly version: number; readonly missing: NoBubblewrap }
  | { readonly name: "seatbelt" }
  | { readonly name: "none"; readonly missing?: NoBubblewrap };

/** One child made ready: how it is confined, and what it gets beside. */
export interface Prepared extends Omit<Wrapped, "confinement"> {
  /** Variables of the child. */
  readonly env: Readonly<Record<string, string>>;
  /** What is closed to writing inside its roots. */
  readonly readOnly: readonly string[];
  /**
   * Names all that the kernel would hold it to: children with the same one may share a confinement that was made for one
   * of them. Undefined when it was not asked for, and where that cannot be said for certain.
   */
  readonly place: string | undefined;
  /** Makes the confinement. `shell`: a program that can be started beside the others; bubblewrap
   * shows it as {@link SHELL_INSIDE}. */
  confine(given: { readonly cwd: string; readonly shell?: string }): Promise<Confinement>;
}

export interface PrepareOptions {
  readonly cwd: string;
  readonly accepted?: readonly Need[] | undefined;
  /** The child is given the terminal of pryx. */
  readonly terminal: boolean;
  /** It may share an empty network with others that may. */
  readonly sharesLoopback: boolean;
  /** Says in what place it is: {@link Prepared.place}. */
  readonly named?: boolean;
}

export interface Kernel extends AsyncDisposable {
  /** What is made for children lies in it. There from the first `prepare` on. */
  readonly folder: string;
  /** The temporary folder of children, in it. */
  readonly temp: string;
  /** The part of it that children never see. */
  readonly hidden: string;
  baseline(): BaselineFolders;
  /** A new folder in the temporary one. */
  tempFolder(prefix: string): string;
  layer(): Promise<KernelLayer>;
  support(): Promise<KernelSupport>;
  shortfall(envelope: Envelope): Promise<readonly Need[]>;
  /** Rejects with `sandbox` when more is within reach than was accepted. */
  prepare(envelope: Envelope, options: PrepareOptions): Promise<Prepared>;
}

const NO_SUPPORT: KernelSupport = { landlock: 0, seccomp: false };

/** Starts nothing and makes nothing before it is asked for a child, or for what holds. */
export function createKernel(options: KernelOptions): Kernel {
  const { home, env, scopes, own, os = Deno.build.os } = options;
  const folder = createPrivateFolder({ env, notIn: scopes });
  const closedPaths = createClosedPaths();
  const opened = new AsyncDisposableStack();
  opened.use(folder);
  let base: BaselineFolders | undefined;
  let supported: Promise<KernelSupport> | undefined;
  let found: Promise<KernelLayer> | undefined;
  let spawner: Spawner | undefined;
  let sealed = false;

  const baseline = () => base ??= findBaseline({ home, env, own, temp: folder.temp }, os);

  const support = () => supported ??= findSupport(os);

  const layer = () => found ??= findLayer();
  async function findLayer(): Promise<KernelLayer> {
    if (os === "darwin") return isThere(SANDBOX_EXEC) ? { name: "seatbelt" } : { name: "none" };
    if (os !== "linux") return { name: "none" };
    const bubblewrap = await findBubblewrap(env.PATH ?? "", scopes);
    if ("program" in bubblewrap) return { name: "bubblewrap", bubblewrap };
    const { landlock, seccomp } = await support();
    return landlock > 0 && seccomp
      ? { name: "landlock", version: landlock, missing: bubblewrap }
      : { name: "none", missing: bubblewrap };
  }

  /** What the layer has to close, and what of it it cannot. */
  async function look(envelope: Envelope) {
    const which = await layer();
    let closed: FoundClosed = { closed: [], unseen: [] };
    if (which.name !== "none") {
      makeOwn(own, envelope);
      closed = await closedPaths.find(envelope, baseline().read);
    }
    const short = () => shortfallOf({ envelope, closed, layer: which, proxied: options.self !== undefined });
    return { which, closed, short };
  }

  async function prepare(envelope: Envelope, given: PrepareOptions): Promise<Prepared> {
    const { which, closed, short } = await look(envelope);
    const { accepted } = given;
    if (accepted) {
      const more = short().find((need) => !isAccepted(need, accepted));
      if (more) {
        throw new PryxError(
          "sandbox",
          `Cannot run it: ${formatNeed(more)} is within its reach, and nobody accepted that (${more.reach})`,
          { fix: `accept it with --allow ${formatNeed(more)}` },
        );
      }
    }
    folder.ready();
    if (os === "linux" && !sealed) {
      const { sealDescriptors } = await import("./landlock.ts");
      sealDescriptors();
      sealed = true;
    }
    const places = makePlaces(envelope);
    const variables = {
      TMPDIR: folder.temp,
      TMP: folder.temp,
      TEMP: folder.temp,
      ...envelope.network === "none" ? OFFLINE : {},
    };
    // More than one only where the first could not be used.
    const made: Wrapped[] = [];
    const landlockPlan = (): LandlockPlan => ({
      baseline: baseline(),
      envelope,
      places,
      closed: closed.closed,
      openNetwork: accepted?.some(({ kind, target }) => kind === "net" && target === "**") === true,
      terminal: given.terminal,
    });

    async function placeNow(): Promise<string | undefined> {
      const { network } = envelope;
      if (given.named !== true || given.terminal || typeof network !== "string" || places.made > 0) return;
      const roots = [...baseline().read, ...places.read, ...places.write];
      // Made for one child alone where it is not there otherwise.
      if (![...roots, folder.temp].some((root) => isInside(given.cwd, root))) return;
      const seen = identities(roots, closed.closed);
      if (seen === undefined) return;
      const common = [which.name, accepted?.map(formatNeed), closed.unseen, seen];
      switch (which.name) {
        case "bubblewrap":
          return JSON.stringify([
            common,
            await bubblewrapLayer(which.bubblewrap).describe(envelope, places, closed, given),
          ]);
        case "landlock":
          return JSON.stringify([
            common,
            (await import("./_landlock_layer.ts")).describeLandlock(landlockPlan()),
          ]);
        case "none":
          return JSON.stringify(common);
        case "seatbelt":
          return undefined;
      }
    }

    async function confine({ cwd, shell }: { cwd: string; shell?: string }): Promise<Confinement> {
      if (which.name === "bubblewrap") {
        const { sharesLoopback } = given;
        const wrapped = await bubblewrapLayer(which.bubblewrap)
          .confine(envelope, places, closed, {
            cwd,
            sharesLoopback,
            ...shell === undefined ? {} : { shell },
          });
        made.push(wrapped);
        return wrapped.confinement;
      }
      if (which.name === "landlock") {
        const { confineWithLandlock } = await import("./_landlock_layer.ts");
        const { createSpawner } = await import("./_spawner.ts");
        spawner ??= opened.use(createSpawner());
        return confineWithLandlock(spawner, { ...landlockPlan(), ...shell === undefined ? {} : { shell } });
      }
      if (which.name === "seatbelt") {
        const { seatbeltProfile } = await import("./seatbelt.ts");
        const profile = seatbeltProfile({
          baseline: baseline(),
          read: places.read,
          write: places.write,
          closed: closed.closed,
          network: envelope.network,
          unixSockets: envelope.unixSockets,
        });
        return { layer: "seatbelt", argv: [SANDBOX_EXEC, "-p", profile] };
      }
      return { layer: "none" };
    }

    try {
      return {
        env: variables,
        readOnly: closed.closed.filter(({ access }) => access === "read").map(({ path }) => path),
        place: await placeNow(),
        confine,
        connected: () => made.at(-1)?.connected() ?? [],
        refused: () => made.at(-1)?.refused() ?? [],
        problem: () => made.at(-1)?.problem(),
        async release() {
          for (const one of made.splice(0)) await one.release();
          await places.release();
        },
      };
    } catch (error) {
      await places.release();
      throw error;
    }
  }

  let made: ReturnType<typeof createBubblewrapLayer> | undefined;
  const bubblewrapLayer = (bubblewrap: Bubblewrap) =>
    made ??= createBubblewrapLayer({
      bubblewrap,
      shared: opened.use(createSharedNetwork(bubblewrap)),
      folder,
      baseline: baseline(),
      home,
      env,
      memoryBytes: options.memoryBytes,
      self: options.self,
    });

  return {
    folder: folder.root,
    temp: folder.temp,
    hidden: folder.hidden,
    baseline,
    tempFolder(prefix) {
      folder.ready();
      return Deno.makeTempDirSync({ dir: folder.temp, prefix: `${prefix}-` });
    },
    layer,
    support,
    shortfall: async (envelope) => (await look(envelope)).short(),
    prepare,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

const SANDBOX_EXEC = "/usr/bin/sandbox-exec";

async function findSupport(os: string): Promise<KernelSupport> {
  if (os !== "linux") return NO_SUPPORT;
  const { kernelSupport } = await import("./landlock.ts");
  return kernelSupport();
}

/**
 * Makes the folders of pryx that a child may not touch and could make itself, with settings in them: nothing can be put
 * over what is not there.
 */
function makeOwn(own: readonly string[], { write, access }: Envelope): void {
  for (const path of own) {
    if (isThere(path) || access(path) !== "none" || !write.some((root) => isInside(path, root))) continue;
    try {
      Deno.mkdirSync(path, { recursive: true, mode: 0o700 });
    } catch {
      // This user cannot make it: then a child cannot either.
    }
  }
}

/** The same need, or one that holds it. */
function isAccepted(need: Need, accepted: readonly Need[]): boolean {
  return accepted.some(({ kind, target }) =>
    kind === need.kind &&
    (target === need.target ||
      ((kind === "read" || kind === "write") && isInside(need.target, target)))
  );
}
