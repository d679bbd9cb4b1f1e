import type { Guest } from "./guest.ts";

/** What the module `pryx` is made of: each part's members are its members. Their texts run inside the context. */
export const PARTS: readonly ((guest: Guest) => Record<string, unknown>)[] = [];
