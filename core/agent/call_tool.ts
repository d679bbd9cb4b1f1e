import type { ErrorJson, Unanswered } from "../api.ts";
import type { EventDraft, EventOf } from "../domain/event.ts";
import { PryxError, toPryxError } from "../domain/error.ts";
import { type CallId, newId } from "../domain/id.ts";
import type { RequestedCall } from "../domain/message.ts";
import { formatNeed, type Need } from "../domain/need.ts";
import type { Origin } from "../domain/policy.ts";
import { describeProblems, type Json, validate } from "../domain/schema.ts";
import { actionDigest, approvalSummary, canonicalJson } from "../policy/approvals.ts";
import type { Tool, ToolResult } from "../tools/tool.ts";
import { actionFiles } from "./action_files.ts";
import { ANSWERED, type Authority, authorize, describeDenial } from "./authorize.ts";
import { confine } from "./confine.ts";
import type { CallOptions, SessionParts } from "./session_parts.ts";
import { changesOf, takeSnapshot } from "./snapshots.ts";
import { createToolContext } from "./tool_context.ts";

/** What came of a call, with the needs that nobody was there to answer. */
export interface CallOutcome extends Unanswered {
  readonly status: EventOf<"tool.finished">["data"]["status"];
  /** What the model is told. */
  readonly text: string;
  readonly data?: Json;
  readonly exitCode?: number | null;
  /** Why the tool itself failed. */
  readonly error?: ErrorJson;
}

/**
 * One tool call, from request to record: validate → needs → append → decide → run → append. The only holder of tools:
 * nothing else in pryx runs one. Never rejects; a cancelled call is an outcome too.
 */
export async function callTool(
  parts: SessionParts,
  request: RequestedCall,
  options: CallOptions,
): Promise<CallOutcome> {
  const call = (request.id || newId<CallId>()) as CallId;
  const recorder = createRecorder(parts, call, request.name, options);
  try {
    const tool = parts.tools.find((one) => one.name === request.name);
    if (!tool) {
      const names = parts.tools.map((one) => one.name).join(", ");
      recorder.requested(rawArgs(request.args), [], options.origin);
      return recorder.failed(`There is no tool "${request.name}". The tools are: ${names}`);
    }
    return await runKnownTool(parts, tool, request, call, options, recorder);
  } catch (error) {
    if (options.signal.aborted) return recorder.cancelled(options.signal.reason);
    return recorder.failed(toPryxError(error));
  }
}

async function runKnownTool(
  parts: SessionParts,
  tool: Tool,
  request: RequestedCall,
  call: CallId,
  options: CallOptions,
  recorder: Recorder,
): Promise<CallOutcome> {
  const { origin, signal } = options;
  const args = parseArgs(request.args);
  const problems = args instanceof SyntaxError
    ? `the arguments are not JSON (${args.message})`
    : describeProblems(validate(tool.parameters, args));
  const record = (value: Json) => tool.record?.(value) ?? value;
  const notCalled = (error: PryxError) =>
    recorder.failed(
      new PryxError(error.code, `${tool.name} was not called: ${error.message}`, { fix: error.fix }),
    );
  if (problems !== "") {
    recorder.requested(record(rawArgs(request.args)), [], origin);
    return notCalled(new PryxError("input_invalid", problems));
  }
  const given = args as Readonly<Record<string, Json>>;
  const recorded = record(given);

  let needs: readonly Need[];
  try {
    needs = await tool.needs(given, parts.needContext);
  } catch (error) {
    recorder.requested(recorded, [], origin);
    return notCalled(toPryxError(error));
  }
  const title = tool.title(given);
  let reach: readonly Need[];
  let lines: readonly string[];
  const began = performance.now();
  try {
    ({ reach, lines } = await confine(parts, tool, needs, options));
  } catch (error) {
    recorder.requested(recorded, needs, origin);
    return notCalled(toPryxError(error));
  }
  const confineMs = tool.rights === undefined ? undefined : Math.round((performance.now() - began) * 10) / 10;
  const all = [...needs, ...reach];
  const summary = approvalSummary({ tool: tool.name, title, args: recorded, needs: all, may: lines });
  const digest = await digestOf(parts, tool, given, all, lines);
  recorder.requested(recorded, all, origin, { digest, title, summary });

  signal.throwIfAborted();
  const authority: Authority = await authorize(
    parts,
    { call, tool: tool.name, needs: all, digest, summary },
    options,
  );
  if (authority.verdict !== "allow") {
    return recorder.denied(describeDenial(authority, origin, options.suspicious), authority);
  }
  const context = await createToolContext(parts, { call, needs: all, tool, title, options });
  const snapshot = await takeSnapshot(needs, { ...parts.snapshots, wholeFolders: tool.wholeFolders });
  if (!snapshot.complete) {
    parts.noticeOnce(
      "The folder is too large to keep its files before each command: `sessions undo` covers edits by tools only",
    );
  }
  // What runs is what was shown: anything that changed while a person was thinking cancels the approval.
  if (authority.waited) {
    // Worked out again: a folder may have become a link to another one.
    const now = await needsOf(tool, given, parts);
    if (now === undefined || await digestOf(parts, tool, given, [...now, ...reach], lines) !== digest) {
      return recorder.failed(
        `${tool.name} was not run: a file that it would execute, or where it would work, changed after it was approved`,
      );
    }
  }
  // Cancelled while it was decided or prepared: not even begun.
  signal.throwIfAborted();
  const started = performance.now();
  let result: ToolResult | PryxError;
  try {
    result = await tool.run(given, context.context);
  } catch (error) {
    result = signal.aborted ? new PryxError("cancelled", reasonOf(signal)) : toPryxError(error);
  }
  const ms = Math.round(performance.now() - started);
  const { aborted } = signal;
  const changes = await changesOf(snapshot, call);
  return recorder.finished(result, { ms, confineMs }, changes, context.unanswered, aborted);
}

