import api from "./api.d.ts" with { type: "text" };
import globals from "./globals.d.ts.txt" with { type: "text" };

/** What an automation sees, as text, by the name that editors keep it under. */
export const DECLARATIONS = {
  /** The module `pryx`. */
  "pryx.d.ts": api as unknown as string,
  /** What is there without an import. Not under a name of TypeScript's: in this program it would take the place of Deno's. */
  "globals.d.ts": globals as unknown as string,
} as const;
