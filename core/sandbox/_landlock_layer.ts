import type { Envelope } from "../domain/envelope.ts";
import type { BaselineFolders } from "./baseline.ts";
import type { ClosedPath } from "./_closed_paths.ts";
import { type Confinement, startedAs } from "./_confinement.ts";
import { landlockRules, rulesKey } from "./_landlock_rules.ts";
import { isInside } from "./_paths.ts";
import type { Places } from "./_places.ts";
import type { Spawner } from "./_spawner.ts";
import type { ThreadRestriction } from "./landlock.ts";

export interface LandlockPlan {
  readonly baseline: BaselineFolders;
  readonly envelope: Envelope;
  readonly places: Places;
  readonly closed: readonly ClosedPath[];
  /** The whole network was accepted where hosts were meant; without that, hosts are no network at all. */
  readonly openNetwork: boolean;
  readonly terminal: boolean;
  /** A program beside. */
  readonly shell?: string;
}

/** Entries around what is closed in folders that are read; what is closed in those that are written was accepted. */
export function confineWithLandlock(spawner: Spawner, plan: LandlockPlan): Confinement {
  return {
    layer: "landlock",
    async start(command) {
      const child = await spawner.spawn(command, restrictionOf(plan));
      return startedAs(command, child, child.hold);
    },
  };
}

/** All that {@link confineWithLandlock} holds a child to, as it is now: the very files and folders, not only their names. */
export function describeLandlock(plan: LandlockPlan): string {
  const { rules, network, unixSockets } = restrictionOf(plan);
  return [network, unixSockets, rulesKey(rules)].join("\0");
}

function restrictionOf(plan: LandlockPlan): ThreadRestriction {
  const { baseline, envelope, places, closed, openNetwork, terminal, shell } = plan;
  const write = [...places.write, baseline.temp];
  const rules = landlockRules({
    read: [...baseline.read, ...places.read, ...shell === undefined ? [] : [shell]],
    write,
    closed: closed.filter(({ path, access }) =>
      access === "none" && !write.some((root) => isInside(path, root))
    ).map(({ path }) => path),
    terminals: terminal,
  });
  const { network, unixSockets } = envelope;
  const open = network === "all" || (network !== "none" && openNetwork);
  return { rules, network: open ? "all" : "none", unixSockets };
}
