import type * as Api from "../api.d.ts";
import type { Json } from "../../domain/schema.ts";
import type { Methods } from "../methods.ts";
import type { Calls } from "./asking.ts";
import type { Guest } from "./guest.ts";

/** The agent, and functions as tools for it. */
export function agentApi(guest: Guest, { _calls: calls }: { readonly _calls: Calls }) {
  type AskParams = Methods["ask"]["params"];
  type Function = NonNullable<AskParams["functions"]>[number] & { readonly id: string };
  type Options = Api.AgentOptions & { readonly schema?: Api.JsonSchema };

  const PRESETS = ["read-only", "workspace", "network-allowlist"];
  /** By id: two questions at a time may have tools of the same name. */
  const running = new Map<string, (args: never) => unknown>();
  const described = new WeakMap<object, Function>();
  let made = 0;

  class AgentTool implements Api.AgentTool {
    readonly name: string;
    constructor(name: string) {
      this.name = name;
    }
  }
  calls.named(AgentTool, "AgentTool");

  const schemaOf = (schema: unknown, what: string): { readonly [key: string]: Json } => {
    if (typeof schema !== "object" || schema === null || Array.isArray(schema)) {
      throw new TypeError(`${what} is a JSON Schema, an object, not ${guest.inspect(schema)}`);
    }
    return calls.json(schema, what) as { readonly [key: string]: Json };
  };

  const defineTool: typeof Api.defineTool = (tool) => {
    if (!/^[a-z][a-z0-9_]{0,63}$/.test(calls.text(tool.name, "The name of a tool"))) {
      throw new TypeError(
        `A tool cannot be named ${guest.inspect(tool.name)}: lower case, digits and _, and a letter first`,
      );
    }
    if (calls.text(tool.description, `The description of the tool ${tool.name}`).trim() === "") {
      throw new TypeError(`The tool ${tool.name} needs a description: it is all that the model knows of it`);
    }
    if (typeof tool.run !== "function") throw new TypeError(`The tool ${tool.name} has no function run`);
    const parameters = schemaOf(tool.parameters, `The parameters of the tool ${tool.name}`);
    if (parameters.type !== "object") {
      throw new TypeError(`The parameters of the tool ${tool.name} are a JSON Schema of type "object"`);
    }
    const id = `${tool.name}#${++made}`;
    const handle = new AgentTool(tool.name);
    described.set(handle, { id, name: tool.name, description: tool.description, parameters });
    running.set(id, (args: never) => tool.run(args));
    return handle;
  };

  guest.handle("tool", async ({ name, id, args }) => {
    const run = running.get(id ?? "") ?? [...running].findLast(([key]) => key.startsWith(`${name}#`))?.[1];
    if (run === undefined) throw new guest.PryxError(`There is no tool ${name}`, { code: "not_found" });
    const result = await run(args as never);
    return typeof result === "string" ? result : calls.json(result, `What the tool ${name} returned`);
  });

  const positive = (value: number | undefined, what: string, whole: boolean) => {
    if (value === undefined || (value > 0 && Number.isFinite(value) && (!whole || Number.isInteger(value)))) {
      return value;
    }
    throw new TypeError(`${what} is a ${whole ? "whole " : ""}number above 0, not ${guest.inspect(value)}`);
  };

  const paramsOf = (prompt: string, options: Options, session?: string): AskParams => {
    if (calls.text(prompt, "A question to the agent").trim() === "") {
      throw new TypeError("A question to the agent is empty");
    }
    const { model, tools, budget, maxTurns, timeout, preset, context, schema } = options;
    if (preset !== undefined && !PRESETS.includes(preset)) {
      throw new TypeError(`The preset is one of ${PRESETS.join(", ")}, not ${guest.inspect(preset)}`);
    }
    const names: string[] = [];
    const functions = new Map<string, Function>();
    for (const tool of tools ?? []) {
      const known = typeof tool === "object" && tool !== null ? described.get(tool) : undefined;
      if (known === undefined) {
        names.push(calls.text(tool, "A tool of the agent, when it is not made by defineTool(),"));
      } else if (functions.has(known.name)) {
        throw new TypeError(`Two tools of one question have the name ${known.name}`);
      } else functions.set(known.name, known);
    }
    const all = {
      prompt,
      context: context === undefined ? undefined : calls.text(context, "The context of a question"),
      session,
      schema: schema === undefined ? undefined : schemaOf(schema, "The schema of an answer"),
      model: model === undefined ? undefined : calls.text(model, "The model"),
      tools: tools === undefined ? undefined : names,
      functions: functions.size === 0 ? undefined : [...functions.values()],
      budget: positive(budget, "The budget of a question", false),
      maxTurns: positive(maxTurns, "maxTurns", true),
      timeoutMs: timeout === undefined ? undefined : calls.milliseconds(timeout, "The timeout of a question"),
      preset,
    };
    return Object.fromEntries(
      Object.entries(all).filter(([, value]) => value !== undefined),
    ) as unknown as AskParams;
  };

  const answerOf = (value: Methods["ask"]["value"], schema: boolean): unknown => {
    if (schema) return value.json;
    const { text, session, cost, usage } = value;
    return { text, session, cost, usage };
  };

  /** `begin` gives the session to go on with; `end` is told the one that it was. */
  const streamed = (
    prompt: string,
    options: Options,
    begin: () => Promise<string | undefined>,
    end: (session: string | undefined) => void,
  ): AsyncIterable<string> => {
    paramsOf(prompt, options);
    return calls.pieces<string>(async (push, signal) => {
      const session = await begin();
      let came = false;
      let known: string | undefined;
      try {
        const params = { ...paramsOf(prompt, options, session), stream: true };
        const on = (piece: string) => {
          came = true;
          push(piece);
        };
        const value = await calls.call("ask", params, { on, signal });
        known = value.session;
        if (!came && value.text !== "") push(value.text);
      } finally {
        end(known);
      }
    });
  };

  class AgentSession {
    readonly #options: Options;
    #id: string | undefined;
    /** Ends when the question before has. */
    #before: Promise<void> = Promise.resolve();

    constructor(options: Options) {
      this.#options = options;
    }

    get id() {
      return this.#id;
    }

    /** Waits for its turn; what it returns ends that. */
    async #turn(): Promise<() => void> {
      const before = this.#before;
      let over = () => {};
      this.#before = new Promise((done) => over = done);
      await before;
      return over;
    }

    async ask(prompt: string, options: Options = {}): Promise<unknown> {
      const all = { ...this.#options, ...options };
      paramsOf(prompt, all);
      const over = await this.#turn();
      try {
        const value = await calls.call("ask", paramsOf(prompt, all, this.#id));
        this.#id = value.session;
        return answerOf(value, all.schema !== undefined);
      } finally {
        over();
      }
    }

    stream(prompt: string, options: Options = {}): AsyncIterable<string> {
      let over = () => {};
      return streamed(prompt, { ...this.#options, ...options }, async () => {
        over = await this.#turn();
        return this.#id;
      }, (session) => {
        this.#id = session ?? this.#id;
        over();
      });
    }
  }
  calls.named(AgentSession, "AgentSession");

  const agent = {
    async ask(prompt: string, options: Options = {}): Promise<unknown> {
      return answerOf(await calls.call("ask", paramsOf(prompt, options)), options.schema !== undefined);
    },
    stream: (prompt: string, options: Options = {}) =>
      streamed(prompt, options, () => Promise.resolve(undefined), () => {}),
    session: (options: Options = {}) => new AgentSession(options),
  };

  const tools: typeof Api.tools = {
    async list() {
      return [...await calls.call("tools", null)];
    },
    async call(name, args = {}) {
      const given = calls.json(args, `The arguments of the tool ${name}`) as Record<string, Json>;
      return (await calls.tool(calls.text(name, "The name of a tool"), given)).text;
    },
  };

  return { agent: agent as typeof Api.agent, defineTool, tools } satisfies Pick<
    typeof Api,
    "agent" | "defineTool" | "tools"
  >;
}
