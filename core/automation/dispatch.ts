import type { ProgramTurn } from "../api.ts";
import { PryxError } from "../domain/error.ts";
import { describeProblems, validate } from "../domain/schema.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import type { AutomationState } from "../store/store.ts";
import type { AgentDesk } from "./_ask.ts";
import { METHOD_SCHEMAS } from "./_method_schemas.ts";
import { watchPath } from "./_watch.ts";
import type { CellCall } from "./conversation.ts";
import type { MethodName, Methods } from "./methods.ts";
import type { Questions } from "./_questions.ts";

/** What the methods of one run work with. */
export interface DispatchParts {
  readonly turn: ProgramTurn;
  readonly agent: AgentDesk;
  readonly questions: Questions;
  /** Shows what the automation prints. */
  say(to: "stdout" | "stderr", text: string): void;
  readonly state: AutomationState;
  readonly sandbox: Sandbox;
  /** Absolute path of the project's root. */
  readonly workspace: string;
  /** Names of pryx's own tools. */
  toolNames(): Promise<readonly string[]>;
  input(): Promise<string>;
  variable(name: string): string | undefined;
  /** The mark that stands for a secret until a request leaves. */
  secretMark(name: string): string;
  /** The value of a secret. */
  secret(name: string): Promise<string>;
  /** Ends the run with this exit code. */
  exit(code: number): void;
}

type Handlers = {
  readonly [M in MethodName]: (
    params: Methods[M]["params"],
    call: CellCall,
  ) => Promise<Methods[M]["value"]> | Methods[M]["value"];
};

/** Answers the calls of an automation. Every one is checked first; what has power goes through the turn, and so through policy. */
export function createDispatch(parts: DispatchParts): (call: CellCall) => Promise<unknown> {
  const handlers = createHandlers(parts);
  return async (call) => {
    const { method, params } = call;
    if (!Object.hasOwn(handlers, method)) {
      throw new PryxError("input_invalid", `There is no method "${method}"`);
    }
    const name = method as MethodName;
    const problems = describeProblems(validate(METHOD_SCHEMAS[name], params));
    if (problems !== "") throw new PryxError("input_invalid", `${name}: ${problems}`);
    // The schema of a method says what its type says.
    return await (handlers[name] as (params: unknown, call: CellCall) => unknown)(params, call);
  };
}

function createHandlers(parts: DispatchParts): Handlers {
  const { turn, agent, questions, state, sandbox } = parts;
  return {
    async tool({ name, args, show, stream }, { signal, event }) {
      const outcome = await turn.call({
        tool: name,
        args,
        signal,
        unseen: show !== true,
        ...(stream
          ? {
            onOutput: (text, from) => {
              if (from !== "progress") event({ stream: from, text });
            },
          }
          : {}),
      });
      const { status, text, data, exitCode, error, unapproved } = outcome;
      if (status === "done") {
        return {
          text,
          ...(data === undefined ? {} : { data }),
          ...(exitCode === undefined ? {} : { exitCode }),
        };
      }
      if (status === "denied") throw denied(text, unapproved);
      if (status === "cancelled") throw new PryxError("cancelled", text);
      throw new PryxError(error?.code ?? "tool_failed", error?.message ?? text, {
        ...(error?.fix === undefined ? {} : { fix: error.fix }),
      });
    },
    tools: () => parts.toolNames(),
    ask: (params, call) => agent.ask(params, call),
    "state.get": ({ key }) => state.get(key) ?? null,
    "state.set"({ key, value }) {
      state.set(key, value);
      return null;
    },
    "state.delete": ({ key }) => state.remove(key),
    "state.keys": ({ prefix }) => state.keys(prefix),
    "state.swap": ({ key, before, value }) => state.swap(key, before ?? undefined, value),
    question: (params) => questions.ask(params),
    progress(params) {
      turn.progress(params);
      return null;
    },
    markdown({ text }) {
      parts.say("stdout", text.endsWith("\n") ? text : `${text}\n`);
      return null;
    },
    log({ level, text, data }) {
      turn.log(level, text, data);
      return null;
    },
    async secret({ name }) {
      await need(turn, `use=secret/${name}`);
      return parts.secretMark(name);
    },
    async hmac({ name, text, algorithm }) {
      await need(turn, `use=secret/${name}`);
      return await hmac(await parts.secret(name), text, algorithm);
    },
    async env({ name }) {
      await need(turn, `env=${name}`);
      return parts.variable(name) ?? null;
    },
    stdin: () => parts.input(),
    temp: ({ prefix }) => sandbox.tempFolder(prefix === "" ? "automation" : prefix),
    async watch({ path }, { signal, event }) {
      await watchPath(path, { turn, workspace: parts.workspace, signal, event });
      return null;
    },
    "mcp.tools": ({ server }) => needsServe(`the MCP server ${server}`),
    "mcp.call": ({ server }) => needsServe(`the MCP server ${server}`),
    "channel.send": ({ channel }) => needsServe(`the channel ${channel}`),
    async timer({ ms }, { signal }) {
      await elapsed(ms, signal);
      return null;
    },
    exit({ code }) {
      parts.exit(code);
      return new Promise<never>(() => {});
    },
  };
}

/** Has one need decided that is no tool's. Rejects with `denied`. */
export async function need(turn: ProgramTurn, target: string): Promise<void> {
  const { status, text, unapproved, error } = await turn.call({
    tool: "require",
    args: { need: target },
    unseen: true,
  });
  if (status === "done") return;
  if (status === "denied") throw denied(text, unapproved);
  throw new PryxError(error?.code ?? "tool_failed", text);
}

/** Says what would have allowed it, where a flag would. */
function denied(text: string, unapproved: readonly string[]): PryxError {
  const flags = unapproved.map((one) => `--allow ${quoted(one)}`).join(" ");
  if (flags !== "") return new PryxError("denied", text, { fix: `allow it with: ${flags}` });
  const fix = "if it should, add it to `permissions` in the file";
  return new PryxError("denied", text, text.includes("does not declare it") ? { fix } : {});
}

function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/u.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

async function hmac(key: string, text: string, hash: string): Promise<string> {
  const encoder = new TextEncoder();
  const algorithm = { name: "HMAC", hash };
  const imported = await crypto.subtle.importKey("raw", encoder.encode(key), algorithm, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign(algorithm, imported, encoder.encode(text))).toHex();
}

function needsServe(what: string): never {
  throw new PryxError(
    "needs_serve",
    `Cannot reach ${what}: it needs \`pryx serve\`, which keeps it connected`,
    {
      fix: "run this automation under pryx serve",
    },
  );
}

function elapsed(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, Math.min(ms, 2 ** 31 - 1));
    signal.addEventListener("abort", stop, { once: true });
  });
}
