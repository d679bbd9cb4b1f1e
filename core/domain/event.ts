import type { SessionId, TurnId } from "./id.ts";
import { NEED_KINDS } from "./need.ts";
import type { AnySchema, Infer, ObjectSchema } from "./schema.ts";

/** Version of the event format, in every event as `v`. It grows only when a field changes its meaning or goes. */
export const EVENT_VERSION = 1;

const text = (description: string) => ({ type: "string", description }) as const;
const int = (description: string) => ({ type: "integer", minimum: 0, description }) as const;
const money = (description: string) =>
  ({ anyOf: [{ type: "number" }, { type: "null" }], description }) as const;
const any = (description: string) => ({ description }) as const satisfies AnySchema;

const need = {
  type: "object",
  properties: {
    kind: { type: "string", enum: NEED_KINDS },
    target: text("What exactly, in the grammar of its kind"),
    argv: { type: "array", items: { type: "string" } },
    executable: text("Absolute path of the executable"),
    inWritableFolder: { type: "boolean" },
    enter: { type: "boolean", description: "The shell changes to that folder, and that is all" },
    wrapper: { type: "boolean", description: "It only starts another command, whose need stands beside it" },
    opaque: text("Why the target cannot be known before it runs"),
    reach: text("Not wanted, but within reach: why the sandbox cannot keep it from the command"),
  },
  required: ["kind", "target"],
} as const satisfies ObjectSchema;

const judgement = {
  type: "object",
  properties: {
    need,
    verdict: { type: "string", enum: ["allow", "deny", "ask"] },
    reason: text("One sentence: what decided"),
    rule: text("The rule that decided: `deny read=**/.env (preset read-only)`"),
    grant: text("The grant that decided"),
  },
  required: ["need", "verdict", "reason"],
} as const satisfies ObjectSchema;

const usage = {
  type: "object",
  properties: {
    input: int("Input tokens, cached ones included"),
    output: int("Output tokens, reasoning included"),
    cached: int("Input tokens read from the provider's cache"),
    reasoning: int("Output tokens spent on reasoning"),
  },
  required: ["input", "output", "cached", "reasoning"],
} as const satisfies ObjectSchema;

const error = {
  type: "object",
  properties: {
    code: text("A code of the error list"),
    message: text("What was tried and what happened"),
    fix: text("What to do"),
  },
  required: ["code", "message"],
} as const satisfies ObjectSchema;

const duration = any("once | session | {until} | forever");

interface EventSchema {
  readonly description: string;
  /** Shown as it happens, never stored. */
  readonly live?: true;
  readonly data: ObjectSchema;
}

