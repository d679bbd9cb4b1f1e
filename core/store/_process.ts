let bootId: string | undefined;

/**
 * When a process began, as text that differs between two processes that had the same pid; undefined when no such
 * process lives. Never sends a signal.
 */
export function processStart(pid: number): string | undefined {
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  if (Deno.build.os === "linux" || Deno.build.os === "android") return linuxStart(pid);
  if (Deno.build.os === "windows") return isAlive(pid) ? "alive" : undefined;
  return unixStart(pid);
}

/** Field 22 of /proc/PID/stat (proc_pid_stat(5)): clock ticks after boot; the boot is named beside it. */
function linuxStart(pid: number): string | undefined {
  let stat: string;
  try {
    stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  } catch (error) {
    // ESRCH: it ended between open and read.
    if (
      error instanceof Deno.errors.NotFound || (error instanceof Error && /os error 3\b/.test(error.message))
    ) {
      return undefined;
    }
    return isAlive(pid) ? "alive" : undefined;
  }
  // The name in field 2 may hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // A zombie holds nothing any more: its parent has just not looked yet.
  if (fields[0] === "Z" || fields[0] === "X") return undefined;
  bootId ??= readBootId();
  return `${bootId}:${fields[19]}`;
}

function readBootId(): string {
  try {
    return Deno.readTextFileSync("/proc/sys/kernel/random/boot_id").trim();
  } catch {
    return "boot";
  }
}

function unixStart(pid: number): string | undefined {
  try {
    const { success, stdout } = new Deno.Command("/bin/ps", {
      args: ["-o", "lstart=", "-p", String(pid)],
      env: { LC_ALL: "C", TZ: "UTC" },
      stdin: "null",
      stderr: "null",
    }).outputSync();
    return success ? new TextDecoder().decode(stdout).trim() || undefined : undefined;
  } catch {
    return isAlive(pid) ? "alive" : undefined;
  }
}

/** Signal 0 tests for existence (kill(2)); EPERM means that it lives and is another user's. */
function isAlive(pid: number): boolean {
  try {
    // The global is loaded when it is reached: node:process costs 10 ms at start-up, and this is hardly ever needed.
    // deno-lint-ignore no-process-global
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
