/** Subcommands that bring something in from outside; an empty list: whatever the program does. */
const FETCHES: Readonly<Record<string, readonly string[]>> = {
  ...programs(
    "curl wget http https xh aria2c lynx w3m links ssh scp sftp rsync ftp telnet nc ncat netcat socat openssl",
  ),
  ...programs("gh glab hub aws gcloud az kubectl npx pnpx bunx uvx pipx yt-dlp"),
  git: ["clone", "fetch", "pull", "ls-remote", "submodule", "archive"],
  ...programs(
    "npm pnpm yarn bun",
    "install i ci add update upgrade view info show search audit exec dlx x create outdated",
  ),
  ...programs("pip pip3 uv poetry conda", "install download add sync update search index"),
  ...programs("cargo go gem bundle composer deno", "install add get update fetch download search require"),
  ...programs("apt apt-get dnf yum apk pacman brew", "install update upgrade search show info add"),
  ...programs("docker podman", "pull run build search login"),
};

function programs(names: string, subcommands = ""): Record<string, readonly string[]> {
  const list = subcommands === "" ? [] : subcommands.split(" ");
  return Object.fromEntries(names.split(" ").map((name) => [name, list]));
}

/** Words between a program and its subcommand: `git -C folder pull`. */
const REACH = 4;

/**
 * The program in a command line that talks to the network, by name, or undefined. Looks at words alone, wherever they
 * stand, so that quoting and wrappers hide none; a word too many only means that the session is careful without need.
 * A program of one's own that uses the network is not known before the kernel can tell.
 */
export function networkedProgram(command: string): string | undefined {
  if (/\/dev\/(?:tcp|udp)\//.test(command)) return "/dev/tcp";
  const words = command.split(/[\s;&|()<>`"'\\$={}]+/);
  for (const [i, word] of words.entries()) {
    const name = word.slice(word.lastIndexOf("/") + 1).toLowerCase();
    if (!Object.hasOwn(FETCHES, name)) continue;
    const wanted = FETCHES[name] ?? [];
    const near = words.slice(i + 1, i + 1 + REACH);
    if (wanted.length === 0 || near.some((one) => wanted.includes(one))) return name;
  }
  return undefined;
}