/** What it needs by now; undefined when that cannot be said any more. */
async function needsOf(
  tool: Tool,
  args: Readonly<Record<string, Json>>,
  { needContext }: SessionParts,
): Promise<readonly Need[] | undefined> {
  try {
    return await tool.needs(args, needContext);
  } catch {
    return undefined;
  }
}

/** SHA-256 over everything that makes the action what it is. */
async function digestOf(
  parts: SessionParts,
  tool: Tool,
  args: Readonly<Record<string, Json>>,
  needs: readonly Need[],
  may: readonly string[],
): Promise<string> {
  const { workspace, needContext } = parts;
  // A tool that works in another folder calls it so.
  const cwd = typeof args.cwd === "string" ? await needContext.resolve(args.cwd) : workspace;
  return actionDigest({
    tool: tool.name,
    args,
    cwd,
    needs: needs.map(formatNeed),
    may,
    files: await actionFiles(needs, [...new Set([cwd, workspace])]),
  });
}

/** Writes what happened to one call, and shapes what the model is told. */
type Recorder = ReturnType<typeof createRecorder>;

function createRecorder(
  parts: SessionParts,
  call: CallId,
  name: string,
  options: Pick<CallOptions, "turn" | "origin">,
) {
  const { turn } = options;
  const append = (...drafts: EventDraft[]) => parts.append(drafts);
  const finish = (
    status: CallOutcome["status"],
    text: string,
    extra: Partial<EventOf<"tool.finished">["data"]> = {},
    before: readonly EventDraft[] = [],
  ) =>
    append(...before, { type: "tool.finished", turn, data: { call, name, status, text, ms: 0, ...extra } });
  const shown = (error: PryxError) => ({ ...error.toJSON(), message: parts.redact(error.message) });
  let requested = false;

  return {
    requested(
      args: Json,
      needs: readonly Need[],
      origin: Origin,
      about: { digest?: string; title?: string; summary?: string } = {},
    ) {
      requested = true;
      append({ type: "tool.requested", turn, data: { call, name, args, needs, origin, ...about } });
    },
    failed(why: string | PryxError): CallOutcome {
      if (!requested) this.requested(null, [], options.origin);
      const text = typeof why === "string" ? why : messageOf(why);
      finish("failed", text);
      return {
        status: "failed",
        text,
        ...ANSWERED,
        ...(typeof why === "string" ? {} : { error: shown(why) }),
      };
    },
    denied(text: string, { unapproved, personOnly }: Unanswered): CallOutcome {
      finish("denied", text);
      return { status: "denied", text, unapproved, personOnly };
    },
    cancelled(reason: unknown): CallOutcome {
      if (!requested) this.requested(null, [], options.origin);
      const text = `Not run: ${reason instanceof Error ? reason.message : "cancelled"}`;
      finish("cancelled", text);
      return { status: "cancelled", text, ...ANSWERED };
    },
    finished(
      result: ToolResult | PryxError,
      { ms, confineMs }: { readonly ms: number; readonly confineMs: number | undefined },
      changes: readonly EventOf<"file.changed">["data"][],
      unanswered: Unanswered,
      aborted: boolean,
    ): CallOutcome {
      const before = changes.map((data): EventDraft => ({ type: "file.changed", turn, data }));
      const times = { ms, ...(confineMs === undefined ? {} : { confineMs }) };
      if (result instanceof PryxError) {
        const status = aborted ? "cancelled" : result.code === "denied" ? "denied" : "failed";
        const text = parts.redact(
          aborted ? `Cancelled while it ran: ${result.message}` : messageOf(result),
        );
        const error = aborted ? {} : { error: shown(result) };
        finish(status, text, { ...times, ...error }, before);
        return { status, text, ...unanswered, ...error };
      }
      const status = aborted ? "cancelled" : result.failed ? "failed" : "done";
      const { exitCode, outputFile, taints, data } = result;
      const text = parts.redact(result.text);
      finish(status, text, {
        ...times,
        ...(exitCode === undefined ? {} : { exitCode }),
        ...(outputFile === undefined ? {} : { outputFile }),
        ...(taints === undefined ? {} : { taints }),
      }, before);
      return {
        status,
        text,
        ...unanswered,
        ...(data === undefined ? {} : { data }),
        ...(exitCode === undefined ? {} : { exitCode }),
      };
    },
  };
}

function parseArgs(text: string): Json | SyntaxError {
  if (text.trim() === "") return {};
  try {
    return JSON.parse(text);
  } catch (error) {
    return error instanceof SyntaxError ? error : new SyntaxError(String(error));
  }
}

function rawArgs(text: string): Json {
  const args = parseArgs(text);
  return args instanceof SyntaxError ? text : args;
}

function messageOf(error: PryxError): string {
  return error.fix === undefined ? error.message : `${error.message} (${error.fix})`;
}

function reasonOf(signal: AbortSignal): string {
  return signal.reason instanceof Error ? signal.reason.message : "cancelled";
}

/** The same call, whatever the order of its arguments: for the loop guard. */
export function callKey(request: RequestedCall): string {
  return `${request.name} ${canonicalJson(rawArgs(request.args))}`;
}
