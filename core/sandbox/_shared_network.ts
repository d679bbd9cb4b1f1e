import { dirname, join } from "node:path";
import { NETWORK_ALONE } from "./bubblewrap.ts";
import { type Bubblewrap, ENVIRONMENT, outputOf } from "./_find_bubblewrap.ts";
import { findExecutable } from "./_executable.ts";

/** Puts a program into the namespace: the command line that starts it there. */
export type Around = (program: readonly string[]) => readonly string[];

/**
 * One network namespace for several children, with nothing in it but a loopback: a server that one of them left running
 * answers the others, and nobody else. Made when it is first asked for; gone when pryx is.
 */
export interface SharedNetwork extends AsyncDisposable {
  /** Undefined where it cannot be made or entered: then each child has a network of its own. */
  enter(): Promise<Around | undefined>;
}

interface Holder {
  readonly around: Around;
  readonly child: Deno.ChildProcess;
  gone: boolean;
}

/** Of util-linux; looked for beside bwrap first, so that it comes from no folder that bwrap would not come from. */
const NSENTER = "nsenter";

export function createSharedNetwork({ program }: Bubblewrap): SharedNetwork {
  let made: Promise<Holder | undefined> | undefined;
  let impossible = false;

  return {
    async enter() {
      if (impossible) return undefined;
      const holder = await (made ??= hold(program));
      if (holder !== undefined && !holder.gone) return holder.around;
      if (holder === undefined) impossible = true;
      // Somebody ended it: the next child makes a new one.
      made = undefined;
      return undefined;
    },
    async [Symbol.asyncDispose]() {
      const holder = await made;
      made = undefined;
      if (holder) await end(holder.child);
    },
  };
}

/** A process that keeps the namespace there, and ends when its input closes, however pryx dies. */
async function hold(bwrap: string): Promise<Holder | undefined> {
  let child: Deno.ChildProcess | undefined;
  try {
    const nsenter = findExecutable(NSENTER, `${dirname(bwrap)}:/usr/bin:/bin`, "/");
    child = new Deno.Command(bwrap, {
      args: [...NETWORK_ALONE, "/bin/sh", "-c", HOLD],
      cwd: "/",
      clearEnv: true,
      env: ENVIRONMENT,
      detached: true,
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const pid = await firstLine(child.stdout);
    if (!/^\d+$/.test(pid)) throw new Error("no namespace was made");
    const at = join("/proc", pid, "ns");
    const enter = [nsenter, `--user=${at}/user`, `--net=${at}/net`, "--preserve-credentials", "--"];
    const around: Around = (words) => [...enter, ...words];
    const [first = "", ...args] = around(["/bin/sh", "-c", ":"]);
    const { success } = await outputOf(first, args);
    if (!success) throw new Error("the namespace cannot be entered");
    const holder: Holder = { around, child, gone: false };
    child.status.then(() => holder.gone = true, () => holder.gone = true);
    return holder;
  } catch {
    if (child) await end(child);
    return undefined;
  }
}

const HOLD = "echo $$; exec cat >/dev/null";

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { done, value } = await reader.read();
    if (done) break;
    text += value;
  }
  await reader.cancel();
  return text.split("\n")[0] ?? "";
}

async function end(child: Deno.ChildProcess): Promise<void> {
  await child.stdin.close().catch(() => {});
  await child.stdout.cancel().catch(() => {});
  await child.status;
}
