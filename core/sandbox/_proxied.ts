import type { Network, Refusal } from "../domain/envelope.ts";
import { formatPlace } from "../domain/need.ts";
import { NETWORK_ALONE } from "./bubblewrap.ts";
import type { Bubblewrap } from "./_find_bubblewrap.ts";

export interface ProxiedOptions {
  readonly network: Exclude<Network, string>;
  /** pryx's own environment, for the user's proxy. */
  readonly env: Readonly<Record<string, string>>;
  readonly socketPath: string;
  readonly self: readonly [string, ...string[]];
  readonly bubblewrap: Bubblewrap;
}

/** The network of one child: a namespace whose only way out is the filtering proxy. */
export interface Proxied extends AsyncDisposable {
  /** Command line that starts a program in it. */
  around(program: readonly string[]): readonly string[];
  /** Hosts that were reached until now, `host:port`, in order. */
  connected(): readonly string[];
  refused(): readonly Refusal[];
}

/**
 * Opens a proxy for one child. Around the child's own bubblewrap comes an outer one that makes the namespace of the
 * network and nothing else: in it the bridge listens, which is this program and needs to see its own files.
 */
export async function openProxy(options: ProxiedOptions): Promise<Proxied> {
  const { network, env, socketPath, self, bubblewrap } = options;
  const [{ createProxy }, { hostReach }, { bridgeArgv }] = await Promise.all([
    import("./proxy.ts"),
    import("./_proxy_grants.ts"),
    import("./bridge.ts"),
  ]);
  const connected = new Set<string>();
  const refused = new Map<string, Refusal>();
  const granted = hostReach(network.hosts);
  const proxy = await createProxy({
    socketPath,
    env,
    reach: (host, port) => network.allows(host, port) ? granted(host, port) : "none",
    onNotice: (notice) => {
      const place = formatPlace(notice.host, notice.port);
      if (notice.kind === "connected") connected.add(place);
      if (notice.kind !== "refused") return;
      refused.set(place, { need: { kind: "net", target: place }, evidence: `${place}: ${notice.why}` });
    },
  });
  return {
    around: (program) => [
      bubblewrap.program,
      ...NETWORK_ALONE,
      ...bridgeArgv(self, socketPath, network.hosts, program),
    ],
    connected: () => [...connected],
    refused: () => [...refused.values()],
    [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
  };
}
