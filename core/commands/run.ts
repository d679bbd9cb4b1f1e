import { isAbsolute, join } from "node:path";
import type { Pryx, Submission } from "../api.ts";
import { PRESETS } from "../domain/policy.ts";
import { ERROR_CODES, type ErrorCode, EXIT, messageOf, PryxError } from "../domain/error.ts";
import type { EventOf, PryxEvent } from "../domain/event.ts";
import type { SessionId } from "../domain/id.ts";
import type { Json } from "../domain/schema.ts";
import { AUTOMATION_SUFFIX } from "../domain/automation.ts";
import { replayAutomationFile } from "./_replay_automation.ts";
import { checkFlags, checkRecordings } from "./_run_flags.ts";
import { isAutomation, runAutomationFile } from "./_run_automation.ts";
import { pickConversation, pickSession } from "./_pick_session.ts";
import { type Command, type CommandContext, type CommandResult, defineCommand } from "./command.ts";

/** Material beside a prompt may be this long, bytes; more belongs in a file that the agent reads in pieces. */
const MAX_CONTEXT = 1_048_576;

export const commands: readonly Command[] = [defineCommand({
  name: "run",
  summary: "Give the agent one job, or run an automation",
  description:
    `The answer goes to standard output, progress to standard error. What is piped in is context for the prompt; a prompt of - is read from \
standard input. The agent may do what policy allows; what would ask a person is denied when nobody is there (exit 3), and the flags \
that would have allowed it are named.

A file that ends in .pryx.ts is an automation: it runs in a process without any rights, and may do what its permissions declare and \
policy allows. Flags of pryx stand before its name, its own arguments behind it.`,
  input: {
    type: "object",
    properties: {
      prompt: {
        type: "array",
        items: { type: "string" },
        description: "What to do, or - to read it from standard input",
      },
      continue: { type: "boolean", description: "Go on with the last session of this folder" },
      resume: { type: "string", description: "Go on with this session" },
      model: { type: "string", description: "The model to use" },
      profile: { type: "string", description: "Profile of the config to use" },
      preset: { type: "string", enum: PRESETS, description: "What is allowed where no rule says otherwise" },
      allow: {
        type: "array",
        items: { type: "string" },
        description: "Allow kind=target, as in run='git log' or write=docs/**",
      },
      deny: { type: "array", items: { type: "string" }, description: "Deny kind=target; final" },
      maxTurns: { type: "integer", minimum: 1, description: "Requests to the model at most" },
      maxCost: { type: "number", minimum: 0, description: "US dollars at most" },
      timeout: { type: "string", description: "Time at most: 90s, 10m, 1h" },
      approvalTimeout: {
        type: "string",
        description: "How long approvals wait for another surface when nobody is here",
      },
      outputSchema: { type: "string", description: "File with a JSON schema that the answer must fit" },
      output: { type: "string", description: "File that the answer is written to as well" },
      record: {
        type: "string",
        description: "Record to this file what the model answers; of an automation all that it is answered",
      },
      replay: {
        type: "string",
        description:
          "Answer an automation from this recording alone; nothing else is asked, nothing is written",
      },
      replayModel: {
        type: "string",
        description: "Take the model's answers from this recording; tools really run",
      },
      trust: {
        type: "string",
        description: "SHA-256 of the instructions here that are trusted (pryx trust --show)",
      },
      ts: { type: "boolean", description: "What is piped in (-) is an automation, in TypeScript" },
      frozen: { type: "boolean", description: "Refuse an automation that pryx.lock does not know as it is" },
      allowLocked: {
        type: "boolean",
        description: "Allow an automation what its lock file says; take that from a place you trust",
      },
      lock: { type: "string", description: "Lock file to go by; pryx.lock of the project by default" },
      answer: {
        type: "array",
        items: { type: "string" },
        description: "Answer a question of an automation: NAME=VALUE",
      },
      trigger: {
        type: "string",
        description: "Bring a resident automation one event: webhook/NAME, message/CHANNEL or schedule",
      },
      triggerHeader: {
        type: "array",
        items: { type: "string" },
        description: "Header of that webhook: NAME=VALUE",
      },
      args: { type: "array", items: { type: "string" }, description: "Arguments of the automation" },
      key: {
        type: "string",
        description: "Idempotency key: a job with a key that was seen before is not run again",
      },
    },
  },
  positionals: ["prompt"],
  passThrough: {
    to: "args",
    behind: (word, flags) => word.endsWith(AUTOMATION_SUFFIX) || (flags.has("ts") && word === "-"),
  },
  short: { output: "o", continue: "c", resume: "r", model: "m" },
  examples: [
    { line: 'pryx run "what does this project do?"', note: "Reads the folder and answers" },
    { line: 'git diff | pryx run "review this"', note: "Piped input is context" },
    {
      line: `pryx run "fix the failing test" --preset workspace --allow run='npm test'`,
      note: "May edit here and run one command",
    },
    { line: 'pryx run --continue "now the docs"', note: "Goes on with the last session here" },
    {
      line: 'pryx run "list the endpoints" --output-schema endpoints.json -o out.json',
      note: "JSON that fits a schema",
    },
    {
      line: "pryx run --record release.cassette.jsonl release.pryx.ts",
      note: "Keeps all that an automation was answered",
    },
    {
      line: "pryx run --replay release.cassette.jsonl release.pryx.ts",
      note: "Runs it again from that, anywhere, without a key; shows what it would change",
    },
    { line: "pryx run --frozen release.pryx.ts --dry-run", note: "Runs an automation as pryx.lock knows it" },
  ],
  streams: true,
  async run(input, outer) {
    const automation = isAutomation(input, outer.cwd);
    checkFlags(input, automation);
    checkRecordings(input, automation);
    if (input.replay !== undefined) {
      return await replayAutomationFile({ ...input, replay: inFolder(outer.cwd, input.replay) }, outer);
    }
    if (automation) {
      return await runAutomationFile(input, {
        ...pick(input, OVERRIDES),
        ...recording(input, outer.cwd),
      }, outer);
    }
    await refuseProgram(input.prompt ?? [], outer);
    const session = await sessionToContinue(outer, input);
    const workspace = session?.workspace ?? outer.cwd;
    const ctx = outer.with({
      ...pick(input, OVERRIDES),
      ...recording(input, outer.cwd),
      cwd: workspace,
    });
    const said = await readPrompt(input.prompt ?? [], ctx);
    const outputSchema = input.outputSchema === undefined
      ? undefined
      : await readSchema(inFolder(outer.cwd, input.outputSchema));
    if (input.trust !== undefined) await trustByHash(ctx, input.trust);
    const config = await ctx.config();
    const pryx = await ctx.pryx();
    const end = await runOnce(ctx, pryx, {
      ...said,
      ...(session ? { session: session.id } : { workspace }),
      ...(outputSchema === undefined ? {} : { outputSchema }),
      ...(input.key === undefined ? {} : { key: input.key }),
      surface: ctx.surface.name,
      attended: ctx.surface.attended,
      limits: config.limits,
    });
    if (input.output !== undefined && end.data.status === "done") {
      await writeAnswer(inFolder(outer.cwd, input.output), end.data.text);
    }
    return resultOf(end);
  },
})];