/** Every event, in the order of a turn's life. `docs/events.md` is generated from this; the stream is public API. */
export const EVENTS = {
  "session.created": {
    description: "A session began. The first event of every session.",
    data: {
      type: "object",
      properties: {
        workspace: text("Absolute path of the folder it works in"),
        profile: text("Name of the profile"),
        parent: text("The session it was forked from"),
        forkedAt: int("Sequence number in the parent of the last event it shares"),
        title: text("A short name for people"),
      },
      required: ["workspace", "profile"],
    },
  },
  "input": {
    description: "Somebody said something to the agent. While a turn runs it steers that turn.",
    data: {
      type: "object",
      properties: {
        text: text("What was said"),
        context: text("Material given beside it (piped standard input, attachments)"),
        principal: text("Who: `human`, `channel:NAME:USER`, `automation:FILE`"),
        surface: text("Where: `cli`, `repl`, `http`, `tour`, …"),
        route: text("The routing rule that brought it here"),
        profile: text("Name of the profile"),
        device: text("Host name"),
        key: text("Idempotency key of the submission"),
        steering: { type: "boolean", description: "True when it arrived while a turn ran" },
        taints: {
          type: "array",
          items: { type: "string" },
          description: "Where content from outside came from that it may hold: it taints the session",
        },
      },
      required: ["text", "principal", "surface"],
    },
  },
  "turn.started": {
    description: "The agent began to work on the input before it.",
    data: {
      type: "object",
      properties: {
        model: text("provider/model"),
        preset: text("Name of the policy preset"),
        limits: any("{turns, cost, timeoutMs}: the limits in force"),
        contextFiles: {
          type: "array",
          items: { type: "string" },
          description: "Context files that were read",
        },
        recorded: { type: "boolean", description: "True when the model's side is replayed from a cassette" },
        automation: {
          type: "object",
          properties: {
            file: text("Path of the file, relative to the workspace"),
            graph: text("SHA-256 (hex) of the file and all that it imports"),
            permissions: any("What it declares that it may do: patterns by kind"),
          },
          required: ["file", "graph"],
          description: "The automation that drives the turn, instead of a model",
        },
      },
      required: ["model", "preset"],
    },
  },
  "model.requested": {
    description: "A request goes to the model. The budget for it is reserved.",
    data: {
      type: "object",
      properties: {
        step: int("Number of this step in its turn, from 1"),
        model: text("provider/model"),
        reserved: money("US dollars reserved; null without a cost limit"),
      },
      required: ["step", "model", "reserved"],
    },
  },
  "model.retried": {
    description: "A request failed in a way that passes, and is tried again after a pause.",
    data: {
      type: "object",
      properties: {
        attempt: int("Which attempt failed, from 1"),
        waitMs: int("Pause before the next one"),
        reason: text("What failed"),
      },
      required: ["attempt", "waitMs", "reason"],
    },
  },
  "message.delta": {
    description: "A piece of the message being written. Pieces may hold many tokens.",
    live: true,
    data: {
      type: "object",
      properties: {
        text: text("The piece"),
        kind: { type: "string", enum: ["text", "reasoning"] },
      },
      required: ["text", "kind"],
    },
  },
  "message": {
    description: "The model's whole message: what it said and the calls it asks for.",
    data: {
      type: "object",
      properties: {
        text: text("What it said"),
        reasoning: text("What it showed of its reasoning"),
        calls: {
          type: "array",
          items: {
            type: "object",
            properties: {
              id: text("Id of the call"),
              name: text("Tool"),
              args: text("Arguments, as JSON text"),
            },
            required: ["id", "name", "args"],
          },
        },
        finish: text(
          "Why it stopped: stop, tool_calls, length, content_filter, cut (the connection broke or it was cancelled)",
        ),
        opaque: any("{provider, items}: what the provider wants to see again"),
      },
      required: ["text", "calls", "finish"],
    },
  },
  "model.settled": {
    description: "What the request before it cost.",
    data: {
      type: "object",
      properties: {
        model: text("provider/model"),
        usage,
        cost: money("US dollars; null when the model has no known price"),
        ms: int("From request to last byte"),
        firstMs: int("From request to first piece"),
        estimated: {
          type: "boolean",
          description: "True when the provider sent no usage and tokens were estimated",
        },
      },
      required: ["model", "usage", "cost", "ms"],
    },
  },
  "tool.requested": {
    description: "A tool call, with what it needs. Written before anything is done.",
    data: {
      type: "object",
      properties: {
        call: text("Id of the call"),
        name: text("Tool"),
        args: any("Its arguments"),
        needs: { type: "array", items: need },
        origin: { type: "string", enum: ["model", "automation", "mcp", "human", "channel"] },
        digest: text("SHA-256 (hex) of the canonical action"),
        title: text("The action in one line: `edit src/a.ts`, the command line"),
        summary: text("The whole action as a person reads it, escaped"),
      },
      required: ["call", "name", "args", "needs", "origin"],
    },
  },
  "decision": {
    description:
      "What policy, or a person, decided about a call. A call may have several: `require` re-enters the decision.",
    data: {
      type: "object",
      properties: {
        call: text("Id of the call"),
        verdict: { type: "string", enum: ["allow", "deny", "ask"] },
        by: text("`policy`, or who: `human:cli`"),
        judgements: { type: "array", items: judgement },
        approval: text("The approval this answers"),
        unapproved: { type: "boolean", description: "True when it had to ask and nobody could answer" },
        note: text("What the person said with it"),
      },
      required: ["call", "verdict", "by", "judgements"],
    },
  },
  "approval.requested": {
    description: "A call waits for a person. Any surface may answer; the first valid answer wins.",
    data: {
      type: "object",
      properties: {
        approval: text("Id of the approval"),
        call: text("Id of the call"),
        tool: text("Tool"),
        digest: text("SHA-256 (hex) of the canonical action: what runs is what was shown"),
        summary: text("The whole action, escaped"),
        judgements: { type: "array", items: judgement },
        onceOnly: { type: "boolean", description: "True when only `once` may be answered" },
        expiresAt: text("ISO 8601"),
      },
      required: ["approval", "call", "tool", "digest", "summary", "judgements", "expiresAt"],
    },
  },
  "approval.decided": {
    description: "An approval was answered, or ran out.",
    data: {
      type: "object",
      properties: {
        approval: text("Id of the approval"),
        call: text("Id of the call"),
        verdict: { type: "string", enum: ["allow", "deny"] },
        by: text("`human:cli`, `expired`"),
        duration,
        scope: text("workspace, host, domain or integration"),
        grant: text("The grant it made"),
        note: text("What the person said with it"),
      },
      required: ["approval", "call", "verdict", "by"],
    },
  },
  "question.asked": {
    description: "The agent asks a person something.",
    data: {
      type: "object",
      properties: {
        question: text("Id of the question"),
        call: text("Id of the call"),
        from: text("The automation that asks; absent: the agent"),
        text: text("The question"),
        options: { type: "array", items: { type: "string" } },
        default: text("What an empty answer stands for"),
      },
      required: ["question", "call", "text"],
    },
  },
  "question.answered": {
    description: "A person answered the agent's question.",
    data: {
      type: "object",
      properties: { question: text("Id of the question"), text: text("The answer"), by: text("Who") },
      required: ["question", "text", "by"],
    },
  },
  "tool.output": {
    description: "Output of a running tool, as it comes.",
    live: true,
    data: {
      type: "object",
      properties: {
        call: text("Id of the call"),
        stream: { type: "string", enum: ["stdout", "stderr", "progress"] },
        text: text("The piece"),
      },
      required: ["call", "stream", "text"],
    },
  },
  "output": {
    description: "A piece of what an automation prints, as it comes.",
    live: true,
    data: {
      type: "object",
      properties: { stream: { type: "string", enum: ["stdout", "stderr"] }, text: text("The piece") },
      required: ["stream", "text"],
    },
  },
  "progress": {
    description: "How far an automation is with something. Without a label: with nothing any more.",
    live: true,
    data: {
      type: "object",
      properties: {
        label: text("With what"),
        done: { type: "number", description: "How much of it is done" },
        total: { type: "number", description: "How much there is" },
        text: text("What it is at now"),
      },
    },
  },
  "replay.changed": {
    description: "What a replayed automation would have changed of a file. Nothing was.",
    live: true,
    data: {
      type: "object",
      properties: {
        path: text("Path of the file, relative to the project's root"),
        change: { type: "string", enum: ["added", "changed", "removed"] },
        diff: any("Unified diff; null when it cannot be shown"),
        note: any("Why it cannot be shown, or is not known to be so; or null"),
      },
      required: ["path", "change", "diff", "note"],
    },
  },
  "log": {
    description: "A line of an automation's log.",
    data: {
      type: "object",
      properties: {
        level: { type: "string", enum: ["debug", "info", "warn", "error"] },
        text: text("The line"),
        data: any("What was given beside it"),
      },
      required: ["level", "text"],
    },
  },
  "file.changed": {
    description: "A tool changed a file. Contents are kept by hash and can be restored.",
    data: {
      type: "object",
      properties: {
        call: text("Id of the call"),
        path: text("Absolute path"),
        before: any("SHA-256 (hex) of the content before, or null when there was no file"),
        after: any("SHA-256 (hex) of the content after, or null when it is gone"),
        mode: int("Permission bits before"),
        kept: {
          type: "boolean",
          description: "False when the content before was too large or secret, and was not kept",
        },
      },
      required: ["call", "path", "before", "after"],
    },
  },
  "tool.finished": {
    description: "A tool call ended. What the model is told is `text`.",
    data: {
      type: "object",
      properties: {
        call: text("Id of the call"),
        name: text("Tool"),
        status: { type: "string", enum: ["done", "failed", "denied", "cancelled", "interrupted"] },
        text: text("What the model is told"),
        ms: int("How long the tool itself ran"),
        confineMs: {
          type: "number",
          description: "How long it took before to find out what its processes may touch, in tenths",
        },
        exitCode: any("Exit code of the command, where there is one"),
        outputFile: text("File that holds the whole output, when `text` is cut"),
        taints: text("Where content from outside came from: it taints the session"),
        error,
      },
      required: ["call", "name", "status", "text", "ms"],
    },
  },
  "compaction": {
    description:
      "The conversation before `keepFrom` was replaced by a summary, to stay within the model's context.",
    data: {
      type: "object",
      properties: {
        summary: text("What replaces it"),
        keepFrom: int("Sequence number of the first event kept verbatim"),
        tokensBefore: int("Estimated tokens before"),
        tokensAfter: int("Estimated tokens after"),
      },
      required: ["summary", "keepFrom", "tokensBefore", "tokensAfter"],
    },
  },
  "undone": {
    description: "Changes of files were taken back by a person.",
    data: {
      type: "object",
      properties: {
        turn: text("The turn whose changes were taken back"),
        paths: { type: "array", items: { type: "string" } },
        replaced: {
          type: "array",
          items: { type: "string" },
          description: "SHA-256 (hex) of the contents that stood there until then, which are kept",
        },
      },
      required: ["paths"],
    },
  },
  "notice": {
    description: "Something a person should know: inert context files, an unenforced limit.",
    data: {
      type: "object",
      properties: { text: text("The notice"), level: { type: "string", enum: ["info", "warning"] } },
      required: ["text", "level"],
    },
  },
  "turn.ended": {
    description:
      "The turn is over. The last event of every turn, also after a crash (then written on the next start).",
    data: {
      type: "object",
      properties: {
        status: { type: "string", enum: ["done", "failed", "cancelled", "interrupted"] },
        text: text("The answer"),
        error,
        usage,
        cost: money("US dollars; null when a price was not known"),
        steps: int("Model requests made"),
        ms: int("From start to end"),
        unapproved: {
          type: "array",
          items: { type: "string" },
          description: "Needs (kind=target) that had to ask and had no one to answer",
        },
        personOnly: {
          type: "array",
          items: { type: "string" },
          description: "What had to ask and had no one to answer, and no flag can allow: one sentence each",
        },
      },
      required: ["status", "text", "usage", "cost", "steps", "ms", "unapproved"],
    },
  },
} as const satisfies Record<string, EventSchema>;

