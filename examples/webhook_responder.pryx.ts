#!/usr/bin/env -S pryx run
/**
 * A resident automation: answers the webhook of a code host, counts what happened, and reports once a week.
 *
 *     pryx secrets set webhook                                   # what the host signs with
 *     printf %s "$BODY" | pryx run --trigger webhook/repository \
 *       --trigger-header "x-hub-signature-256=sha256=$(printf %s "$BODY" | openssl dgst -sha256 -hmac "$KEY" -r | cut -d' ' -f1)" \
 *       webhook_responder.pryx.ts
 *     pryx run --trigger schedule webhook_responder.pryx.ts
 *
 * Each request is signed: `x-hub-signature-256` is the HMAC of its body under the secret.
 *
 * To learn from it: `on.…` makes a file resident; `state` keeps values from one event to the next, and `state.update` counts
 * right when two come at once; what a handler returns is the answer; the secret verifies a signature and is never seen here.
 */
import { log, on, type Permissions, PryxError, secrets, state, type WebhookRequest } from "pryx";

export const permissions = {
  use: ["secret/webhook"],
} satisfies Permissions;

interface Counts {
  readonly total: number;
  readonly byAction: Readonly<Record<string, number>>;
}
interface Delivery {
  readonly action?: string;
  readonly repository?: { readonly full_name?: string };
}

on.webhook("repository", async (request) => {
  const signature = request.headers["x-hub-signature-256"] ?? "";
  if (!await secrets.use("webhook").verify(request.body, signature)) {
    log.warn("A request without a valid signature was refused");
    return { status: 401, body: { error: "the signature does not match" } };
  }
  const { action = "push", repository } = read(request);
  const name = repository?.full_name;
  if (name === undefined || !/^[\w.-]+\/[\w.-]+$/.test(name)) {
    return { status: 400, body: { error: "repository.full_name is missing" } };
  }
  const { total, byAction } = await state.update<Counts>(`count/${name}`, (before) => ({
    total: (before?.total ?? 0) + 1,
    byAction: { ...before?.byAction, [action]: (before?.byAction[action] ?? 0) + 1 },
  }));
  log.info(`${name}: ${action}`);
  return { repository: name, total, byAction };
});

/** Monday morning: prints what came since the last report. */
on.schedule("0 8 * * 1", async () => {
  const report: Record<string, Counts> = {};
  for (const key of await state.keys("count/")) {
    const counts = await state.get<Counts>(key);
    if (counts) report[key.slice("count/".length)] = counts;
    await state.delete(key);
  }
  console.log(JSON.stringify(report, null, 2));
});

function read(request: WebhookRequest): Delivery {
  try {
    return request.json<Delivery | null>() ?? {};
  } catch (cause) {
    throw new PryxError("The body is no JSON", { code: "input_invalid", cause });
  }
}
