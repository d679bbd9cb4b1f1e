import { delimiter } from "node:path";
import { messageOf, PryxError } from "../domain/error.ts";
import { type BubblewrapFeatures, OWN_NAMESPACES } from "./bubblewrap.ts";
import { findExecutable } from "./_executable.ts";
import { textAt } from "./_proc.ts";

export interface Bubblewrap {
  /** Absolute. */
  readonly program: string;
  /** `0.8.0`. */
  readonly version: string;
  readonly features: BubblewrapFeatures;
}

/** Why it cannot be used, for people, and what to do about it. */
export interface NoBubblewrap {
  readonly why: string;
  readonly fix: string;
  /** The fix in two words, for a sentence. */
  readonly advice: string;
}

const INSTALL =
  "install bubblewrap: apt install bubblewrap (Debian, Ubuntu), dnf install bubblewrap (Fedora), " +
  "pacman -S bubblewrap (Arch), apk add bubblewrap (Alpine)";

/** Looks for bwrap on PATH, never in the folders an agent writes, and tries it once for real. */
export async function findBubblewrap(
  path: string,
  notFrom: readonly string[],
): Promise<Bubblewrap | NoBubblewrap> {
  const program = locate(path, notFrom);
  if (program === undefined) {
    return { why: "bwrap is not installed", fix: INSTALL, advice: "install bubblewrap" };
  }
  const [help, versionText] = await Promise.all([
    outputOf(program, ["--help"]),
    outputOf(program, ["--version"]),
  ]);
  const options = help.stdout + help.stderr;
  const version = versionText.stdout.match(/[\d.]+/)?.[0] ?? "?";
  const missing = ["--seccomp", "--unshare-cgroup-try", "--remount-ro", "--chdir", "--perms"]
    .filter((option) => !options.includes(option));
  if (missing.length > 0) {
    return {
      why: `bwrap ${version} is too old: it lacks ${missing.join(", ")}`,
      fix: "update bubblewrap to 0.5 or newer",
      advice: "update bubblewrap",
    };
  }
  const size = options.includes("--size");
  const wanted = { size, disableUserns: options.includes("--disable-userns") };
  const first = await tryOut(program, wanted);
  if (first === undefined) return { program, version, features: wanted };
  const plain = { size, disableUserns: false };
  const problem = wanted.disableUserns ? await tryOut(program, plain) : first;
  if (problem === undefined) return { program, version, features: plain };
  return refusalOf(program, problem);
}

/** The first on PATH that lies in, and leads to, none of these folders. */
function locate(path: string, notFrom: readonly string[]): string | undefined {
  for (const folder of path.split(delimiter)) {
    try {
      const [program] = [undefined, ...notFrom].map((one) => findExecutable("bwrap", folder, "/", one));
      if (program !== undefined) return program;
    } catch (error) {
      if (!(error instanceof PryxError)) throw error;
    }
  }
  return undefined;
}

/** What every child needs, with nothing in it. Undefined when it works, else what bwrap said. */
async function tryOut(program: string, features: BubblewrapFeatures): Promise<string | undefined> {
  const { success, stderr } = await outputOf(program, [
    ...[...OWN_NAMESPACES, "--unshare-net", ...features.disableUserns ? ["--disable-userns"] : []],
    ...["--cap-drop", "ALL", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"],
    ...["--perms", "1777", "--tmpfs", "/dev/shm", "--", "/bin/sh", "-c", ":"],
  ]);
  return success ? undefined : stderr.trim() || "it failed without a word";
}

function refusalOf(program: string, problem: string): NoBubblewrap {
  const advice = "see pryx doctor --only sandbox";
  const why = `${program} does not work here: ${problem.split("\n")[0]}`;
  const cause = CAUSES.find(({ setting, value }) =>
    textAt(`/proc/sys/${setting.replaceAll(".", "/")}`) === value
  );
  return cause === undefined
    ? { why, fix: FIX_IN_CONTAINER, advice }
    : { why: `${why} (${cause.why})`, fix: cause.fix, advice };
}

/** Settings of the kernel that forbid what bwrap does. */
const CAUSES = [
  {
    setting: "kernel.apparmor_restrict_unprivileged_userns",
    value: "1",
    why: "AppArmor forbids user namespaces",
    fix:
      "give bwrap an AppArmor profile with `userns,` (package apparmor-profiles: bwrap-userns-restrict), " +
      "or sysctl kernel.apparmor_restrict_unprivileged_userns=0",
  },
  {
    setting: "kernel.unprivileged_userns_clone",
    value: "0",
    why: "this kernel forbids user namespaces",
    fix: "sysctl kernel.unprivileged_userns_clone=1",
  },
  {
    setting: "user.max_user_namespaces",
    value: "0",
    why: "user namespaces are switched off",
    fix: "sysctl user.max_user_namespaces=10000",
  },
] as const;
const FIX_IN_CONTAINER =
  "in a container, allow user namespaces and a new /proc (docker: --security-opt seccomp=unconfined " +
  "--security-opt systempaths=unconfined)";

/** For programs that pryx itself chose: nothing of the user's environment. */
export const ENVIRONMENT = { PATH: "/usr/bin:/bin", LC_ALL: "C" };

/** Runs one to its end. One that cannot be started did not succeed; why is in `stderr`. */
export async function outputOf(
  program: string,
  args: readonly string[],
): Promise<{ success: boolean; stdout: string; stderr: string }> {
  try {
    const result = await new Deno.Command(program, {
      args: [...args],
      cwd: "/",
      clearEnv: true,
      env: ENVIRONMENT,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { success: result.success, stdout: text(result.stdout), stderr: text(result.stderr) };
  } catch (error) {
    return { success: false, stdout: "", stderr: messageOf(error) };
  }
}
