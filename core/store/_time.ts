import { PryxError } from "../domain/error.ts";

/** Milliseconds since the epoch of an ISO 8601 time: the form in which the database compares times. */
export function toMillis(time: string): number {
  const millis = Date.parse(time);
  if (Number.isNaN(millis)) throw new PryxError("internal", `"${time}" is not an ISO 8601 time`);
  return millis;
}
