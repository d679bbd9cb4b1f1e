import type { Envelope } from "../domain/envelope.ts";
import type { BaselineFolders } from "./baseline.ts";
import type { ClosedPath } from "./_closed_paths.ts";
import { type Confinement, startedAs } from "./_confinement.ts";
import { landlockRules } from "./_landlock_rules.ts";
import { isInside } from "./_paths.ts";
import type { Places } from "./_places.ts";
import type { Spawner } from "./_spawner.ts";

export interface LandlockPlan {
  readonly baseline: BaselineFolders;
  readonly envelope: Envelope;
  readonly places: Places;
  readonly closed: readonly ClosedPath[];
  /** The whole network was accepted where hosts were meant; without that, hosts are no network at all. */
  readonly openNetwork: boolean;
  readonly terminal: boolean;
}

/** Entries around what is closed in folders that are read; what is closed in those that are written was accepted. */
export function confineWithLandlock(spawner: Spawner, plan: LandlockPlan): Confinement {
  const { baseline, envelope, places, closed, openNetwork, terminal } = plan;
  const write = [...places.write, baseline.temp];
  const rules = landlockRules({
    read: [...baseline.read, ...places.read],
    write,
    closed: closed.filter(({ path, access }) =>
      access === "none" && !write.some((root) => isInside(path, root))
    ).map(({ path }) => path),
    terminals: terminal,
  });
  const { network, unixSockets } = envelope;
  const open = network === "all" || (network !== "none" && openNetwork);
  return {
    layer: "landlock",
    async start(command) {
      const restriction = { rules, network: open ? "all" : "none", unixSockets } as const;
      return startedAs(command, await spawner.spawn(command, restriction));
    },
  };
}