/** A file of code alone is no prompt: whoever names it means to run it. */
async function refuseProgram(prompt: readonly string[], { cwd }: CommandContext): Promise<void> {
  const [word] = prompt;
  if (prompt.length !== 1 || word === undefined || !/^\S+\.[cm]?[jt]s$/u.test(word)) return;
  const found = await Deno.stat(inFolder(cwd, word)).catch(() => undefined);
  if (!found?.isFile) return;
  throw new PryxError("usage", `${word} is no automation: their names end in ${AUTOMATION_SUFFIX}`, {
    fix:
      `rename it, or run it as one: pryx run --ts ${word}\nto have the agent do something with it, say what`,
  });
}

/** Flags that are settings as well. */
const OVERRIDES = [
  "model",
  "profile",
  "preset",
  "allow",
  "deny",
  "maxTurns",
  "maxCost",
  "timeout",
  "approvalTimeout",
] as const;

function recording({ record, replayModel }: { record?: string; replayModel?: string }, cwd: string) {
  return {
    ...(record === undefined ? {} : { record: inFolder(cwd, record) }),
    ...(replayModel === undefined ? {} : { replayModel: inFolder(cwd, replayModel) }),
  };
}

/** Submits, shows every event as it comes, and waits for the end. An abort of the command cancels the turn. */
export async function runOnce(
  ctx: Pick<CommandContext, "signal" | "surface">,
  pryx: Pryx,
  submission: Submission,
): Promise<EventOf<"turn.ended">> {
  ctx.signal.throwIfAborted();
  // Events may come before it is known which session they belong to.
  const early: PryxEvent[] = [];
  const shown: { session?: SessionId; any?: boolean } = {};
  const show = (event: PryxEvent) => {
    shown.any = true;
    ctx.surface.event(event);
  };
  using _listening = pryx.listen((event) => {
    if (shown.session === undefined) early.push(event);
    else if (event.session === shown.session) show(event);
  });
  const submitted = await pryx.submit(submission);
  shown.session = submitted.session;
  for (const event of early.splice(0)) if (event.session === shown.session) show(event);
  const stop = () => void pryx.cancel(submitted.session, reasonOf(ctx.signal));
  if (ctx.signal.aborted) stop();
  else ctx.signal.addEventListener("abort", stop, { once: true });
  try {
    const end = await pryx.ended(submitted.session, submitted.turn);
    if (!shown.any) {
      ctx.surface.note(`This job was run before, in session ${submitted.session}; its answer was:`);
      ctx.surface.event(end);
    }
    return end;
  } finally {
    ctx.signal.removeEventListener("abort", stop);
  }
}

