import type { LinkedGraph } from "../domain/automation.ts";
import { EXIT, PryxError } from "../domain/error.ts";
import type { Json } from "../domain/schema.ts";
import { framesOf } from "./_failure.ts";
import type { AutomationRun, TestResult, TestWatch } from "./automation.ts";
import { AutomationError, type Conversation } from "./conversation.ts";
import type { Registered } from "./wire.ts";

type Say = (to: "stdout" | "stderr", text: string) => void;

/** Brings a resident automation the event it was started for. Returns the exit code. */
export async function deliver(
  run: AutomationRun,
  { triggers }: Registered,
  conversation: Conversation,
  say: Say,
): Promise<number> {
  const { trigger, graph } = run;
  if (!trigger) {
    if (triggers.length === 0) return EXIT.done;
    const waits = triggers.map(({ kind, name }) => `${kind} ${name}`).join(", ");
    throw new PryxError(
      "needs_serve",
      `${graph.entry} waits for events (${waits}): it needs \`pryx serve\``,
      {
        fix: `bring it one event now with: pryx run --trigger ${flagOf(triggers[0])} ${graph.entry}`,
      },
    );
  }
  const found = triggers.find(({ kind, name }) =>
    kind === trigger.kind && (kind === "schedule" || name === trigger.name)
  );
  if (!found) {
    const known = triggers.map(flagOf).join(", ");
    throw new PryxError("usage", `${graph.entry} does not wait for ${flagOf(trigger)}`, {
      fix: known === "" ? "it waits for nothing: run it without --trigger" : `it waits for ${known}`,
    });
  }
  const data: Json = trigger.kind === "schedule" ? null : eventOf(trigger, await run.input());
  const answer = await conversation.call("trigger", { kind: found.kind, name: found.name, data });
  if (answer !== null) say("stdout", `${typeof answer === "string" ? answer : JSON.stringify(answer)}\n`);
  return EXIT.done;
}

function flagOf(trigger: { readonly kind: string; readonly name: string } | undefined): string {
  if (!trigger) return "";
  return trigger.kind === "schedule" ? "schedule" : `${trigger.kind}/${trigger.name}`;
}

/** What stands for the event: a request with what was piped in as its body, or a message with it as its text. */
function eventOf(
  { kind, name, headers: given = {} }: NonNullable<AutomationRun["trigger"]>,
  body: string,
): Json {
  if (kind === "message") return { channel: name, from: "cli", text: body };
  const headers = { "content-type": isJson(body) ? "application/json" : "text/plain", ...given };
  return { name, method: "POST", headers, query: {}, body };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

interface TestRun {
  readonly graph: LinkedGraph;
  readonly conversation: Conversation;
  readonly say: Say;
  readonly watch: TestWatch;
}

/** Runs the tests that a file registered, one after another, and says how each ended. Returns the exit code. */
export async function runTests(
  tests: readonly string[],
  { graph, conversation, say, watch }: TestRun,
): Promise<number> {
  const wanted = tests.filter((name) => watch.wanted?.(name) ?? true);
  let failed = 0;
  for (const name of wanted) {
    const result = await runTest(name, conversation, graph);
    if (result.error) failed++;
    if (watch.ended) watch.ended(result);
    else say("stdout", describeTest(result));
  }
  if (!watch.ended) say("stdout", `${wanted.length - failed} passed, ${failed} failed\n`);
  return failed === 0 ? EXIT.done : EXIT.error;
}

async function runTest(name: string, conversation: Conversation, graph: LinkedGraph): Promise<TestResult> {
  try {
    await conversation.call("test", { name });
    return { name };
  } catch (error) {
    if (!(error instanceof AutomationError)) throw error;
    const { message, thrown } = error;
    const kind = thrown === "" || thrown === "PryxError" ? "" : `${thrown}: `;
    return { name, error: { message: `${kind}${message}`, frames: await framesOf(error, graph) } };
  }
}

function describeTest({ name, error }: TestResult): string {
  if (!error) return `ok      ${name}\n`;
  const trace = error.frames.map((line) => `\n${line}`).join("");
  return `FAILED  ${name}\n  ${error.message.replaceAll("\n", "\n  ")}${trace}\n`;
}
