import type { KernelLayer } from "./kernel.ts";
import { type KernelSupport, landlockGaps } from "./landlock.ts";
import type { SandboxLayer } from "./sandbox.ts";

export interface LayerParts {
  readonly layer: KernelLayer;
  readonly support: KernelSupport;
  readonly os?: string;
}

/**
 * What is enforced beneath the policy on this machine. `active` is what a command is held by now: a layer that works and
 * stands by because a stronger one is used says so, and is not active.
 */
export function describeLayers({ layer, support, os = Deno.build.os }: LayerParts): readonly SandboxLayer[] {
  const unix = os !== "windows";
  const common: SandboxLayer[] = [
    {
      name: "deno",
      active: true,
      detail: "file tools run in workers that hold only the granted folders; every file is checked twice",
    },
    {
      name: "process",
      active: unix,
      detail: unix
        ? "children have their own group, a reaper, an allowlisted environment and limits on time, CPU, memory, processes and output"
        : "children have an allowlisted environment and a time limit; there are no process groups here",
    },
  ];
  if (os === "linux") return [...common, ...linuxLayers(layer, support)];
  if (os === "darwin") return [...common, seatbelt(layer)];
  return [...common, ...NO_KERNEL_LAYERS];
}

function linuxLayers(layer: KernelLayer, support: KernelSupport): SandboxLayer[] {
  return [landlock(layer, support), seccomp(layer, support), bubblewrap(layer)];
}

function landlock(
  { name }: KernelLayer,
  { landlock: version, seccomp: filters }: KernelSupport,
): SandboxLayer {
  if (version === 0) {
    return {
      name: "landlock",
      active: false,
      detail: "this kernel does not offer it",
      ...name === "bubblewrap" ? {} : {
        fix: 'use Linux 5.13 or newer with "landlock" in the kernel parameter lsm=, or install bubblewrap',
      },
    };
  }
  if (name === "bubblewrap") {
    return {
      name: "landlock",
      active: false,
      detail: `ready (version ${version}); bubblewrap, which closes more, is used instead`,
    };
  }
  if (name !== "landlock") {
    const why = filters ? "" : ": this kernel has no seccomp, and it is not used alone";
    return { name: "landlock", active: false, detail: `version ${version}, not used${why}` };
  }
  const gaps = landlockGaps(version).join("; ");
  return {
    name: "landlock",
    active: true,
    detail: `version ${version}: commands reach the files of their envelope and no others; ` +
      `not held: a closed file inside a folder that may be written; ${gaps}`,
  };
}

function seccomp({ name }: KernelLayer, { seccomp: filters }: KernelSupport): SandboxLayer {
  const active = name === "bubblewrap" || name === "landlock";
  if (active) {
    return {
      name: "seccomp",
      active,
      detail: name === "bubblewrap"
        ? "Unix sockets, raw sockets, namespaces, ptrace, io_uring and keyrings are refused"
        : "every socket without a granted network, and Unix sockets, ptrace, io_uring and keyrings are refused",
    };
  }
  return {
    name: "seccomp",
    active,
    detail: filters ? "not used without Landlock or bubblewrap" : "this kernel does not offer it",
    ...filters ? {} : { fix: "use a kernel with CONFIG_SECCOMP_FILTER" },
  };
}

function bubblewrap(layer: KernelLayer): SandboxLayer {
  if (layer.name === "bubblewrap") {
    const { program, version } = layer.bubblewrap;
    return {
      name: "bubblewrap",
      active: true,
      detail:
        `${program} ${version}: commands see the files of their envelope and no others, closed ones are masked; ` +
        "processes, and the network unless all of it was granted, are their own",
    };
  }
  const missing = "missing" in layer ? layer.missing : undefined;
  return {
    name: "bubblewrap",
    active: false,
    detail: missing?.why ?? "not used",
    ...missing === undefined ? {} : { fix: missing.fix },
  };
}

function seatbelt({ name }: KernelLayer): SandboxLayer {
  const active = name === "seatbelt";
  return {
    name: "seatbelt",
    active,
    detail: active
      ? "sandbox-exec with a profile of the envelope; unverified: written from Apple's documentation, no test has run it"
      : "there is no /usr/bin/sandbox-exec",
  };
}

const NO_KERNEL_LAYERS: readonly SandboxLayer[] = (["landlock", "seccomp", "bubblewrap"] as const).map((
  name,
) => ({
  name,
  active: false,
  detail: "not on this platform: commands have the rights of the user who runs pryx",
}));
