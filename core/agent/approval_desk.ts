import type { ApprovalId } from "../domain/id.ts";
import type { Approval, ApprovalAnswer } from "../domain/policy.ts";
import type { Store } from "../store/store.ts";

/** How often the store is asked whether another process has answered, milliseconds. */
const LOOK_MS = 250;

/** Where calls wait for people. An approval is durable: any process on the database may answer it. */
export interface ApprovalDesk {
  /**
   * Stores the approval and waits for its answer, here or in another process. Null when it ran out, and when `covered`
   * says that the action needs no answer any more; it is asked once another approval was answered. Rejects when
   * `signal` aborts.
   */
  wait(approval: Approval, signal: AbortSignal, covered: () => boolean): Promise<ApprovalAnswer | null>;
  /** The first valid answer wins; false for every later one. */
  decide(id: ApprovalId, answer: ApprovalAnswer): boolean;
  /** Puts a question up and waits for its answer. */
  ask(question: string, signal: AbortSignal): Promise<{ text: string; by: string }>;
  answer(question: string, text: string, by: string): boolean;
}

/** The desk over `store`, where approvals and grants are kept; `now` dates them. */
export function createApprovalDesk(store: Store, now: () => Date): ApprovalDesk {
  const wakers = new Map<ApprovalId, () => void>();
  /** Answers given in this process: each may cover what others wait for. */
  let decided = 0;
  const questions = new Map<string, (answer: { text: string; by: string }) => void>();
  return {
    async wait(approval, signal, covered) {
      store.putApproval(approval);
      try {
        for (const before = decided;;) {
          signal.throwIfAborted();
          const stored = store.approval(approval.id);
          if (stored?.answer && stored.status !== "expired") return stored.answer;
          const rest = Date.parse(approval.expiresAt) - now().getTime();
          if (rest <= 0 || stored?.status === "expired") {
            store.expireApproval(approval.id);
            return null;
          }
          await waitFor(Math.min(LOOK_MS, rest), signal, (wake) => wakers.set(approval.id, wake));
          // A grant is stored a moment after the answer that makes it: looked for again each time from then on.
          if (decided !== before && !store.approval(approval.id)?.answer && covered()) {
            store.expireApproval(approval.id);
            return null;
          }
        }
      } catch (error) {
        store.expireApproval(approval.id);
        throw error;
      } finally {
        wakers.delete(approval.id);
      }
    },
    decide(id, answer) {
      const first = store.answerApproval(id, answer, now().toISOString());
      decided++;
      for (const wake of wakers.values()) wake();
      return first;
    },
    ask(question, signal) {
      return new Promise((resolve, reject) => {
        const stop = () => {
          questions.delete(question);
          reject(signal.reason);
        };
        if (signal.aborted) return stop();
        signal.addEventListener("abort", stop, { once: true });
        questions.set(question, (answer) => {
          signal.removeEventListener("abort", stop);
          questions.delete(question);
          resolve(answer);
        });
      });
    },
    answer(question, text, by) {
      const resolve = questions.get(question);
      resolve?.({ text, by });
      return resolve !== undefined;
    },
  } satisfies ApprovalDesk;
}

function waitFor(ms: number, signal: AbortSignal, onWake: (wake: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
    onWake(done);
  });
}
