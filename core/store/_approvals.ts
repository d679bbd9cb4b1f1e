import { PryxError } from "../domain/error.ts";
import type { Approval, ApprovalAnswer } from "../domain/policy.ts";
import type { Database } from "./_database.ts";
import type { Store } from "./store.ts";
import { toMillis } from "./_time.ts";

type Approvals = Pick<
  Store,
  "putApproval" | "approval" | "openApprovals" | "answerApproval" | "expireApproval"
>;

interface Row {
  readonly status: Approval["status"];
  readonly body: string;
  readonly answer: string | null;
}

/** Approvals outlive the process that asked. Each is answered once, by whoever is first, in whatever process. */
export function openApprovals(db: Database): Approvals {
  return {
    putApproval(approval) {
      db.write("store an approval", () => {
        const { status, answer, ...body } = approval;
        const { changes } = db.sql(
          `INSERT INTO approvals (id, session, status, expires_ms, body, answer) VALUES (?, ?, ?, ?, ?, ?)
           ON CONFLICT (id) DO NOTHING`,
        ).run(
          approval.id,
          approval.session,
          status,
          toMillis(approval.expiresAt),
          JSON.stringify(body),
          answer === undefined ? null : JSON.stringify(answer),
        );
        // An answer must not be undone by asking again under its id.
        if (changes === 0) {
          throw new PryxError("conflict", `Cannot store approval "${approval.id}": it is there already`);
        }
      });
    },
    approval(id) {
      return db.read(`read approval "${id}"`, () => {
        const row = db.sql("SELECT status, body, answer FROM approvals WHERE id = ?").get(id);
        return row && toApproval(row as unknown as Row);
      });
    },
    openApprovals() {
      return db.read("list approvals", () => {
        const rows = db.sql("SELECT status, body, answer FROM approvals WHERE status = 'open' ORDER BY id")
          .all();
        return (rows as unknown as Row[]).map(toApproval);
      });
    },
    answerApproval(id, answer: ApprovalAnswer, now) {
      return db.write(`answer approval "${id}"`, () => {
        const { changes } = db.sql(
          "UPDATE approvals SET status = ?, answer = ? WHERE id = ? AND status = 'open' AND expires_ms > ?",
        ).run(answer.verdict === "allow" ? "allowed" : "denied", JSON.stringify(answer), id, toMillis(now));
        return changes === 1;
      }, true);
    },
    expireApproval(id) {
      db.write(`expire approval "${id}"`, () => {
        db.sql("UPDATE approvals SET status = 'expired' WHERE id = ? AND status = 'open'").run(id);
      });
    },
  };
}

function toApproval(row: Row): Approval {
  return {
    ...JSON.parse(row.body),
    status: row.status,
    ...(row.answer === null ? {} : { answer: JSON.parse(row.answer) }),
  };
}