/** What a program gets, and the exit code: of the error, else 3 when something had to ask and nobody could answer. */
export function resultOf(end: EventOf<"turn.ended">): CommandResult {
  const { status, text, error, usage, cost, unapproved, personOnly = [] } = end.data;
  const code = error?.code as ErrorCode | undefined;
  const exitCode = status === "cancelled"
    ? EXIT.interrupted
    : code !== undefined
    ? ERROR_CODES[code] ?? EXIT.error
    : unapproved.length + personOnly.length > 0
    ? EXIT.denied
    : EXIT.done;
  const data = {
    session: end.session,
    turn: end.turn,
    status,
    text,
    error: error ?? null,
    usage,
    cost,
    unapproved,
    personOnly,
  };
  return { data: data as unknown as Json, exitCode };
}

async function sessionToContinue(ctx: CommandContext, input: { continue?: boolean; resume?: string }) {
  if (input.resume === undefined && input.continue !== true) return undefined;
  const store = await ctx.store();
  return input.resume === undefined
    ? pickConversation(store, ctx.cwd)
    : pickSession(store, input.resume, ctx.cwd);
}

/** The prompt from the arguments, and what is piped in as context; or the prompt itself from a pipe. */
async function readPrompt(
  words: readonly string[],
  ctx: CommandContext,
): Promise<{ text: string; context?: string }> {
  const text = words.join(" ").trim();
  const piped = await ctx.surface.input();
  const material = piped === undefined ? "" : decode(piped);
  if (text === "-" || text === "") {
    if (material.trim() !== "") return { text: material.trim() };
    throw new PryxError("usage", "There is no prompt", {
      fix: 'say what to do: pryx run "…", or pipe it in: … | pryx run -',
    });
  }
  return material === "" ? { text } : { text, context: material };
}

function decode(bytes: Uint8Array): string {
  if (bytes.length > MAX_CONTEXT) {
    throw new PryxError(
      "input_invalid",
      `Standard input holds ${bytes.length} bytes; as context it may hold ${MAX_CONTEXT}`,
      {
        fix: "save it to a file in the folder and name the file in the prompt: the agent reads it in pieces",
      },
    );
  }
  if (bytes.subarray(0, 8_192).includes(0)) {
    throw new PryxError("input_invalid", "Standard input is binary: it holds NUL bytes", {
      fix: "pipe text, or save it to a file and say what it is",
    });
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new PryxError("input_invalid", "Standard input is not valid UTF-8 text", {
      fix: "convert it first, for example with: iconv -f latin1 -t utf-8",
      cause: error,
    });
  }
}

async function readSchema(path: string): Promise<Readonly<Record<string, unknown>>> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    throw new PryxError("usage", `Cannot read the output schema ${path}`, {
      fix: "check the path",
      cause: error,
    });
  }
  try {
    const schema: unknown = JSON.parse(text);
    if (typeof schema === "object" && schema !== null && !Array.isArray(schema)) {
      return schema as Record<string, unknown>;
    }
  } catch (error) {
    const why = messageOf(error);
    throw new PryxError("usage", `The output schema ${path} is not JSON: ${why}`, { cause: error });
  }
  throw new PryxError("usage", `The output schema ${path} is not a JSON object`);
}

/** Trust given on the command line holds only when what is there is what was trusted. */
async function trustByHash(ctx: CommandContext, hash: string): Promise<void> {
  const state = await (await ctx.policy()).trust();
  if (state.hash !== hash.toLowerCase()) {
    throw new PryxError(
      "denied",
      `The instructions in ${state.folder} are not the trusted ones: their hash is ${state.hash}`,
      {
        fix: "look at them with: pryx trust --show",
      },
    );
  }
  const store = await ctx.store();
  store.trust(state.folder, state.hash, new Date().toISOString());
  store.audit("trust", { folder: state.folder, hash: state.hash, by: "flag" });
}

async function writeAnswer(path: string, text: string): Promise<void> {
  const part = `${path}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  try {
    await Deno.writeTextFile(part, text.endsWith("\n") ? text : `${text}\n`);
    await Deno.rename(part, path);
  } catch (error) {
    await Deno.remove(part).catch(() => {});
    throw new PryxError("io", `Cannot write the answer to ${path}`, {
      cause: error,
      fix: "check the folder; the answer is kept in the session",
    });
  }
}

function inFolder(folder: string, path: string): string {
  return isAbsolute(path) ? path : join(folder, path);
}

function pick<T extends object, K extends keyof T>(value: T, keys: readonly K[]): Pick<T, K> {
  return Object.fromEntries(
    keys.filter((key) => value[key] !== undefined).map((key) => [key, value[key]]),
  ) as Pick<T, K>;
}

function reasonOf(signal: AbortSignal): string {
  return signal.reason instanceof Error ? signal.reason.message : "Cancelled";
}
