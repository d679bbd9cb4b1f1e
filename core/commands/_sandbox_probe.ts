import { join } from "node:path";
import type { Envelope, PathAccess } from "../domain/envelope.ts";
import { PryxError } from "../domain/error.ts";
import type { Need } from "../domain/need.ts";
import type { CappedOutput, Sandbox } from "../sandbox/sandbox.ts";

const ATTEMPTS = ["closed", "outside", "write", "unix", "loopback"] as const;
/** Something that a confined child must not be able to do. */
export type Attempt = typeof ATTEMPTS[number];

export interface ProbeResult {
  readonly attempt: Attempt;
  readonly outcome: "refused" | "done" | "untried";
  /** True when the sandbox says itself that it cannot keep this. */
  readonly expected: boolean;
}

const PERL_UNIX = "socket(S,PF_UNIX,SOCK_STREAM,0) and connect(S,sockaddr_un($ARGV[0])) and exit 0; exit 9";
const PERL_TCP =
  "socket(S,PF_INET,SOCK_STREAM,0) and connect(S,sockaddr_in($ARGV[0],INADDR_LOOPBACK)) and exit 0; exit 9";
const PYTHON = (family: string, address: string) => `
import socket, sys
try: socket.socket(socket.${family}).connect(${address})
except OSError: sys.exit(9)`;

/** Says of every attempt whether it could be done. `$1` is the folder to read, `$2` to write, `$3` neither, `$4` a port. */
const SCRIPT = `
say() { case $2 in 0) echo "$1 done";; 9) echo "$1 refused";; *) echo "$1 untried";; esac; }
turn() { if [ "$1" = 0 ]; then echo 0; else echo 9; fi; }
cat "$1/open" || exit 1
echo written > "$2/file" || exit 1
cat "$1/closed" 2>/dev/null; say closed "$(turn $?)"
cat "$3/secret" 2>/dev/null; say outside "$(turn $?)"
(echo x > "$3/made") 2>/dev/null; say write "$(turn $?)"
if perl -MSocket -e 0 2>/dev/null; then
  perl -MSocket -e '${PERL_UNIX}' "$2/sock"; say unix $?
  perl -MSocket -e '${PERL_TCP}' "$4"; say loopback $?
elif python3 -c 'import socket' 2>/dev/null; then
  python3 -c '${PYTHON("AF_UNIX", "sys.argv[1]")}' "$2/sock"; say unix $?
  python3 -c '${PYTHON("AF_INET", '("127.0.0.1", int(sys.argv[1]))')}' "$4"; say loopback $?
fi
exit 0
`;

/**
 * Starts a child confined to two folders of its own and lets it try what it must not. What it was given must work, or the
 * refusals would prove nothing: then this rejects with `sandbox`.
 */
export async function probeSandbox(sandbox: Sandbox, signal: AbortSignal): Promise<ProbeResult[]> {
  const root = await Deno.realPath(await Deno.makeTempDir({ prefix: "pryx-probe-" }));
  try {
    const [reads, writes, other] = ["r", "w", "o"].map((name) => join(root, name)) as [
      string,
      string,
      string,
    ];
    for (const folder of [reads, writes, other]) await Deno.mkdir(folder);
    await Deno.writeTextFile(join(reads, "open"), "open\n");
    await Deno.writeTextFile(join(reads, "closed"), "closed\n");
    await Deno.writeTextFile(join(other, "secret"), "secret\n");
    return await probe(sandbox, { reads, writes, other }, signal);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

interface Folders {
  readonly reads: string;
  readonly writes: string;
  readonly other: string;
}

async function probe(sandbox: Sandbox, folders: Folders, signal: AbortSignal): Promise<ProbeResult[]> {
  const { reads, writes, other } = folders;
  const envelope = envelopeOf(folders);
  const reach = await sandbox.shortfall(envelope);
  using tcp = listening(Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  using unix = listening(Deno.listen({ transport: "unix", path: join(writes, "sock") }));
  const port = String((tcp.address as Deno.NetAddr).port);
  const result = await sandbox.run({
    argv: ["/bin/sh", "-c", SCRIPT, "sh", reads, writes, other, port],
    cwd: reads,
    timeoutMs: 10_000,
    maxOutputBytes: 65_536,
    signal,
    envelope,
    accepted: reach,
  });
  const output = textOf(result.stdout);
  const written = await Deno.readTextFile(join(writes, "file")).catch(() => "");
  if (result.code !== 0 || !output.startsWith("open\n") || written !== "written\n") {
    throw new PryxError(
      "sandbox",
      `A confined child could not do what it may: ${textOf(result.stderr).trim() || "it failed"}`,
      {
        fix: "report it, with what pryx policy show says of the sandbox",
      },
    );
  }
  const said = new Map(
    [...output.matchAll(/^(\w+) (done|refused|untried)$/gm)].map(([, name, how]) => [name, how]),
  );
  // What really happened counts, not only what the child says of it.
  const happened: Readonly<Record<Attempt, boolean>> = {
    closed: output.includes("\nclosed\n"),
    outside: output.includes("\nsecret\n"),
    write: await Deno.stat(join(other, "made")).then(() => true, () => false),
    unix: unix.reached,
    loopback: tcp.reached,
  };
  return ATTEMPTS.map((attempt) => ({
    attempt,
    outcome: happened[attempt] || said.get(attempt) === "done"
      ? "done"
      : said.get(attempt) === "refused"
      ? "refused"
      : "untried",
    expected: reach.some((need) => allows(need, attempt, folders)),
  }));
}

function envelopeOf({ reads, writes }: Folders): Envelope {
  const closed = join(reads, "closed");
  const within = (path: string, folder: string) => path === folder || path.startsWith(`${folder}/`);
  return {
    read: [reads],
    write: [writes],
    access: (path): PathAccess =>
      within(path, writes) ? "write" : path !== closed && within(path, reads) ? "read" : "none",
    closed: [closed],
    network: "none",
    unixSockets: false,
  };
}

/** True when a need that the sandbox cannot keep covers an attempt. */
function allows({ kind, target }: Need, attempt: Attempt, { reads, other }: Folders): boolean {
  const covers = (path: string) => target === "/" || path === target || path.startsWith(`${target}/`);
  switch (attempt) {
    case "closed":
      return kind === "read" && covers(join(reads, "closed"));
    case "outside":
      return kind === "read" && covers(join(other, "secret"));
    case "write":
      return kind === "write" && covers(join(other, "made"));
    case "unix":
      return kind === "net" && target === "unix";
    case "loopback":
      return kind === "net" && target !== "unix";
  }
}

/** A listener that notes whether anybody came. */
function listening(listener: Deno.Listener) {
  const seen = { reached: false };
  listener.accept().then((connection) => {
    seen.reached = true;
    connection.close();
  }, () => {});
  return {
    address: listener.addr,
    get reached() {
      return seen.reached;
    },
    [Symbol.dispose]: () => listener.close(),
  };
}

function textOf({ head, tail }: CappedOutput): string {
  const decoder = new TextDecoder();
  return decoder.decode(head, { stream: true }) + decoder.decode(tail);
}
