import { newId, type TurnId } from "../domain/id.ts";
import type { SessionParts } from "./session_parts.ts";

/** A question to a person: put up as an event that any surface may answer. */
export async function askQuestion(
  parts: Pick<SessionParts, "append" | "desk">,
  question: {
    readonly turn: TurnId;
    /** The call that asks; of a program's own question, an id like one. */
    readonly call: string;
    /** The automation that asks. Absent: the agent. */
    readonly from?: string;
    readonly text: string;
    readonly options?: readonly string[];
    /** What an empty answer stands for. */
    readonly preset?: string;
    readonly signal: AbortSignal;
  },
): Promise<{ readonly text: string; readonly by: string }> {
  const { turn, call, from, text, options, preset, signal } = question;
  const id = newId<string>();
  const waiting = parts.desk.ask(id, signal);
  // When the question could not be stored, nobody awaits the answer.
  waiting.catch(() => {});
  parts.append([{
    type: "question.asked",
    turn,
    data: {
      question: id,
      call,
      ...(from === undefined ? {} : { from }),
      text,
      ...(options ? { options: [...options] } : {}),
      ...(preset === undefined ? {} : { default: preset }),
    },
  }]);
  const answer = await waiting;
  parts.append([{ type: "question.answered", turn, data: { question: id, ...answer } }]);
  return answer;
}
