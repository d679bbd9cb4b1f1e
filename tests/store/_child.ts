/** A process that works on a store: `_child.ts DATABASE JOB [ARGS…]`. Prints one line of JSON. */
import { PryxError } from "../../core/domain/error.ts";
import type { ApprovalId, GrantId, SessionId } from "../../core/domain/id.ts";
import { openBlobs } from "../../core/store/blobs.ts";
import { openStore } from "../../core/store/sqlite.ts";
import { created, message, notice } from "../contract/store_contract.ts";

const [path = "", job = "", ...args] = Deno.args;

function print(value: unknown): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(value)}\n`));
}

/** Appends to its own session, to one shared by all, and to the audit log; races for approvals and grants. */
function append(name: string, count: number): void {
  using store = openStore({ path });
  const own = `own-${name}` as SessionId;
  store.append(own, [created()]);
  let [answered, used] = [0, 0];
  for (let n = 0; n < count; n++) {
    store.append(own, [notice(`${name} ${n}`)]);
    store.append("shared" as SessionId, [notice(`${name} ${n}`), message(`${name} says ${n}`)]);
    store.audit("decision", { name, n });
    const now = new Date().toISOString();
    const answer = { verdict: "allow", duration: { kind: "once" }, scope: "host", by: name } as const;
    if (store.answerApproval(`approval-${n}` as ApprovalId, answer, now)) answered++;
    if (store.useGrant("grant" as GrantId, now)) used++;
  }
  print({ answered, used });
}

/** Opens a database that is not there yet, together with others. */
function create(name: string): void {
  using store = openStore({ path });
  store.append(name as SessionId, [created()]);
  print("ok");
}

/** Appends until something is wrong; prints how many appends came back and the error. */
function fill(): void {
  using store = openStore({ path });
  const id = "filled" as SessionId;
  let stored = 0;
  try {
    store.append(id, [created()]);
    for (stored = 1;; stored++) store.append(id, [notice("x".repeat(5000))], { durable: true });
  } catch (error) {
    print({ stored, error, readable: [...store.events(id)].length });
  }
}

/** Says what opening, reading, writing and keeping a file's content come to. */
async function access(blobs: string): Promise<void> {
  const attempt = async (work: () => unknown) => {
    try {
      return await work();
    } catch (error) {
      return error instanceof PryxError ? error : String(error);
    }
  };
  const write = await attempt(() => {
    using store = openStore({ path });
    store.append("kept" as SessionId, [notice("more")]);
    return "written";
  });
  const read = await attempt(() => {
    using store = openStore({ path, readOnly: true });
    return store.session("kept" as SessionId)?.lastSeq;
  });
  const put = await attempt(() => openBlobs(blobs).put(new TextEncoder().encode("content")));
  print({ write, read, put });
}

/** Appends for ever, printing each number once it is stored, until it is killed. */
function forever(): void {
  const store = openStore({ path });
  store.lease("long" as SessionId);
  store.append("long" as SessionId, [created()]);
  for (;;) print(store.append("long" as SessionId, [notice("x".repeat(200))])[0]?.seq);
}

switch (job) {
  case "append":
    append(args[0] ?? "", Number(args[1]));
    break;
  case "create":
    create(args[0] ?? "");
    break;
  case "fill":
    fill();
    break;
  case "access":
    await access(args[0] ?? "");
    break;
  case "forever":
    forever();
    break;
}
