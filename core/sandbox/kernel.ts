import type { Envelope } from "../domain/envelope.ts";
import { PryxError } from "../domain/error.ts";
import { formatNeed, type Need } from "../domain/need.ts";
import { type BaselineFolders, findBaseline } from "./baseline.ts";
import { OFFLINE } from "./_environment.ts";
import { createClosedPaths, type FoundClosed } from "./_closed_paths.ts";
import { createBubblewrapLayer, type Wrapped } from "./_bubblewrap_layer.ts";
import { type Bubblewrap, findBubblewrap, type NoBubblewrap } from "./_find_bubblewrap.ts";
import { isThere } from "./_existing.ts";
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
export interface Prepared extends Wrapped {
  /** Variables of the child. */
  readonly env: Readonly<Record<string, string>>;
  /** What is closed to writing inside its roots. */
  readonly readOnly: readonly string[];
}

export interface PrepareOptions {
  readonly cwd: string;
  readonly accepted?: readonly Need[] | undefined;
  /** The child is given the terminal of pryx. */
  readonly terminal: boolean;
  /** It may share an empty network with others that may. */
  readonly sharesLoopback: boolean;
}

export interface Kernel extends AsyncDisposable {
  /** What is made for children lies in it. There from the first `prepare` on. */
  readonly folder: string;
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
    const plain = {
      env: variables,
      connected: () => [],
      refused: () => [],
      readOnly: closed.closed.filter(({ access }) => access === "read").map(({ path }) => path),
      problem: () => undefined,
      release: () => places.release(),
    };
    try {
      if (which.name === "bubblewrap") {
        const wrapped = await bubblewrapLayer(which.bubblewrap).confine(envelope, places, closed, given);
        return {
          ...plain,
          ...wrapped,
          async release() {
            await wrapped.release();
            await places.release();
          },
        };
      }
      if (which.name === "landlock") {
        const { confineWithLandlock } = await import("./_landlock_layer.ts");
        const { createSpawner } = await import("./_spawner.ts");
        spawner ??= opened.use(createSpawner());
        const confinement = confineWithLandlock(spawner, {
          baseline: baseline(),
          envelope,
          places,
          closed: closed.closed,
          openNetwork: accepted?.some(({ kind, target }) => kind === "net" && target === "**") === true,
          terminal: given.terminal,
        });
        return { ...plain, confinement };
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
        return { ...plain, confinement: { layer: "seatbelt", argv: [SANDBOX_EXEC, "-p", profile] } };
      }
      return { ...plain, confinement: { layer: "none" } };
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
