import type { SandboxLayer } from "./sandbox.ts";

/** What is enforced now, beneath the policy. A layer that is not applied is said to be inactive, even where the system has it. */
export function describeLayers(os: string = Deno.build.os): readonly SandboxLayer[] {
  const unix = os !== "windows";
  const unconfined = "not applied: child processes have the rights of the user who runs pryx";
  return [
    {
      name: "deno",
      active: true,
      detail: "file tools run in workers that hold only the granted folders; every file is checked twice",
    },
    {
      name: "process",
      active: unix,
      detail: unix
        ? "children have their own group, a reaper, an allowlisted environment and limits on time, CPU, memory and output"
        : "children have an allowlisted environment and a time limit; there are no process groups here",
    },
    { name: "landlock", active: false, detail: unconfined },
    { name: "seccomp", active: false, detail: unconfined },
    { name: "bubblewrap", active: false, detail: unconfined },
  ];
}
