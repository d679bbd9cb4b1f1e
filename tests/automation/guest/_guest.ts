import { Buffer } from "node:buffer";
import { inspect } from "node:util";
import vm from "node:vm";
import type * as Api from "../../../core/automation/api.d.ts";
import { apiText } from "../../../core/automation/guest/parts.ts";
import type { Guest } from "../../../core/automation/guest/guest.ts";
import type { Json } from "../../../core/domain/schema.ts";

/** One question of the API to its host, as it was asked. */
export interface Asked {
  readonly method: string;
  // deno-lint-ignore no-explicit-any -- each method has its own, and tests know which they script
  readonly params: any;
  readonly signal?: AbortSignal;
  /** Sends a piece on the way. */
  emit(event: unknown): void;
  /** An error of the API as the host would have sent it. */
  refuse(code: string, message?: string): never;
}

export interface TestGuest {
  readonly api: typeof Api;
  readonly asked: Asked[];
  readonly said: string[];
  readonly registered: Guest["registered"];
  /** Calls what the automation has registered with the host. */
  answer(name: string, params: unknown): Promise<unknown>;
  abort(): void;
  /** Runs the body of an async function, with the API as `pryx`, in the context, as the file `job.pryx.ts`. */
  run(code: string): Promise<unknown>;
}

/** The API in a context of its own, with a host that says what `host` returns. `text`: the API's own text, when it is another. */
export function createGuest(
  host: (asked: Asked) => unknown = () => null,
  options: { readonly args?: readonly string[]; readonly stdin?: string; readonly text?: string } = {},
): TestGuest {
  const context = vm.createContext({
    AbortController,
    AbortSignal,
    TextEncoder,
    TextDecoder,
    URL,
    URLSearchParams,
    setTimeout,
    clearTimeout,
  });
  const run = (code: string, filename: string) => new vm.Script(code, { filename }).runInContext(context);
  const PryxError = run(
    `(class PryxError extends Error {
      constructor(message, { code = "internal", fix, cause } = {}) {
        super(message, cause === undefined ? undefined : { cause });
        this.code = code;
        if (fix !== undefined) this.fix = fix;
      }
    })`,
    "pryx:test",
  );
  const intoContext = run("(text) => text === undefined ? undefined : JSON.parse(text)", "pryx:test");
  const toBytes = run("(list) => Uint8Array.from(list)", "pryx:test");
  const asked: Asked[] = [];
  const said: string[] = [];
  const handlers = new Map<string, (params: unknown) => unknown>();
  const stop = new AbortController();
  const registered: Guest["registered"] = { triggers: [], tests: [] };
  const guest = {
    load: {
      entry: "job.pryx.ts",
      args: options.args ?? [],
      workspace: "/project",
      ...(options.stdin === undefined ? {} : { stdin: options.stdin }),
    },
    async call(
      method: string,
      params: Json,
      { on, signal }: { on?: (event: unknown) => void; signal?: AbortSignal } = {},
    ) {
      const question: Asked = {
        method,
        // As it would arrive: what is no JSON would be lost.
        params: JSON.parse(JSON.stringify(params)),
        ...(signal === undefined ? {} : { signal }),
        emit: (event) => on?.(intoContext(JSON.stringify(event))),
        refuse(code, message = `${method} was refused`) {
          const error = new PryxError(message, { code });
          // It comes over a wire, without the frames of who made it.
          error.stack = `PryxError: ${message}`;
          throw error;
        },
      };
      asked.push(question);
      return intoContext(JSON.stringify(await host(question)));
    },
    handle: (name: string, answer: (params: unknown) => unknown) => void handlers.set(name, answer),
    say: (to: string, text: string) => void said.push(`${to}: ${text}`),
    encode: (value: unknown) => JSON.stringify({ value }),
    decode: (text: string) => intoContext(text).value,
    inspect: (value: unknown) => inspect(value),
    toBase64: (bytes: Uint8Array) => Buffer.from(bytes).toString("base64"),
    fromBase64: (text: string) => toBytes([...Buffer.from(text, "base64")]),
    registered,
    signal: stop.signal,
    PryxError,
  };
  const api = run(`"use strict";(${options.text ?? apiText()})`, "pryx:api")(guest) as typeof Api;
  return {
    api,
    asked,
    said,
    registered,
    answer(name, params) {
      const handler = handlers.get(name);
      if (handler === undefined) throw new Error(`nothing answers ${name}`);
      return Promise.resolve(handler(intoContext(JSON.stringify(params))));
    },
    abort: () => stop.abort(new PryxError("Stopped", { code: "cancelled" })),
    run: (code) => run(`(async function (pryx) {\n${code}\n})`, "job.pryx.ts")(api),
  };
}

/** A value of the context as one of this one. */
export function here<T>(value: T): T {
  return structuredClone(value);
}

/** A host whose tool `sh` runs the command line with bash, as the real one would, in `cwd`. */
export function bashHost(cwd: string): (asked: Asked) => Promise<unknown> {
  return async ({ method, params, emit, signal }) => {
    if (method !== "tool" || params.name !== "sh") {
      throw new Error(`${method} ${params?.name} is not scripted`);
    }
    const { command, stdin, stdinBase64, pipefail, bytes } = params.args;
    const child = new Deno.Command("bash", {
      args: [...(pipefail ? ["-o", "pipefail"] : []), "-c", command],
      cwd: params.args.cwd ?? cwd,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      ...(signal === undefined ? {} : { signal }),
      env: { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null", LC_ALL: "C.UTF-8" },
    }).spawn();
    const writer = child.stdin.getWriter();
    const input = stdinBase64 === undefined ? Buffer.from(stdin ?? "") : Buffer.from(stdinBase64, "base64");
    await writer.write(input).catch(() => {});
    await writer.close().catch(() => {});
    const output = await child.output();
    const stdout = Buffer.from(output.stdout);
    const valid = !bytes && Buffer.from(stdout.toString("utf8"), "utf8").equals(stdout);
    if (params.stream) emit({ stream: "stdout", text: stdout.toString("utf8") });
    return {
      text: "",
      data: {
        code: output.code,
        signal: output.signal,
        timedOut: false,
        stdout: valid ? stdout.toString("utf8") : "",
        ...(valid ? {} : { stdoutBase64: stdout.toString("base64") }),
        stderr: new TextDecoder().decode(output.stderr),
        ms: 1,
      },
    };
  };
}