/** `input`, `turn.started`, `message`, …; docs/events.md lists them. */
export type EventType = keyof typeof EVENTS;
/** The `data` of an event, derived from its schema. */
export type EventData<T extends EventType> = Infer<(typeof EVENTS)[T]["data"]>;
/** Types that listeners are told and that are never stored. */
export type LiveType = { [T in EventType]: (typeof EVENTS)[T] extends { live: true } ? T : never }[EventType];

/** One event. Stored ones have a `seq` that counts from 1 in their session without gaps; live ones have 0. */
export type PryxEvent = {
  [T in EventType]: {
    readonly v: number;
    readonly seq: number;
    readonly session: SessionId;
    readonly turn: TurnId | null;
    /** ISO 8601, UTC, milliseconds. */
    readonly at: string;
    readonly type: T;
    readonly data: EventData<T>;
  };
}[EventType];

/** The event of one type, envelope and data. */
export type EventOf<T extends EventType> = Extract<PryxEvent, { type: T }>;

/** An event before it has a place in a session. */
export type EventDraft = {
  [T in EventType]: { readonly type: T; readonly turn: TurnId | null; readonly data: EventData<T> };
}[EventType];

/** Whether events of the type are only told to listeners, never stored. */
export function isLive(type: EventType): type is LiveType {
  const schema: EventSchema = EVENTS[type];
  return schema.live === true;
}
