import { canonicalJson, type Cassette, type CassetteEntry, parseCassette } from "../domain/cassette.ts";
import { type ErrorCode, PryxError } from "../domain/error.ts";
import type { Message } from "../domain/message.ts";
import type { ModelRequest, ModelResponse } from "./provider.ts";

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

/** The entries of models. Throws `input_invalid` where one has neither a response nor an error. */
export function modelEntries({ entries }: Cassette, name: string): ModelEntry[] {
  const models = entries.filter(isModel);
  const empty = models.findIndex((entry) => !entry.response && !entry.error);
  if (empty >= 0) {
    throw new PryxError(
      "input_invalid",
      `Cannot use the cassette ${name}: entry ${
        entries.indexOf(models[empty] as CassetteEntry & ModelEntry) + 1
      } has neither a response nor an error`,
      { fix: "Record it again with `--record FILE`" },
    );
  }
  return models;
}

function isModel(entry: CassetteEntry): entry is CassetteEntry & ModelEntry {
  return entry.kind === "model";
}
