import { PryxError } from "../domain/error.ts";
import type { SessionId } from "../domain/id.ts";
import type { SessionRow, Store } from "../store/store.ts";
import { oneLine } from "./_session_text.ts";

/** Sessions of a folder that are looked through for one with a model in it. */
const LOOKED_AT = 200;

/**
 * The newest session of this folder that an agent worked in: what `--continue` goes on with. One that only holds a call
 * made by hand (`pryx tools call`) is passed over while there is another. Throws `not_found` when there is none at all.
 */
export function pickConversation(store: Store, cwd: string): SessionRow {
  const found = store.sessions({ workspace: cwd, limit: LOOKED_AT }).find((row) => !isByHand(store, row.id));
  return found ?? pickSession(store, undefined, cwd);
}

function isByHand(store: Store, id: SessionId): boolean {
  let started = false;
  for (const event of store.events(id)) {
    if (event.type !== "turn.started") continue;
    if (event.data.model !== "none") return false;
    started = true;
  }
  return started;
}

/** Candidates that an error lists. */
const SHOWN = 8;

/**
 * The session that a person means: an id, its unique beginning or end, or `last` (and nothing) for the newest of this
 * folder. Throws `not_found` with what it may have been.
 */
export function pickSession(store: Store, text: string | undefined, cwd: string): SessionRow {
  if (text === undefined || text === "last") {
    const [newest] = store.sessions({ workspace: cwd, limit: 1 });
    if (newest) return newest;
    throw new PryxError("not_found", `There is no session in ${cwd} yet`, {
      fix: 'Name one of another folder (see them with: pryx sessions list --all), or start one: pryx run "…"',
    });
  }
  const exact = store.session(text as SessionId);
  if (exact) return exact;
  const matches = store.matchSessions(text);
  const [match] = matches;
  if (match && matches.length === 1) return match;
  if (match) {
    throw new PryxError("not_found", `"${text}" fits ${matches.length} sessions:\n${candidates(matches)}`, {
      fix: "Give more of the id, from its beginning or its end",
    });
  }
  const newest = store.sessions({ limit: SHOWN });
  throw new PryxError(
    "not_found",
    newest.length === 0
      ? `There is no session "${text}": there are none at all`
      : `There is no session "${text}". The newest are:\n${candidates(newest)}`,
    { fix: "See them all with: pryx sessions list --all" },
  );
}

function candidates(rows: readonly SessionRow[]): string {
  const lines = rows.slice(0, SHOWN).map((row) => `  ${row.id}  ${oneLine(row.title, 60) || "(no title)"}`);
  if (rows.length > SHOWN) lines.push(`  and ${rows.length - SHOWN} more`);
  return lines.join("\n");
}
