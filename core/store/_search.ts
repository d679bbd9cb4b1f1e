import type { SessionId } from "../domain/id.ts";
import type { Database } from "./_database.ts";
import type { SearchHit, Store } from "./store.ts";

interface Row {
  readonly session: string;
  readonly seq: number;
  readonly at: string;
  readonly role: string;
  readonly snippet: string;
}

/** Characters around a hit. */
const AROUND = 60;

/**
 * Full-text search, newest first. The query is words, all of which must occur, anywhere in words, whatever their case
 * and accents; `"quoted text"` must occur as it stands. Nothing in it is an operator.
 */
export function openSearch(db: Database): Pick<Store, "search"> {
  return {
    search(query, limit = 20) {
      const terms = termsOf(query);
      // The index is made of runs of three characters: it knows nothing about shorter words.
      const long = terms.filter((term) => [...term].length >= 3);
      const short = terms.filter((term) => [...term].length < 3);
      if (terms.length === 0) return [];
      return db.read("search sessions", () => {
        const like = short.map((term) => `%${term.replace(/[\\%_]/g, "\\$&")}%`);
        const also = short.map(() => "AND s.text LIKE ? ESCAPE '\\'").join(" ");
        const found = long.length > 0
          ? db.sql(
            `SELECT s.session, s.seq, s.at, s.role, s.text AS snippet
             FROM messages_fts f JOIN searchable s ON s.row_id = f.rowid
             WHERE f.messages_fts MATCH ? ${also} ORDER BY f.rowid DESC LIMIT ?`,
          ).all(long.map((term) => `"${term.replaceAll('"', '""')}"`).join(" "), ...like, limit)
          : db.sql(
            `SELECT s.session, s.seq, s.at, s.role, s.text AS snippet
             FROM searchable s WHERE true ${also} ORDER BY s.row_id DESC LIMIT ?`,
          ).all(...like, limit);
        return (found as unknown as Row[]).map((row): SearchHit => ({
          session: row.session as SessionId,
          seq: row.seq,
          at: row.at,
          role: row.role,
          snippet: snippetOf(row.snippet, terms),
        }));
      });
    },
  };
}

function termsOf(query: string): string[] {
  const terms: string[] = [];
  for (const [, quoted, word] of query.replace(/\0/g, " ").matchAll(/"([^"]*)"?|([^\s"]+)/g)) {
    const term = (quoted ?? word ?? "").trim();
    if (term !== "") terms.push(term);
  }
  return terms;
}

/**
 * One line around the first hit, every hit in it between « and ». SQLite's own snippet() counts in runs of three
 * characters and cannot be told to keep to a line.
 */
function snippetOf(text: string, terms: readonly string[]): string {
  const folded = fold(text);
  const hits: [number, number][] = [];
  for (const term of terms.map(fold)) {
    for (
      let at = folded.indexOf(term);
      at >= 0 && hits.length < 100;
      at = folded.indexOf(term, at + term.length)
    ) {
      hits.push([at, at + term.length]);
    }
  }
  hits.sort(([a], [b]) => a - b);
  const start = Math.max(0, (hits[0]?.[0] ?? 0) - AROUND);
  const end = Math.min(text.length, (hits[0]?.[1] ?? 0) + AROUND);
  let out = start > 0 ? "…" : "";
  let at = start;
  for (const [from, to] of hits) {
    if (from < at || to > end) continue;
    out += `${text.slice(at, from)}«${text.slice(from, to)}»`;
    at = to;
  }
  out += text.slice(at, end) + (end < text.length ? "…" : "");
  return out.toWellFormed().replaceAll("\uFFFD", "").replace(/\s+/g, " ").trim();
}

/** Case and accents away, each character in its place: hits in the folded text are hits in the text. */
function fold(text: string): string {
  let out = "";
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    const plain = char.normalize("NFD").charAt(0).toLowerCase();
    out += plain.length === 1 ? plain : char;
  }
  return out;
}
