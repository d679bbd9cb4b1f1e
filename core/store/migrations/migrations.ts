import { SPINE } from "./v1_spine.ts";
import { AUTOMATIONS } from "./v2_automations.ts";

/** One step of the schema, applied once, in a transaction. Steps are never edited after a release; a new one is added. */
export interface Migration {
  /** Counts from 1 without gaps. */
  readonly version: number;
  readonly name: string;
  /** Statements, run together. Text in the program, not a file beside it: bundles have no files. */
  readonly sql: string;
}

/** In the order of versions. */
export const MIGRATIONS: readonly Migration[] = [
  { version: 1, name: "spine", sql: SPINE },
  { version: 2, name: "automations", sql: AUTOMATIONS },
];
