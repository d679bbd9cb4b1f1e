import type { Family } from "./_case.ts";
import { commands } from "./cases/commands.ts";
import { environment } from "./cases/environment.ts";
import { redirects } from "./cases/redirects.ts";

/** Every family of hostile input, in the order of the table in docs/security.md. */
export const FAMILIES: readonly Family[] = [commands, redirects, environment];
