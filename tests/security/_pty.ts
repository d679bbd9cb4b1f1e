/** A program in a terminal of its own (`script` of util-linux), with every byte that it wrote there. */
export interface Pty extends AsyncDisposable {
  /** Everything so far, sequences and all. */
  readonly written: string;
  type(keys: string): Promise<void>;
  /** Resolves when `pattern` was written after the text that an earlier call waited for. */
  writes(pattern: RegExp): Promise<void>;
  ended(): Promise<number>;
}

export function openPty(
  command: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Pty {
  const quoted = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
  const child = new Deno.Command("script", {
    args: ["-qfec", `stty cols 200 rows 50; exec ${quoted}`, "/dev/null"],
    cwd: options.cwd,
    env: { ...options.env, TERM: "xterm-256color", SHELL: "/bin/sh", LC_ALL: "C.UTF-8" },
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const keys = child.stdin.getWriter();
  let written = "";
  let read = 0;
  let ended = false;
  const waiting: (() => void)[] = [];
  const wake = () => waiting.splice(0).forEach((next) => next());
  const reading = (async () => {
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      written += text;
      wake();
    }
    ended = true;
    wake();
  })();
  return {
    get written() {
      return written;
    },
    type: (text) => keys.write(new TextEncoder().encode(text)),
    async writes(pattern) {
      for (;;) {
        const found = pattern.exec(written.slice(read));
        if (found) {
          read += found.index + found[0].length;
          return;
        }
        if (ended) throw new Error(`it ended without writing ${pattern}:\n${written.slice(-3000)}`);
        await new Promise<void>((next) => waiting.push(next));
      }
    },
    async ended() {
      await reading;
      return (await child.status).code;
    },
    async [Symbol.asyncDispose]() {
      await keys.close().catch(() => {});
      try {
        if (!ended) child.kill("SIGKILL");
      } catch {
        // It has just ended.
      }
      await Promise.allSettled([reading, child.status]);
    },
  };
}
