import type { TurnId } from "../domain/id.ts";
import type { StreamOptions } from "../providers/provider.ts";
import type { SessionParts } from "./session_parts.ts";

/** Records in the session that a request of `turn` is tried again. */
export function recordRetries(parts: SessionParts, turn: TurnId): StreamOptions["onRetry"] {
  return (attempt, waitMs, reason) =>
    void parts.append([{
      type: "model.retried",
      turn,
      data: { attempt, waitMs: Math.round(waitMs), reason },
    }]);
}
