import type { Message } from "../domain/message.ts";

/** What one token stands for, roughly; a character beyond ASCII counts as two. */
export const CHARS_PER_TOKEN = 3.6;

/**
 * A cheap upper-side estimate of tokens, without a tokenizer: about 3.6 UTF-8 bytes a token for English and code. Good
 * for deciding when to compact and what to reserve; what is billed comes from the provider.
 */
export function estimateTokens(text: string): number {
  let wide = 0;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) wide++;
  return Math.ceil((text.length + wide) / CHARS_PER_TOKEN);
}

/** Messages never change, and each is counted several times a step. */
const counted = new WeakMap<Message, number>();

/** Estimated tokens of a message, with about 6 for its role and for each call. */
export function estimateMessage(message: Message): number {
  const known = counted.get(message);
  if (known !== undefined) return known;
  const tokens = countMessage(message);
  counted.set(message, tokens);
  return tokens;
}

function countMessage(message: Message): number {
  const overhead = 6;
  if (message.role !== "assistant") return overhead + estimateTokens(message.text);
  const calls = message.calls.reduce(
    (sum, call) => sum + overhead + estimateTokens(call.name + call.args),
    0,
  );
  return overhead + estimateTokens(message.text) + calls;
}

export function estimateMessages(messages: readonly Message[]): number {
  return messages.reduce((sum, message) => sum + estimateMessage(message), 0);
}
