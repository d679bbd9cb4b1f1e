import { PryxError } from "../domain/error.ts";

/** The arguments of a tool call as typed: one JSON object; nothing at all stands for none. Throws `usage`. */
export function parseJsonArguments(text: string): unknown {
  if (text.trim() === "") return {};
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new PryxError(
      "usage",
      `The arguments are not JSON: ${error instanceof Error ? error.message : error}`,
      {
        fix: `write one JSON object in quotes: '{"path":"README.md"}'`,
        cause: error,
      },
    );
  }
}
