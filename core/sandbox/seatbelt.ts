import type { Network } from "../domain/envelope.ts";
import type { BaselineFolders } from "./baseline.ts";
import type { ClosedPath } from "./_closed_paths.ts";

export interface SeatbeltPlan {
  readonly baseline: BaselineFolders;
  readonly read: readonly string[];
  readonly write: readonly string[];
  readonly closed: readonly ClosedPath[];
  readonly network: Network;
  readonly unixSockets: boolean;
}

/**
 * A profile for macOS' sandbox-exec. The last rule that matches decides, so what is closed comes after what is open.
 * Written from Apple's own profiles; no test has run it on macOS.
 */
export function seatbeltProfile(plan: SeatbeltPlan): string {
  const { baseline, read, write, closed, network, unixSockets } = plan;
  const readable = [...baseline.read, ...read, ...write, baseline.temp];
  const writable = [...write, baseline.temp];
  return [
    "(version 1)",
    "(deny default)",
    "(allow process-fork process-exec*)",
    "(allow process-info* (target same-sandbox))",
    "(allow signal (target same-sandbox))",
    "(allow sysctl-read)",
    "(allow ipc-posix-sem ipc-posix-shm)",
    '(allow mach-lookup (global-name "com.apple.system.opendirectoryd.libinfo" "com.apple.system.logger"' +
    ' "com.apple.trustd.agent" "com.apple.SecurityServer"))',
    "(allow file-read-metadata)",
    `(allow file-read* (literal "/") ${readable.map(subpath).join(" ")})`,
    `(allow file-write* ${writable.map(subpath).join(" ")})`,
    '(allow file-read* file-write* (literal "/dev/null") (literal "/dev/zero") (literal "/dev/tty")' +
    ' (literal "/dev/random") (literal "/dev/urandom") (literal "/dev/dtracehelper") (subpath "/dev/fd"))',
    '(allow file-ioctl (literal "/dev/tty"))',
    ...closed.map(({ path, access }) =>
      access === "none"
        ? `(deny file-read* file-write* ${subpath(path)})`
        : `(deny file-write* ${subpath(path)})`
    ),
    // Hosts cannot be told apart here: without the whole network there is none.
    ...network === "all"
      ? ["(allow network-outbound (remote ip))", "(allow network-inbound (local ip))"]
      : [],
    ...unixSockets ? ["(allow network-outbound (remote unix-socket))"] : [],
    "",
  ].join("\n");
}

function subpath(path: string): string {
  return `(subpath "${path.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}")`;
}
