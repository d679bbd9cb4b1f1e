import type * as Api from "../api.d.ts";
import type { Json } from "../../domain/schema.ts";
import type { Calls } from "./asking.ts";
import type { Guest } from "./guest.ts";

/** What a webhook answers, as the host sends it. */
export interface WebhookAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What answers events, and what speaks to channels and servers. */
export function residentApi(guest: Guest, { _calls: calls }: { readonly _calls: Calls }) {
  type Kind = "schedule" | "message" | "webhook";
  const handlers = new Map<string, (data: Json) => unknown>();

  /** Values of the fields of a cron expression: minute, hour, day, month, weekday. */
  const FIELDS = [[0, 59], [0, 23], [1, 31], [1, 12], [0, 7]] as const;
  const MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");
  const DAYS = "sun mon tue wed thu fri sat".split(" ");

  const numberOf = (word: string, field: number): number => {
    const named = (field === 3 ? MONTHS.indexOf(word) + 1 : field === 4 ? DAYS.indexOf(word) : NaN) || NaN;
    if (field === 4 && word === "sun") return 0;
    return /^\d+$/.test(word) ? Number(word) : named > 0 ? named : NaN;
  };
  const isField = (text: string, field: number) => {
    const [low, high] = FIELDS[field] ?? [0, 0];
    const fits = (value: number) => value >= low && value <= high;
    return text.split(",").every((part) => {
      const [range = "", step, ...more] = part.toLowerCase().split("/");
      if (more.length > 0 || (step !== undefined && !/^[1-9]\d*$/.test(step))) return false;
      if (range === "*") return true;
      const ends = range.split("-").map((word) => numberOf(word, field));
      const [from = NaN, to = from] = ends;
      return ends.length <= 2 && fits(from) && fits(to) && from <= to;
    });
  };

  const register = (kind: Kind, name: string, run: unknown, call: (data: Json) => unknown) => {
    if (typeof run !== "function") throw new TypeError(`on.${kind}() takes a function`);
    if (handlers.has(`${kind}/${name}`)) {
      throw new TypeError(`on.${kind}(${guest.inspect(name)}) is there already`);
    }
    handlers.set(`${kind}/${name}`, call);
    guest.registered.triggers.push({ kind, name });
  };
  const nameOf = (name: unknown, what: string) => {
    const text = calls.text(name, what);
    if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(text)) return text;
    throw new TypeError(`${what} is letters, digits, "_", "." and "-", not ${guest.inspect(text)}`);
  };
  const recordOf = (data: Json) =>
    (typeof data === "object" && data !== null ? data : {}) as Record<string, Json>;
  const textOf = (value: Json | undefined) => typeof value === "string" ? value : "";

  const bodyOf = (body: unknown, headers: Record<string, string>, what: string) => {
    const typed = (type: string) => headers["content-type"] ??= type;
    if (body === undefined || body === null) return "";
    if (typeof body === "string") {
      typed("text/plain; charset=utf-8");
      return body;
    }
    typed("application/json");
    return JSON.stringify(calls.json(body, what));
  };

  const answerOf = (result: unknown, name: string): WebhookAnswer => {
    const what = `The answer of the webhook ${name}`;
    if (result === undefined) return { status: 204, headers: {}, body: "" };
    const own = typeof result === "object" && result !== null ? result as Record<string, unknown> : {};
    const status = Number.isInteger(own.status) ? Number(own.status) : 0;
    // Any other object is JSON that happens to have a status.
    const whole = status >= 200 && status <= 599 &&
      Object.keys(own).every((key) => ["status", "body", "headers"].includes(key));
    if (!whole) {
      const headers: Record<string, string> = {};
      const body = result === null ? "null" : bodyOf(result, headers, what);
      return {
        status: 200,
        headers: result === null ? { "content-type": "application/json" } : headers,
        body,
      };
    }
    const headers: Record<string, string> = {};
    for (const [key, value] of Object.entries(own.headers ?? {})) headers[key.toLowerCase()] = String(value);
    return { status, headers, body: bodyOf(own.body, headers, what) };
  };

  async function send(channel: string, message: Parameters<typeof Api.channels.send>[1]) {
    const { text, to, thread } = typeof message === "string"
      ? { text: message, to: undefined, thread: undefined }
      : message;
    await calls.call("channel.send", {
      channel: nameOf(channel, "The name of a channel"),
      text: calls.text(text, "The text of a message"),
      ...(to === undefined ? {} : { to }),
      ...(thread === undefined ? {} : { thread }),
    });
  }

  const on: typeof Api.on = {
    schedule(cron, run) {
      const fields = calls.text(cron, "A schedule").trim().split(/\s+/);
      if (fields.length !== 5 || !fields.every(isField)) {
        throw new TypeError(
          `${
            guest.inspect(cron)
          } is no schedule: five fields, minute hour day month weekday, as in "30 9 * * mon-fri"`,
        );
      }
      register("schedule", fields.join(" "), run, () => run());
    },
    message(channel, run) {
      register("message", nameOf(channel, "The name of a channel"), run, (data) => {
        const { from, text, thread } = recordOf(data);
        const where = typeof thread === "string" ? { thread } : {};
        return run({
          channel,
          from: textOf(from),
          text: textOf(text),
          ...where,
          reply: (text) => send(channel, { text, to: textOf(from), ...where }),
        });
      });
    },
    webhook(name, run) {
      register("webhook", nameOf(name, "The name of a webhook"), run, async (data) => {
        const { method, headers, query, body } = recordOf(data);
        const request: Api.WebhookRequest = {
          name,
          method: textOf(method) || "POST",
          headers: recordOf(headers ?? null) as Record<string, string>,
          query: recordOf(query ?? null) as Record<string, string>,
          body: textOf(body),
          json() {
            try {
              return JSON.parse(this.body);
            } catch (error) {
              throw new guest.PryxError(
                `The body for the webhook ${name} is no JSON: ${calls.message(error)}`,
                {
                  code: "input_invalid",
                },
              );
            }
          },
        };
        return answerOf(await run(request), name);
      });
    },
  };

  guest.handle("trigger", async ({ kind, name, data }) => {
    const handler = handlers.get(`${kind}/${name}`);
    if (handler === undefined) {
      throw new guest.PryxError(`Nothing in this file answers ${kind} ${name}`, { code: "not_found" });
    }
    const result = await handler(data);
    return kind === "webhook" ? result as Json : null;
  });

  const mcp: typeof Api.mcp = (server) => {
    nameOf(server, "The name of a server");
    return {
      async tools() {
        return await calls.call("mcp.tools", { server }) as unknown as {
          name: string;
          description: string;
        }[];
      },
      async call(tool, args = {}) {
        const given = calls.json(args, `The arguments of ${server}/${tool}`) as Record<string, Json>;
        return await calls.call("mcp.call", {
          server,
          tool: calls.text(tool, "The name of a tool"),
          args: given,
        });
      },
    };
  };

  return { on, channels: { send }, mcp } satisfies Pick<typeof Api, "on" | "channels" | "mcp">;
}
