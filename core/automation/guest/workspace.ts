import type * as Api from "../api.d.ts";
import type { Guest } from "./guest.ts";

/** Where and what the automation is. */
export function workspaceApi(guest: Guest) {
  return {
    apiVersion: 1,
    workspace: guest.load.workspace,
    signal: guest.signal,
    PryxError: guest.PryxError as unknown as typeof Api.PryxError,
  } satisfies Pick<typeof Api, "apiVersion" | "workspace" | "signal" | "PryxError">;
}
