/** Whether a test may have mounts and a network of its own: as root, or as a user where the kernel lets users. */
export const hasNamespaces: boolean = await (async () => {
  if (Deno.build.os !== "linux") return false;
  const probe = ["--user", "--map-root-user", "--mount", "--net", "sh", "-c", "mount -t tmpfs tmpfs /mnt"];
  try {
    return (await new Deno.Command("unshare", { args: probe, stdout: "null", stderr: "null" }).output())
      .success;
  } catch {
    return false;
  }
})();
