import { toPryxError } from "../domain/error.ts";

/** What was looked at, how it is, and what to do about it. */
export interface Check {
  readonly name: string;
  readonly status: "ok" | "warn" | "fail";
  readonly detail: string;
  readonly fix?: string;
}

/** Findings about one subject. */
export function findings(name: string) {
  const make = (status: Check["status"]) => (detail: string, fix?: string): Check => ({
    name,
    status,
    detail,
    ...(fix === undefined ? {} : { fix }),
  });
  return {
    ok: make("ok"),
    warn: make("warn"),
    fail: make("fail"),
    /** What was thrown, as a failure or a warning. */
    thrown(error: unknown, status: "warn" | "fail" = "fail"): Check {
      const { message, fix } = toPryxError(error);
      return make(status)(message, fix);
    },
  };
}
