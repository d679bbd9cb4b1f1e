import type { ProgramTurn } from "../../core/api.ts";
import type { SessionId, TurnId } from "../../core/domain/id.ts";

/** A turn in which nothing runs: only a person is there, or nobody. */
export interface FakeTurn extends ProgramTurn {
  /** Questions that were put, with what could be chosen. */
  readonly asked: { readonly text: string; readonly options?: readonly string[]; readonly preset?: string }[];
}

/** `answers`: what the person says, in order; undefined: nobody is there. Asking once too often is an error. */
export function fakeTurn(answers: readonly string[] | undefined, session = "session"): FakeTurn {
  const asked: FakeTurn["asked"] = [];
  const unused = () => {
    throw new Error("nothing runs here");
  };
  return {
    session: session as SessionId,
    turn: "turn" as TurnId,
    signal: new AbortController().signal,
    attended: answers !== undefined,
    asked,
    ask(text, options, preset) {
      const answer = answers?.[asked.length];
      asked.push({ text, ...(options ? { options } : {}), ...(preset === undefined ? {} : { preset }) });
      if (answer === undefined) throw new Error(`nobody answers ${text}`);
      return Promise.resolve({ text: answer, by: "human:test" });
    },
    call: unused,
    log: unused,
    say: unused,
    progress: unused,
    unanswered: () => ({ unapproved: [], personOnly: [] }),
    taints: () => [],
    end: unused,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  } satisfies FakeTurn;
}
