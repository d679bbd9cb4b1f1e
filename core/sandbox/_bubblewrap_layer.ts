import { join } from "node:path";
import type { Envelope, Refusal } from "../domain/envelope.ts";
import { PryxError } from "../domain/error.ts";
import type { BaselineFolders, NamedLink } from "./baseline.ts";
import { bubblewrapArguments, type BubblewrapPlan, freshFolders } from "./bubblewrap.ts";
import type { FoundClosed } from "./_closed_paths.ts";
import type { Confinement } from "./_confinement.ts";
import type { Bubblewrap } from "./_find_bubblewrap.ts";
import { isInside, outermost } from "./_paths.ts";
import type { Places } from "./_places.ts";
import type { PrivateFolder } from "./_private_folder.ts";
import { openProxy } from "./_proxied.ts";
import type { SharedNetwork } from "./_shared_network.ts";
import { seccompFilter } from "./seccomp.ts";
import { ARGUMENTS_FILE, SECCOMP_FILE } from "./_wrapper.ts";

export interface BubblewrapLayerOptions {
  readonly bubblewrap: Bubblewrap;
  /** For children without a network that share their loopback. */
  readonly shared: SharedNetwork;
  readonly folder: PrivateFolder;
  readonly baseline: BaselineFolders;
  readonly home: string;
  /** pryx's own environment, for the user's proxy. */
  readonly env: Readonly<Record<string, string>>;
  readonly memoryBytes: number;
  readonly self?: readonly [string, ...string[]];
}

/** One child made ready. */
export interface Wrapped {
  readonly confinement: Confinement;
  /** Hosts that were reached through the proxy until now, `host:port`. */
  connected(): readonly string[];
  /** What the proxy refused until now. */
  refused(): readonly Refusal[];
  /** Why the child was never started, when the layer failed to put it together. */
  problem(): string | undefined;
  /** Puts away what was made for it. */
  release(): Promise<void>;
}

export interface BubblewrapLayer {
  confine(
    envelope: Envelope,
    places: Places,
    closed: FoundClosed,
    given: {
      readonly cwd: string;
      readonly sharesLoopback: boolean;
      /** A program that is at {@link SHELL_INSIDE} then. */
      readonly shell?: string;
    },
  ): Promise<Wrapped>;
  /** All that {@link confine} makes the child's file system and network of, as it is now. Hosts have no such name. */
  describe(
    envelope: Envelope,
    places: Places,
    closed: FoundClosed,
    given: { readonly sharesLoopback: boolean },
  ): Promise<string>;
}

/** Part of the memory limit that files in memory (/tmp, /dev/shm) may take, each. */
const MEMORY_FILES_SHARE = 0.25;

export function createBubblewrapLayer(options: BubblewrapLayerOptions): BubblewrapLayer {
  const { bubblewrap, folder, baseline, home, env, self } = options;
  const filters = new Map<string, string>();
  let count = 0;

  /** The file with the filter, written once for each. */
  function filterFile(network: "isolated" | "all", unixSockets: boolean): string {
    const name = `filter-${network}${unixSockets ? "-unix" : ""}`;
    const known = filters.get(name);
    if (known !== undefined) return known;
    const path = join(folder.hidden, name);
    Deno.writeFileSync(path, seccompFilter({ network, unixSockets, arch: Deno.build.arch }), { mode: 0o600 });
    filters.set(name, path);
    return path;
  }

  /** Where private folders lie in what is open, their hidden part is not, nor is anything of other pryx's. */
  function ownFolders(places: Places): readonly string[] {
    const opened = [...places.read, ...places.write];
    const others = () => folder.others().filter((path) => !opened.some((root) => isInside(root, path)));
    return opened.some((root) => isInside(folder.hidden, root)) ? [folder.hidden, ...others()] : [];
  }

  return {
    async describe({ network, unixSockets }, places, { closed }, { sharesLoopback }) {
      const around = network === "none" && sharesLoopback ? await options.shared.enter() : undefined;
      return JSON.stringify([
        network,
        unixSockets,
        around?.([]),
        places.read,
        places.write,
        places.links,
        closed,
        ownFolders(places),
        topFolders(),
      ]);
    },
    async confine(envelope, places, { closed }, { cwd, sharesLoopback, shell }) {
      const { network, unixSockets } = envelope;
      const whole = network === "all";
      const hosts = typeof network === "string" || self === undefined ? undefined : network;
      const around = network === "none" && sharesLoopback ? await options.shared.enter() : undefined;
      const own = ownFolders(places);
      const plan: BubblewrapPlan = {
        features: bubblewrap.features,
        read: outermost([...baseline.read, ...places.read]),
        write: [...places.write, folder.temp],
        temp: folder.temp,
        links: distinctLinks([...baseline.links, ...places.links]),
        closed: [
          ...closed,
          ...own.map((path) => ({ path, access: "none", kind: "folder", linked: false }) as const),
        ],
        closedFile: folder.closedFile,
        closedFolder: folder.closedFolder,
        home,
        shut: topFolders(),
        cwd,
        ...shell === undefined ? {} : { shell },
        ownNetwork: !whole && hosts === undefined && around === undefined,
        unixSockets,
        seccomp: SECCOMP_FILE,
        memoryFiles: Math.floor(options.memoryBytes * MEMORY_FILES_SHARE),
      };
      const args = bubblewrapArguments(plan);
      const id = ++count;
      const messages = join(folder.hidden, `messages-${id}`);
      const started = join(folder.hidden, `started-${id}`);
      const argumentsFile = join(folder.hidden, `arguments-${id}`);
      const text = args.map((one) => `${one}\0`).join("");
      Deno.writeTextFileSync(argumentsFile, text, { mode: 0o600, createNew: true });
      const socketPath = join(folder.hidden, `p${id}`);
      const proxied = hosts && self && await openProxy({ network: hosts, env, socketPath, self, bubblewrap });
      return {
        confinement: {
          layer: "bubblewrap",
          argv: [bubblewrap.program, "--args", String(ARGUMENTS_FILE)],
          seccomp: filterFile(whole ? "all" : "isolated", unixSockets),
          messages,
          started,
          arguments: argumentsFile,
          around: proxied?.around ?? around,
          fresh: freshFolders(plan),
        },
        connected: () => proxied?.connected() ?? [],
        refused: () => proxied?.refused() ?? [],
        problem: () => isEmpty(started) ? textOf(messages) : undefined,
        async release() {
          for (const file of [messages, started, argumentsFile]) await Deno.remove(file).catch(() => {});
          await proxied?.[Symbol.asyncDispose]();
        },
      };
    },
  };
}

/** A link on the way to a root may be one of the system's too; bwrap makes each once. */
function distinctLinks(links: readonly NamedLink[]): NamedLink[] {
  return [...new Map(links.map((link) => [link.path, link])).values()];
}

/** True when there is nothing at all. */
function isEmpty(path: string): boolean {
  try {
    return Deno.statSync(path).size === 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return true;
    throw error;
  }
}

/** What bwrap said, as one line. Undefined when it said nothing. */
function textOf(path: string): string | undefined {
  try {
    const text = Deno.readTextFileSync(path).trim().replace(/\s+/g, " ");
    return text === "" ? undefined : text;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new PryxError("sandbox", `Cannot read what bwrap said: ${String(error)}`, { cause: error });
  }
}

/** Folders at the root of the file system. */
function topFolders(): string[] {
  try {
    return [...Deno.readDirSync("/")].filter(({ isDirectory }) => isDirectory).map(({ name }) => `/${name}`);
  } catch {
    return [];
  }
}
