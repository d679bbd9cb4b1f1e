import type * as Api from "../api.d.ts";
import type { Calls } from "./asking.ts";
import type { Guest } from "./guest.ts";
import type { Filling, Quoting } from "./quoting.ts";

/** What the host's tool `sh` answers. */
export interface ShellData {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  /** Empty when it is no valid UTF-8, or when bytes were asked for. */
  readonly stdout: string;
  readonly stdoutBase64?: string;
  readonly stderr: string;
  readonly ms: number;
  /** What ended it: `cpu`, `memory`, … */
  readonly limit?: string;
  /** What the sandbox refused it. */
  readonly refused?: readonly string[];
}

/** Command lines. */
export function shellApi(
  guest: Guest,
  { _calls: calls, _quoting: quoting }: { readonly _calls: Calls; readonly _quoting: Quoting },
) {
  type Value = Api.ShellValue;
  interface Spec {
    /** Without the variables. */
    readonly text: string;
    readonly variables: ReadonlyMap<string, string>;
    readonly quiet: boolean;
    readonly pipefail: boolean;
    readonly cwd?: string;
    /** Seconds. */
    readonly timeout?: number;
    readonly stdin?: string | Uint8Array;
    /** Where the automation made it: what its errors point at. */
    readonly place: { readonly stack?: string };
  }
  interface Answer {
    readonly result: Api.ShellResult;
    readonly data: ShellData;
  }

  const MAX_SECONDS = 600;
  const SIGNALS: Readonly<Record<string, number>> = {
    SIGHUP: 1,
    SIGINT: 2,
    SIGQUIT: 3,
    SIGILL: 4,
    SIGABRT: 6,
    SIGBUS: 7,
    SIGFPE: 8,
    SIGKILL: 9,
    SIGSEGV: 11,
    SIGPIPE: 13,
    SIGALRM: 14,
    SIGTERM: 15,
    SIGXCPU: 24,
    SIGXFSZ: 25,
    SIGSYS: 31,
  };

  class ShellError extends guest.PryxError {
    readonly command: string;
    readonly exitCode: number;
    readonly stdout: string;
    readonly stderr: string;

    constructor(message: string, code: string, command: string, result: Api.ShellResult) {
      super(message, { code });
      this.command = command;
      this.exitCode = result.code;
      this.stdout = result.stdout;
      this.stderr = result.stderr;
      // What goes to the host with it.
      const data = { command, exitCode: result.code, stdout: result.stdout, stderr: result.stderr };
      Object.defineProperty(this, "data", { value: data });
    }
  }
  calls.named(ShellError, "ShellError");

  const shown = (command: string) => {
    const line = command.split("\n", 1)[0] ?? "";
    return line.length > 100 || line !== command ? `${line.slice(0, 100)}…` : line;
  };
  const lastLines = (text: string) => text.trimEnd().split("\n").slice(-10).join("\n").slice(-2_000);
  const splitLines = (text: string) => {
    const lines = text.split(/\r?\n/);
    if (lines.at(-1) === "") lines.pop();
    return lines;
  };

  /** Words of one value, or what a TypeError says of it. */
  const wordsOf = (value: unknown, index: number): readonly string[] => {
    const refuse = (why: string): never => {
      throw new TypeError(`Value ${index + 1} of the command ${why}`);
    };
    if (typeof value === "string") {
      if (value.includes("\0")) refuse("has a NUL character in it, which no command can");
      if (!value.isWellFormed()) refuse("has half a character in it (a lone surrogate)");
      return [value];
    }
    if (typeof value === "number") return Number.isFinite(value) ? [String(value)] : refuse(`is ${value}`);
    if (typeof value === "bigint" || typeof value === "boolean") return [String(value)];
    if (Array.isArray(value)) return value.flatMap((item) => wordsOf(item, index));
    if (value instanceof Command) return refuse("is a list with a command in it");
    if (value === undefined || value === null) {
      return refuse(`is ${value}: give an empty list for no word, or "" for an empty one`);
    }
    if (typeof (value as { then?: unknown }).then === "function") {
      return refuse("is a promise: await it first");
    }
    return refuse(
      `is ${guest.inspect(value).slice(0, 100)}: only text, numbers, lists of them and commands can be`,
    );
  };

  /** A command inside another takes its text and variables along, and nothing that belongs to a whole command line. */
  const embedded = (spec: Spec, what: string): string => {
    for (const key of ["cwd", "timeout", "stdin"] as const) {
      if (spec[key] !== undefined) {
        throw new TypeError(`${what} has a ${key} of its own: call ${key}() on the whole command instead`);
      }
    }
    return quoting.withVariables(spec.text, spec.variables);
  };

  const parse = (
    texts: TemplateStringsArray,
    values: readonly Value[],
    below: (...args: never[]) => unknown,
  ) => {
    if (!Array.isArray(texts) || !Array.isArray((texts as { raw?: unknown }).raw)) {
      throw new TypeError("sh is a template: sh`ls ${folder}`, not sh(…)");
    }
    let pipefail = false;
    // As it stands in the file, but for what JavaScript itself makes people escape.
    const raw = texts.raw.map((text) => text.replaceAll("\\`", "`").replaceAll(/\\\$\{|\$\\\{/g, "${"));
    const text = quoting.join(raw, (index): Filling => {
      const value = values[index];
      if (value instanceof Command) {
        const spec = specOf(value);
        pipefail ||= spec.pipefail;
        const inner = embedded(spec, `Value ${index + 1} of the command`);
        // Alone it is the whole line, and nothing can be read into it.
        return { text: raw.every((part) => part.trim() === "") ? inner : quoting.group(inner) };
      }
      const number = (typeof value === "number" && Number.isInteger(value)) || typeof value === "bigint";
      return { words: wordsOf(value, index), list: Array.isArray(value), number };
    }).trim();
    if (text === "") throw new TypeError("The command is empty");
    return { text, pipefail, variables: new Map<string, string>(), quiet: false, place: calls.place(below) };
  };

  // For the functions above alone: automations cannot reach it.
  let specOf: (command: Command) => Spec;

  class Command implements Api.ShellCommand {
    readonly command: string;
    readonly #spec: Spec;
    #answer: Promise<Answer> | undefined;

    constructor(spec: Spec) {
      this.#spec = spec;
      this.command = quoting.withVariables(spec.text, spec.variables);
    }

    static {
      specOf = (command) => command.#spec;
    }

    /** Starts it, once: how it was read first says whether people see it and whether it comes in pieces. */
    #run(how: { show?: boolean; bytes?: boolean; on?: (text: string) => void; signal?: AbortSignal }) {
      if (this.#answer !== undefined) return this.#answer;
      const { cwd, stdin, timeout, pipefail, place } = this.#spec;
      const work = async (): Promise<Answer> => {
        const { on, signal } = how;
        const answer = await calls.tool("sh", {
          command: this.command,
          cwd,
          stdin: typeof stdin === "string" ? stdin : undefined,
          stdinBase64: stdin instanceof Uint8Array ? guest.toBase64(stdin) : undefined,
          timeout,
          pipefail: pipefail || undefined,
          bytes: how.bytes,
        }, {
          show: how.show === true,
          ...(signal === undefined ? {} : { signal }),
          ...(on === undefined ? {} : { on: ({ stream, text }) => stream === "stdout" && on(text) }),
        }).catch((error) => {
          throw calls.placed(error, place);
        });
        const data = answer.data as unknown as ShellData;
        const code = data.timedOut ? 124 : data.code ?? 128 + (SIGNALS[data.signal ?? ""] ?? 0);
        const stdout = data.stdoutBase64 === undefined
          ? data.stdout
          : new TextDecoder().decode(guest.fromBase64(data.stdoutBase64));
        const result = { code, ok: code === 0, stdout, stderr: data.stderr, ms: data.ms };
        if (data.timedOut) {
          throw this.#failed(`did not end in its time (${timeout ?? 120} seconds)`, "timeout", result);
        }
        return { data, result };
      };
      this.#answer = work();
      // Whoever reads it is told; a loop that was left is not.
      this.#answer.catch(() => {});
      return this.#answer;
    }

    #failed(what: string, code: string, result: Api.ShellResult): Error {
      const why = lastLines(result.stderr);
      const said = why === "" ? "" : `:\n${why}`;
      const error = new ShellError(`${shown(this.command)} ${what}${said}`, code, this.command, result);
      calls.placed(error, this.#spec.place);
      return error;
    }

    #checked({ result, data }: Answer): Api.ShellResult {
      if (result.ok) return result;
      const how = data.signal === null || data.signal === undefined
        ? `ended with exit code ${result.code}`
        : `was ended by ${data.signal}`;
      const limit = data.limit === undefined ? "" : ` (its limit of ${data.limit})`;
      const refused = data.refused?.length ? `, and was refused: ${data.refused.join(", ")}` : "";
      throw this.#failed(how + limit + refused, "tool_failed", result);
    }

    async #read(bytes = false): Promise<Answer> {
      const answer = await this.#run(bytes ? { bytes } : {});
      this.#checked(answer);
      return answer;
    }

    then<A = Api.ShellResult, B = never>(
      resolve?: ((result: Api.ShellResult) => A | PromiseLike<A>) | null,
      reject?: ((error: unknown) => B | PromiseLike<B>) | null,
    ): Promise<A | B> {
      return this.#run({ show: !this.#spec.quiet }).then((answer) => this.#checked(answer)).then(
        resolve,
        reject,
      );
    }

    async text() {
      const { result } = await this.#read();
      return result.stdout.replace(/[\r\n]+$/, "");
    }

    async lines() {
      const { result } = await this.#read();
      return splitLines(result.stdout);
    }

    async json<T = Api.Json>(): Promise<T> {
      const { result } = await this.#read();
      try {
        return JSON.parse(result.stdout);
      } catch (error) {
        throw this.#failed(`did not write JSON (${calls.message(error)})`, "output_invalid", result);
      }
    }

    async bytes() {
      const { data, result } = await this.#read(true);
      return data.stdoutBase64 === undefined
        ? new TextEncoder().encode(result.stdout)
        : guest.fromBase64(data.stdoutBase64);
    }

    async ok() {
      return (await this.#run({})).result.ok;
    }

    async result() {
      return (await this.#run({ show: !this.#spec.quiet })).result;
    }

    async *[Symbol.asyncIterator](): AsyncGenerator<string, undefined> {
      if (this.#answer !== undefined) {
        yield* splitLines((await this.#read()).result.stdout);
        return;
      }
      let rest = "";
      const pieces = calls.pieces<string>((push, signal) => this.#run({ on: push, signal }));
      for await (const piece of pieces) {
        const parts = (rest + piece).split("\n");
        rest = parts.pop() ?? "";
        for (const line of parts) yield line.endsWith("\r") ? line.slice(0, -1) : line;
      }
      if (rest !== "") yield rest;
      this.#checked(await this.#run({}));
    }

    #with(change: Partial<Spec>): Command {
      return new Command({ ...this.#spec, ...change });
    }

    quiet() {
      return this.#with({ quiet: true });
    }

    cwd(folder: string) {
      if (calls.text(folder, "The folder of cwd()") === "") {
        throw new TypeError("The folder of cwd() is empty");
      }
      return this.#with({ cwd: folder });
    }

    env(variables: Readonly<Record<string, string | number | boolean>>) {
      const all = new Map(this.#spec.variables);
      for (const [name, value] of Object.entries(variables)) {
        if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
          throw new TypeError(`${guest.inspect(name)} is no name of an environment variable`);
        }
        if (!["string", "number", "boolean"].includes(typeof value)) {
          throw new TypeError(
            `The environment variable ${name} is text, a number or a boolean, not ${guest.inspect(value)}`,
          );
        }
        const text = String(value);
        if (text.includes("\0") || !text.isWellFormed()) {
          throw new TypeError(`The environment variable ${name} has a character in it that none can have`);
        }
        all.set(name, text);
      }
      return this.#with({ variables: all });
    }

    timeout(limit: number | string) {
      const seconds = calls.milliseconds(limit, "The limit of timeout()") / 1_000;
      if (seconds <= 0 || seconds > MAX_SECONDS) {
        throw new RangeError("The limit of timeout() is more than nothing, and ten minutes at most");
      }
      return this.#with({ timeout: seconds });
    }

    stdin(input: string | Uint8Array) {
      const text = typeof input === "string" ? input : calls.bytesOf(input)?.slice();
      if (text === undefined) {
        throw new TypeError(`The input of stdin() is text or bytes, not ${guest.inspect(input)}`);
      }
      return this.#with({ stdin: text });
    }

    pipe(next: Api.ShellCommand | TemplateStringsArray, ...values: readonly Value[]): Command {
      const right = next instanceof Command
        ? next.#spec
        : parse(next as TemplateStringsArray, values, this.pipe);
      const left = this.#spec;
      const text = [
        quoting.group(quoting.withVariables(left.text, left.variables)),
        quoting.group(embedded(right, "The command that is piped into")),
      ].join(" | ");
      return this.#with({
        text,
        variables: new Map(),
        pipefail: true,
        quiet: left.quiet || right.quiet,
        place: calls.place(this.pipe),
      });
    }
  }
  calls.named(Command, "ShellCommand");

  function sh(texts: TemplateStringsArray, ...values: readonly Value[]): Api.ShellCommand {
    return new Command(parse(texts, values, sh));
  }

  return { sh, ShellError: ShellError as unknown as typeof Api.ShellError } satisfies Pick<
    typeof Api,
    "sh" | "ShellError"
  >;
}
