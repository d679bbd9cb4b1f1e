/** An event as `pryx run --json` prints it. */
export interface Event {
  readonly type: string;
  // deno-lint-ignore no-explicit-any -- every type of event has its own
  readonly data: any;
}

/** What came of one call, as a program that reads the events sees it. */
export interface Outcome {
  /** `allow`, `deny` or `ask`, in order; a call that asks for more in its middle is decided again. */
  readonly verdicts: readonly string[];
  /** Reasons of what was not allowed. */
  readonly reasons: string;
  readonly status: string;
  /** What the model was told. */
  readonly text: string;
  readonly ms: number;
}

/** Lines that are no events are left out: a program may print one JSON value. */
export function readEvents(stdout: string): Event[] {
  const events: Event[] = [];
  for (const line of stdout.split("\n")) {
    if (!line.startsWith("{")) continue;
    try {
      events.push(JSON.parse(line));
    } catch {
      // Not a line of the stream.
    }
  }
  return events;
}

/** The outcome of the call with that id; undefined when the program never finished it. */
export function outcomeOf(events: readonly Event[], id: string): Outcome | undefined {
  const own = events.filter((event) => event.data?.call === id);
  const finished = own.find((event) => event.type === "tool.finished");
  if (!finished) return undefined;
  const decisions = own.filter((event) => event.type === "decision");
  return {
    verdicts: decisions.map((event) => event.data.verdict),
    reasons: decisions.flatMap((event) =>
      event.data.judgements.filter((one: { verdict: string }) => one.verdict !== "allow")
        .map((one: { reason: string; need: { kind: string; target: string } }) =>
          `${one.need.kind}=${one.need.target}: ${one.reason}`
        )
    ).join("\n"),
    status: finished.data.status,
    text: finished.data.text,
    ms: finished.data.ms,
  };
}
