import { type ErrorCode, PryxError } from "../domain/error.ts";
import type { Message } from "../domain/message.ts";
import type { ModelRequest, ModelResponse } from "./provider.ts";

/**
 * The one recording format, as JSON lines: a header, then entries in the order things happened. Readers skip kinds they
 * do not answer (`tool`, `shell`, `http`, `clock`, `random`). Paths are written `${workspace}` and `${home}`, so that a
 * cassette made in one folder replays in another.
 */
export interface Cassette {
  readonly header: CassetteHeader;
  readonly entries: readonly CassetteEntry[];
}

/** First line of a cassette. */
export interface CassetteHeader {
  readonly v: 1;
  readonly type: "cassette";
  /** ISO 8601. */
  readonly createdAt: string;
  /** Provider that answered. */
  readonly provider: string;
}

/** Every line after the first. */
type CassetteEntry = ModelEntry | OtherEntry;

/** An entry of a kind that this version does not know; readers skip it. */
interface OtherEntry {
  readonly kind: string;
  readonly [field: string]: unknown;
}

/** One model request and what came of it. */
export interface ModelEntry {
  readonly kind: "model";
  /** SHA-256 (hex) over the conversation that the request showed, without what may differ from run to run. */
  readonly key: string;
  readonly request: RequestSummary;
  /** Absent when the request failed. */
  readonly response?: RecordedResponse;
  readonly error?: { readonly code: ErrorCode; readonly message: string; readonly fix?: string };
  /** How the response was streamed: runs of [kind, length in characters], in order. */
  readonly deltas?: readonly (readonly ["text" | "reasoning", number])[];
}

/** What the model answered, without the provider's own items: they mean nothing to another server. */
export type RecordedResponse = Omit<ModelResponse, "opaque">;

/** What identifies a request. Only messages that the entry before did not show are written out. */
interface RequestSummary {
  readonly model: string;
  /** Number of leading messages shared with the entry before. */
  readonly shared: number;
  readonly messages: readonly MessageSummary[];
}

/** As much of a message as a replay compares. */
export type MessageSummary =
  | { readonly role: "user"; readonly text: string }
  | {
    readonly role: "assistant";
    readonly text: string;
    readonly calls: readonly { readonly name: string; readonly args: string }[];
  }
  | { readonly role: "tool"; readonly name: string };

/**
 * What of a request must be the same on replay. The system prompt (date, folder) and what tools answered (they really
 * run again) are left out.
 */
export function summarise(request: ModelRequest, hide: (text: string) => string): MessageSummary[] {
  return request.messages.flatMap((message): MessageSummary[] => {
    const one = summary(message, hide);
    return one ? [one] : [];
  });
}

function summary(message: Message, hide: (text: string) => string): MessageSummary | undefined {
  switch (message.role) {
    case "system":
      return undefined;
    case "user":
      return { role: "user", text: hide(message.text) };
    case "tool":
      return { role: "tool", name: message.name };
    case "assistant":
      return {
        role: "assistant",
        text: hide(message.text),
        calls: message.calls.map(({ name, args }) => ({ name, args: hide(canonicalJson(args)) })),
      };
  }
}

/** JSON text with keys in order and no spaces; text that is not JSON stays as it is. */
export function canonicalJson(text: string): string {
  try {
    return JSON.stringify(sorted(JSON.parse(text)));
  } catch {
    return text;
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1).map(([key, item]) => [key, sorted(item)]),
  );
}

/** The key of a conversation. */
export async function keyOf(messages: readonly MessageSummary[]): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(messages));
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** Number of leading messages that two conversations have in common. */
export function sharedPrefix(a: readonly MessageSummary[], b: readonly MessageSummary[]): number {
  let i = 0;
  while (i < a.length && i < b.length && JSON.stringify(a[i]) === JSON.stringify(b[i])) i++;
  return i;
}

/** Reads a cassette file. Rejects with `not_found`, `io`, or `input_invalid` naming the line. */
export async function readCassette(file: string): Promise<Cassette> {
  let text: string;
  try {
    text = await Deno.readTextFile(file);
  } catch (cause) {
    const missing = cause instanceof Deno.errors.NotFound;
    throw new PryxError(
      missing ? "not_found" : "io",
      `Cannot read the cassette ${file}: ${missing ? "there is no such file" : (cause as Error).message}`,
      { fix: "Record one with `--record FILE`", cause },
    );
  }
  return parseCassette(text, file);
}

/** Parses the text of a cassette; `name` is what errors call it. A last line that was cut off is left out. */
export function parseCassette(text: string, name: string): Cassette {
  const invalid = (problem: string, cause?: unknown) =>
    new PryxError("input_invalid", `Cannot use the cassette ${name}: ${problem}`, {
      fix: "Record it again with `--record FILE`",
      cause,
    });
  const lines = text.split("\n");
  const parsed: unknown[] = [];
  lines.forEach((line, index) => {
    if (line.trim() === "") return;
    try {
      parsed.push(JSON.parse(line));
    } catch (cause) {
      // A recorder that was killed leaves half a line at the end; all before it counts.
      if (index === lines.length - 1 && parsed.length > 0) return;
      throw invalid(`line ${index + 1} is not JSON`, cause);
    }
  });
  const header = parsed[0] as Partial<CassetteHeader> | undefined;
  if (header?.type !== "cassette") throw invalid("it is not a cassette");
  if (header.v !== 1) throw invalid(`it has version ${header.v}, this program reads version 1`);
  const entries = parsed.slice(1) as CassetteEntry[];
  const bad = entries.findIndex((entry) => typeof entry?.kind !== "string");
  if (bad >= 0) throw invalid(`entry ${bad + 1} has no kind`);
  const empty = entries.findIndex((entry) => isModel(entry) && !entry.response && !entry.error);
  if (empty >= 0) throw invalid(`entry ${empty + 1} has neither a response nor an error`);
  return { header: header as CassetteHeader, entries };
}

export function isModel(entry: CassetteEntry): entry is ModelEntry {
  return entry.kind === "model";
}
