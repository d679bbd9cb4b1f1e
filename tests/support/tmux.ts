/** A real terminal: a tmux server of its own on a private socket, ended with the test. */
export interface Tmux extends AsyncDisposable {
  readonly folder: string;
  /** Types text literally. */
  type(text: string): Promise<void>;
  /** Presses a key by tmux's name: `Enter`, `C-c`, `Tab`. */
  press(...keys: string[]): Promise<void>;
  /** What is on the screen now. */
  screen(): Promise<string>;
  /** The screen, once `pattern` is on it. Rejects with the screen after ten seconds. */
  shows(pattern: RegExp): Promise<string>;
}

export function hasProgram(name: string): boolean {
  const { success } = new Deno.Command("sh", { args: ["-c", `command -v ${name}`], stdout: "null" })
    .outputSync();
  return success;
}

/** @param command run in a fresh 100×40 terminal. */
export async function openTmux(command: readonly string[], env: Record<string, string> = {}): Promise<Tmux> {
  const folder = await Deno.makeTempDir({ prefix: "pryx-tmux-" });
  const tmux = async (...args: string[]): Promise<string> => {
    const { success, stdout, stderr } = await new Deno.Command("tmux", {
      args: ["-S", `${folder}/socket`, "-f", "/dev/null", ...args],
      env: { LC_ALL: "C.UTF-8", ...env },
    }).output();
    if (!success) throw new Error(`tmux ${args[0]}: ${new TextDecoder().decode(stderr)}`);
    return new TextDecoder().decode(stdout);
  };
  const line = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
  const vars = Object.entries(env).flatMap(([name, value]) => ["-e", `${name}=${value}`]);
  await tmux(
    "new-session",
    "-d",
    "-x",
    "100",
    "-y",
    "40",
    ...vars,
    line,
    ";",
    "set-option",
    "remain-on-exit",
    "on",
  );
  return {
    folder,
    async type(text) {
      await tmux("send-keys", "-l", "--", text);
    },
    async press(...keys) {
      await tmux("send-keys", ...keys);
    },
    screen: () => tmux("capture-pane", "-p"),
    async shows(pattern) {
      const end = Date.now() + 10_000;
      let screen = "";
      while (Date.now() < end) {
        screen = await tmux("capture-pane", "-p");
        if (pattern.test(screen)) return screen;
        await new Promise((next) => setTimeout(next, 25));
      }
      throw new Error(`the screen never showed ${pattern}:\n${screen}`);
    },
    async [Symbol.asyncDispose]() {
      await tmux("kill-server").catch(() => {});
      await Deno.remove(folder, { recursive: true });
    },
  };
}
