import type { Envelope } from "../domain/envelope.ts";
import type { Need } from "../domain/need.ts";
import { isWithin, outermost } from "./_path_pattern.ts";

/**
 * An envelope as a person reads it before deciding, one line for each kind of power. Not escaped. `reach`: what this
 * machine cannot keep from a command with this envelope; nothing is promised that it does not keep.
 */
export function describeEnvelope(
  envelope: Envelope,
  workspace: string,
  reach: readonly Need[] = [],
): string[] {
  const { read, write, network, unixSockets } = envelope;
  const files = reach.filter(({ kind }) => kind === "read" || kind === "write");
  const whole = (wanted: string) => files.some(({ kind, target }) => kind === wanted && target === "/");
  if (whole("read") && whole("write")) {
    return ["do all that the user who runs pryx may do: nothing on this machine holds it to less"];
  }
  const butFor = files.length === 0 ? "" : ", but for what is within reach";
  const only = read.filter((path) => !write.some((root) => isWithin(path, root)));
  const frozen = write.some((root) => isWithin(workspace, root))
    ? `; in them secret files stay closed, protected ones unchanged${butFor}`
    : "";
  return [
    `read and run: the system's programs, this user's toolchains${listed(outermost(only))}` +
    (frozen === "" ? `; secret files stay closed${butFor}` : ""),
    `write: a temporary folder of its own${listed(outermost(write))}${frozen}`,
    `network: ${
      network === "none"
        ? "none"
        : network === "all"
        ? "all of it, this machine's own services too"
        : `${network.hosts.join(", ")}; nothing else`
    }`,
    ...(unixSockets ? ["Unix sockets: open, with what listens behind them (docker, D-Bus, ssh-agent)"] : []),
  ];
}

function listed(paths: readonly string[]): string {
  return paths.map((path) => `, ${path}`).join("");
}
