import type { Envelope } from "../domain/envelope.ts";
import { isWithin } from "./_path_pattern.ts";

/** An envelope as a person reads it before deciding, one line for each kind of power. Not escaped. */
export function describeEnvelope(envelope: Envelope, workspace: string): string[] {
  const { read, write, network, unixSockets } = envelope;
  const only = read.filter((path) => !write.some((root) => isWithin(path, root)));
  const frozen = write.some((root) => isWithin(workspace, root))
    ? "; in them secret files stay closed, protected ones unchanged"
    : "";
  return [
    `read and run: the system's programs, this user's toolchains${listed(outermost(only))}` +
    (frozen === "" ? "; secret files stay closed" : ""),
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

/** Without what another covers. */
function outermost(paths: readonly string[]): string[] {
  return paths.filter((path) => !paths.some((other) => other !== path && isWithin(path, other)));
}
