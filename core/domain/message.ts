/** A tool call as a model asked for it: `args` is the model's JSON text, not yet parsed or judged. */
export interface RequestedCall {
  readonly id: string;
  readonly name: string;
  readonly args: string;
}

/** What a model is shown, in order. Derived from events; never stored on its own. */
export type Message =
  | { readonly role: "system"; readonly text: string }
  | { readonly role: "user"; readonly text: string }
  | {
    readonly role: "assistant";
    readonly text: string;
    readonly calls: readonly RequestedCall[];
    /** What the provider wants to see again verbatim on the next request (encrypted reasoning); only it reads this. */
    readonly opaque?: { readonly provider: string; readonly items: readonly unknown[] };
  }
  | { readonly role: "tool"; readonly call: string; readonly name: string; readonly text: string };

/** Tokens of one or more model calls. `input` includes `cached`; `output` includes `reasoning`. */
export interface Usage {
  readonly input: number;
  readonly output: number;
  readonly cached: number;
  readonly reasoning: number;
}

/** Nothing used, in tokens. */
export const NO_USAGE: Usage = { input: 0, output: 0, cached: 0, reasoning: 0 };

/** The sum, field by field. */
export function addUsage(a: Usage, b: Usage): Usage {
  return {
    input: a.input + b.input,
    output: a.output + b.output,
    cached: a.cached + b.cached,
    reasoning: a.reasoning + b.reasoning,
  };
}
