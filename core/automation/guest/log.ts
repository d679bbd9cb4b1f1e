import type * as Api from "../api.d.ts";
import type { Json } from "../../domain/schema.ts";
import type { Calls } from "./asking.ts";
import type { Guest } from "./guest.ts";

/** What is said to people beside the result. */
export function logApi(guest: Guest, { _calls: calls }: { readonly _calls: Calls }) {
  /** As JSON where it is that, else as it would be printed: a line of a log never fails. */
  const dataOf = (data: unknown): Json => {
    if (data instanceof Error) return guest.inspect(data);
    try {
      return calls.json(data, "The data of a log");
    } catch {
      return guest.inspect(data);
    }
  };

  const at = (level: "debug" | "info" | "warn" | "error") => (message: string, data?: unknown) =>
    calls.tell("log", {
      level,
      text: typeof message === "string" ? message : guest.inspect(message),
      ...(data === undefined ? {} : { data: dataOf(data) }),
    });

  const log: typeof Api.log = {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
  };

  return { log } satisfies Pick<typeof Api, "log">;
}
