import type { ErrorJson } from "../api.ts";
import type { PryxError } from "../domain/error.ts";
import { AutomationError } from "./conversation.ts";

/** What people are told: what was thrown, and where in their own lines. */
export function describeFailure(error: PryxError, name: string, flagsFollow = false): ErrorJson {
  if (!(error instanceof AutomationError)) return error.toJSON();
  const { code, message, ...rest } = error.toJSON();
  const fix = code === "denied" && flagsFollow ? undefined : rest.fix;
  const kind = error.thrown === "PryxError" || error.thrown === "" ? "" : `${error.thrown}: `;
  const trace = error.frames.map((line) => `\n${line}`).join("");
  return {
    code,
    message: `${name} failed: ${kind}${message}${trace}`,
    ...(fix === undefined ? {} : { fix }),
  };
}
