import type { Envelope } from "../domain/envelope.ts";
import type { Need } from "../domain/need.ts";
import type { ClosedPath, FoundClosed } from "./_closed_paths.ts";
import { isInside } from "./_paths.ts";
import type { KernelLayer } from "./kernel.ts";

export interface ShortfallParts {
  readonly envelope: Envelope;
  readonly closed: FoundClosed;
  readonly layer: KernelLayer;
  /** Hosts can be told apart: the proxy can be put in the way, where there is bubblewrap. */
  readonly proxied: boolean;
}

/** What is within reach of a child with this envelope and should not be, most specific first. Pure. */
export function shortfallOf({ envelope, closed, layer, proxied }: ShortfallParts): readonly Need[] {
  if (layer.name === "none") return everything(envelope, layer.missing?.advice);
  const files = closed.closed.flatMap((one) => fileShortfall(one, envelope, layer));
  const unseen = closed.unseen.flatMap((root): Need[] => {
    const reach =
      "it holds too many folders, or too many closed files, to close every one: secret files in it may be read";
    return [{ kind: isWritten(root, envelope) ? "write" : "read", target: root, reach }];
  });
  return [...files, ...unseen, ...networkShortfall(envelope, layer, proxied)];
}

function fileShortfall(one: ClosedPath, envelope: Envelope, layer: KernelLayer): Need[] {
  const { path, access, linked } = one;
  const kind = access === "none" ? "read" : "write";
  const within = layer.name === "landlock" && isWritten(path, envelope);
  if (within) {
    const doing = access === "none" ? "read and changed" : "changed";
    const reach =
      `it could be ${doing}: without bubblewrap nothing can be closed inside a folder that may be written ` +
      `(${layer.missing.advice})`;
    return [{ kind, target: path, reach }];
  }
  if (!linked) return [];
  return [{
    kind,
    target: path,
    reach: "it has another name (a hard link), which may lie where the command can go",
  }];
}

function networkShortfall({ network }: Envelope, layer: KernelLayer, proxied: boolean): Need[] {
  if (typeof network === "string") return [];
  if (layer.name === "bubblewrap" && proxied) return [];
  const hosts = network.hosts.join(", ");
  const fix = layer.name === "landlock" ? ` (${layer.missing.advice})` : "";
  const reach = `only ${hosts} was meant, but here the whole network is open or none of it${fix}`;
  return [{ kind: "net", target: "**", reach }];
}

/** No layer at all: the rights of the user. Files are named even where all of them are open: what rules close is not. */
function everything(envelope: Envelope, advice: string | undefined): Need[] {
  const reach = `nothing on this machine holds a command: it has the rights of the user who runs pryx${
    advice === undefined ? "" : ` (${advice})`
  }`;
  return [
    { kind: "read", target: "/", reach },
    { kind: "write", target: "/", reach },
    ...envelope.network === "all" ? [] : [{ kind: "net", target: "**", reach } as const],
    ...envelope.unixSockets ? [] : [{ kind: "net", target: "unix", reach } as const],
  ];
}

function isWritten(path: string, { write }: Envelope): boolean {
  return write.some((root) => isInside(path, root));
}
