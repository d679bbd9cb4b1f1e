/**
 * The automation API, version 1: everything that a `.pryx.ts` file can import. `pryx types` prints this file.
 *
 * A call needs two things: a line in the file's `permissions`, and a policy that allows it. What is missing rejects with
 * a {@link PryxError} whose `code` is `denied`. Paths are relative to {@link workspace}, the root of the project that
 * the file is in. Errors are thrown; nothing is retried unless {@link retry} is asked to.
 */

/** Version of this API. A file that was locked with another one is checked again. */
export declare const apiVersion: 1;

// ── What a file may do ──────────────────────────────────────────────────────────────────────────────────────────────
/**
 * What a file declares that it may do, as `export const permissions = {…} satisfies Permissions`. It is read before any
 * code runs, so it must be a literal: no variables, no calls, no spread. Without it a file computes and prints, no more.
 */
export interface Permissions {
  /** Files and folders to read: paths and globs, relative to the project's root (`"."` is all of it). */
  readonly read?: readonly string[];
  /** Files and folders to write. What may be written may be read. */
  readonly write?: readonly string[];
  /** Command lines to run, by their first words: `"git log"`, `"npm test"`. */
  readonly run?: readonly string[];
  /** Hosts to reach: `"api.github.com"`, `"*.example.org"`, `"localhost:8080"`. */
  readonly net?: readonly string[];
  /** Names of environment variables to read. */
  readonly env?: readonly string[];
  /** `"agent"`, `"secret/NAME"`, `"mcp/SERVER/TOOL"`, `"channel/NAME"`. */
  readonly use?: readonly string[];
}

/** Any value that JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** What pryx throws: a denial, a missing file, a time-out. A command that failed is a {@link ShellError}. */
export declare class PryxError extends Error {
  /** `denied`, `not_found`, `input_invalid`, `timeout`, …: the codes of docs/errors.md. Programs may match on them. */
  readonly code: string;
  /** What to do about it, where that is known. */
  readonly fix?: string;
  constructor(message: string, options?: { code?: string; fix?: string; cause?: unknown });
}

// ── Shell ───────────────────────────────────────────────────────────────────────────────────────────────────────────
/** What may stand in `${}` of a command: one word each, quoted; a list is as many words; another command is its text. */
export type ShellValue = string | number | bigint | boolean | ShellCommand | readonly ShellValue[];

/** How a command ended. */
export interface ShellResult {
  /** 0 when all went well; 128 + n when signal n ended it. */
  readonly code: number;
  readonly ok: boolean;
  /** As text (UTF-8). */
  readonly stdout: string;
  readonly stderr: string;
  /** Milliseconds. */
  readonly ms: number;
}

/** A command that ended with another code than 0. */
export declare class ShellError extends PryxError {
  readonly command: string;
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A command line, begun when it is awaited or read from; once. `await` gives a {@link ShellResult} and rejects with a
 * {@link ShellError} when the exit code is not 0. Its output is shown on standard error while it runs, unless `quiet()`
 * or one of the readers (`text`, `lines`, …) takes it.
 */
export interface ShellCommand extends PromiseLike<ShellResult> {
  /** The command line as it will be run. */
  readonly command: string;
  /** Standard output as text, without the newlines at its end. */
  text(): Promise<string>;
  /** Lines of standard output, without the empty one at the end. */
  lines(): Promise<string[]>;
  /** Standard output, parsed as JSON. */
  json<T = Json>(): Promise<T>;
  /** Standard output as it is. */
  bytes(): Promise<Uint8Array>;
  /** Whether the exit code was 0. Never rejects for another code. */
  ok(): Promise<boolean>;
  /** The result, whatever the exit code. */
  result(): Promise<ShellResult>;
  /** Lines of standard output, as they come. Ends by throwing a {@link ShellError} when the exit code is not 0. */
  [Symbol.asyncIterator](): AsyncIterator<string>;
  /** A copy that shows nothing while it runs. */
  quiet(): ShellCommand;
  /** A copy that runs in another folder. */
  cwd(folder: string): ShellCommand;
  /** A copy with more environment variables. They are a part of the command line, and judged with it. */
  env(variables: Readonly<Record<string, string | number | boolean>>): ShellCommand;
  /** A copy that is stopped after so long: milliseconds, or `"90s"`, `"10m"`. Default: two minutes; at most ten. */
  timeout(limit: number | string): ShellCommand;
  /** A copy that is fed this on standard input. */
  stdin(input: string | Uint8Array): ShellCommand;
  /** `a | b`. The code of the last command that failed counts (`pipefail`). */
  pipe(next: ShellCommand): ShellCommand;
  /** The same, from a template: ``sh`ls`.pipe`wc -l` ``. */
  pipe(next: TemplateStringsArray, ...values: readonly ShellValue[]): ShellCommand;
}

/**
 * A command line for the shell (bash where there is one). What stands in `${}` is quoted: it is one word whatever is in
 * it, and no part of it is run. The text is taken as it stands, backslashes too; \` and \${ are these characters.
 *
 * ```ts
 * const branch = await sh`git branch --show-current`.text();
 * await sh`git tag ${version} -m ${`Release ${version}`}`;
 * for await (const line of sh`npm test`) log.info(line);
 * ```
 *
 * Needs `run`, by the command's first words, and `read`, `write` and `net` for what it touches.
 */
export declare function sh(text: TemplateStringsArray, ...values: readonly ShellValue[]): ShellCommand;

// ── Files ───────────────────────────────────────────────────────────────────────────────────────────────────────────
export interface FileInfo {
  readonly kind: "file" | "folder" | "other";
  /** Bytes. */
  readonly size: number;
  /** Permission bits, as in `0o644`. */
  readonly mode: number;
  /** When it was changed last: milliseconds since 1970. */
  readonly mtime: number;
}

export interface FolderEntry {
  readonly name: string;
  /** Relative to the folder that was listed. */
  readonly path: string;
  readonly kind: "file" | "folder" | "link" | "other";
  readonly size: number;
}

export interface GrepMatch {
  /** Relative to the workspace. */
  readonly path: string;
  /** From 1. */
  readonly line: number;
  readonly text: string;
}

export interface FileChange {
  readonly kind: "create" | "modify" | "remove";
  /** Relative to the workspace. */
  readonly path: string;
}

/** Files. Needs `read` or `write` for the path. Writes are atomic, make missing folders, and can be taken back with `pryx sessions undo`. */
export declare const fs: {
  /** A text file (UTF-8). Rejects with `not_found` where there is none. */
  read(path: string): Promise<string>;
  /** A file as bytes. */
  readBytes(path: string): Promise<Uint8Array>;
  /** A JSON file. */
  readJson<T = Json>(path: string): Promise<T>;
  /** Writes a whole file. A string is UTF-8. */
  write(path: string, content: string | Uint8Array, options?: { mode?: number }): Promise<void>;
  /** Writes a value as JSON, two spaces an indent, with a newline at its end. */
  writeJson(path: string, value: unknown): Promise<void>;
  /** Adds to the end of a file, which is made where there is none. */
  append(path: string, text: string): Promise<void>;
  /** Replaces text that stands in the file exactly once (with `all`: wherever it stands). Rejects with `tool_failed` when it does not. */
  edit(path: string, replace: string, by: string, options?: { all?: boolean }): Promise<void>;
  /** What is in a folder, by name. `recursive`: everything below, without what is ignored by `.gitignore`. */
  list(path?: string, options?: { recursive?: boolean }): Promise<FolderEntry[]>;
  /** Files that match, newest first, without what is ignored: `"src/**\/*.ts"`. */
  glob(pattern: string, options?: { cwd?: string; limit?: number }): Promise<string[]>;
  /** Lines that match a regular expression (Rust's syntax), without what is ignored. */
  grep(
    pattern: string,
    options?: { path?: string; glob?: string; ignoreCase?: boolean; limit?: number },
  ): Promise<GrepMatch[]>;
  /** Null where there is nothing. */
  stat(path: string): Promise<FileInfo | null>;
  exists(path: string): Promise<boolean>;
  /** Copies a file, or a folder with everything in it. */
  copy(from: string, to: string): Promise<void>;
  /** Moves a file or a folder; what is at `to` must not be there. */
  move(from: string, to: string): Promise<void>;
  /** Removes a file, or a folder when it is empty; `recursive`: with everything in it. Nothing there is no error. */
  remove(path: string, options?: { recursive?: boolean }): Promise<void>;
  mkdir(path: string): Promise<void>;
  /** A new empty folder that is removed when the automation ends. Commands may write there. Needs nothing. */
  temp(prefix?: string): Promise<string>;
  /** Changes below a path, as they come, until the loop is left or {@link signal} aborts. */
  watch(path: string): AsyncIterable<FileChange>;
};

// ── HTTP ────────────────────────────────────────────────────────────────────────────────────────────────────────────
/** What may go out: text, bytes, or a secret that becomes its value on the way. */
export type HttpText = string | Secret;

export interface HttpOptions {
  readonly headers?: Readonly<Record<string, HttpText>>;
  /** Added to the URL's own. */
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  /** Sent as JSON, with its content type. */
  readonly json?: unknown;
  /** Sent as a form (`application/x-www-form-urlencoded`). */
  readonly form?: Readonly<Record<string, HttpText>>;
  /** Sent as it is. */
  readonly body?: HttpText | Uint8Array;
  /** Milliseconds, or `"30s"`. Default: 30 seconds. */
  readonly timeout?: number | string;
  /** More attempts when it fails in a way that passes (no answer, 408, 425, 429, 5xx); waits longer each time, or as long as `Retry-After` says. Default: 2 for GET and HEAD, else 0. */
  readonly retries?: number;
  /** Default: `follow`. Every new place is decided on its own. */
  readonly redirect?: "follow" | "manual" | "error";
  /** False: a status of 400 or more is an answer like others. Default: it rejects with {@link HttpError}. */
  readonly throws?: boolean;
  /** Bytes of the answer at most. Default: 16 MB. */
  readonly maxBytes?: number;
}

export interface HttpResponse {
  readonly status: number;
  readonly ok: boolean;
  /** After redirects. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  text(): Promise<string>;
  json<T = Json>(): Promise<T>;
  bytes(): Promise<Uint8Array>;
}

/** A server-sent event. */
export type HttpEvent = { readonly event: string; readonly data: string; readonly id: string };

/** A status of 400 or more. */
export declare class HttpError extends PryxError {
  readonly status: number;
  readonly response: HttpResponse;
}

/** HTTP requests. Needs `net` for the host. Names that lead to private addresses are refused, unless the manifest spells them out. */
export declare const http: {
  get(url: string, options?: HttpOptions): Promise<HttpResponse>;
  head(url: string, options?: HttpOptions): Promise<HttpResponse>;
  post(url: string, options?: HttpOptions): Promise<HttpResponse>;
  put(url: string, options?: HttpOptions): Promise<HttpResponse>;
  patch(url: string, options?: HttpOptions): Promise<HttpResponse>;
  delete(url: string, options?: HttpOptions): Promise<HttpResponse>;
  request(method: string, url: string, options?: HttpOptions): Promise<HttpResponse>;
  /** GET, and the answer as JSON. */
  json<T = Json>(url: string, options?: HttpOptions): Promise<T>;
  /** The body in pieces, as they come. */
  stream(url: string, options?: HttpOptions & { method?: string }): AsyncIterable<Uint8Array>;
  /** Server-sent events, as they come. */
  events(url: string, options?: HttpOptions & { method?: string }): AsyncIterable<HttpEvent>;
};

// ── Git ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
export interface GitStatus {
  /** Null when no branch is checked out. */
  readonly branch: string | null;
  readonly upstream: string | null;
  readonly ahead: number;
  readonly behind: number;
  /** `index` and `tree`: as git's `--porcelain=v2` says them (`M`, `A`, `D`, `R`, `?`, `.`). */
  readonly files: readonly { path: string; from?: string; index: string; tree: string }[];
  readonly clean: boolean;
}

export interface GitCommit {
  readonly hash: string;
  readonly author: string;
  readonly email: string;
  /** ISO 8601. */
  readonly date: string;
  readonly subject: string;
  readonly body: string;
}

/** The git command line, read for you. Each needs `run` for the command it runs (`"git status"`, `"git log"`, …) and `read` for the repository. */
export declare const git: {
  status(): Promise<GitStatus>;
  /** A unified diff. `staged`; `range`: `"main...HEAD"`; `paths`. */
  diff(options?: { staged?: boolean; range?: string; paths?: readonly string[] }): Promise<string>;
  /** Newest first. Default: 20. */
  log(options?: { range?: string; limit?: number; paths?: readonly string[] }): Promise<GitCommit[]>;
  /** The branch that is checked out; null when none is. */
  branch(): Promise<string | null>;
  /** Makes a branch and checks it out. */
  createBranch(name: string, from?: string): Promise<void>;
  /** Commits what is staged; `paths` are staged first, `all`: every change. Returns the hash. */
  commit(message: string, options?: { paths?: readonly string[]; all?: boolean }): Promise<string>;
  /** Checks a branch or commit out in a new folder, and removes that when `body` has ended. Needs `write` for where it stands. */
  worktree<T>(ref: string, body: (folder: string) => Promise<T> | T): Promise<T>;
};

// ── Agent ───────────────────────────────────────────────────────────────────────────────────────────────────────────
type JsonType = "string" | "number" | "integer" | "boolean" | "null" | "array" | "object";

/** A JSON Schema (2020-12). Written in place, its answer has its type: {@link FromSchema}. */
export interface JsonSchema {
  readonly type?: JsonType | readonly JsonType[] | (string & Record<never, never>) | readonly string[];
  readonly description?: string;
  readonly properties?: { readonly [name: string]: JsonSchema };
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly enum?: readonly unknown[];
  readonly [keyword: string]: unknown;
}

/** The type of what fits a schema that was written in place (or `as const`); {@link Json} where the schema does not tell. */
export type FromSchema<S> = S extends { readonly const: infer C } ? C
  : S extends { readonly enum: readonly (infer E)[] } ? E
  : S extends { readonly anyOf: readonly (infer A)[] } | { readonly oneOf: readonly (infer A)[] }
    ? FromSchema<A>
  : S extends { readonly type: readonly (infer T)[] } ? T extends string ? OfType<S, T> : Json
  : S extends { readonly type: infer T extends string } ? OfType<S, T>
  : Json;
type OfType<S, T extends string> = T extends "string" ? string
  : T extends "number" | "integer" ? number
  : T extends "boolean" ? boolean
  : T extends "null" ? null
  : T extends "array" ? S extends { readonly items: infer I } ? FromSchema<I>[] : Json[]
  : T extends "object" ? S extends { readonly properties: infer P } ? OfProperties<P, RequiredOf<S>>
    : { [key: string]: OtherValue<S> }
  : Json;
type OtherValue<S> = S extends { readonly additionalProperties: infer V extends JsonSchema } ? FromSchema<V>
  : Json;
type OfProperties<P, R> =
  & { -readonly [K in keyof P as K extends R ? K : never]: FromSchema<P[K]> }
  & { -readonly [K in keyof P as K extends R ? never : K]?: FromSchema<P[K]> } extends infer O
  ? { [K in keyof O]: O[K] }
  : never;
type RequiredOf<S> = S extends { readonly required: readonly (infer K)[] } ? K : never;

export interface AgentOptions {
  /** `provider/model`. Default: the configured one. */
  readonly model?: string;
  /** Names of the tools it may use (`"read_file"`), and tools made with {@link defineTool}. Default: all of pryx's own that the manifest allows. `[]`: none. */
  readonly tools?: readonly (string | AgentTool)[];
  /** US dollars for one question. Never more than what is left of `--max-cost`. */
  readonly budget?: number;
  /** Requests to the model for one question. */
  readonly maxTurns?: number;
  /** Milliseconds, or `"5m"`. */
  readonly timeout?: number | string;
  /** What it may do where no rule says otherwise: only to narrow. Whatever it is, the agent may do no more than the file. */
  readonly preset?: "read-only" | "workspace" | "network-allowlist";
  /** Material beside the question. */
  readonly context?: string;
}

/** A question whose answer is to have a shape. */
export type SchemaOptions<S extends JsonSchema> = AgentOptions & { readonly schema: S };

export interface AgentAnswer {
  readonly text: string;
  /** The session that `pryx sessions show` knows it by. */
  readonly session: string;
  /** US dollars; null when the model has no known price. */
  readonly cost: number | null;
  readonly usage: { readonly input: number; readonly output: number };
}

/** A conversation: each question sees those before it. */
export interface AgentSession {
  readonly id: string | undefined;
  ask<const S extends JsonSchema>(prompt: string, options: SchemaOptions<S>): Promise<FromSchema<S>>;
  ask(prompt: string, options?: AgentOptions): Promise<AgentAnswer>;
  stream(prompt: string, options?: AgentOptions): AsyncIterable<string>;
}

/** The agent, with the rights of this file and no others. Needs `use: ["agent"]`. */
export declare const agent: {
  /** Asks once, for an answer of a certain shape. It is checked; the model may mend it once; then `output_invalid`. */
  ask<const S extends JsonSchema>(prompt: string, options: SchemaOptions<S>): Promise<FromSchema<S>>;
  /** Asks once, in a new session. */
  ask(prompt: string, options?: AgentOptions): Promise<AgentAnswer>;
  /** Pieces of the answer, as they come. */
  stream(prompt: string, options?: AgentOptions): AsyncIterable<string>;
  /** A conversation of many questions. The options hold for each, unless it has its own. */
  session(options?: AgentOptions): AgentSession;
};

/** A function that the agent can call. */
export type AgentTool = { readonly name: string };

/**
 * Makes a function a tool for the agent: `agent.ask(…, { tools: [tool] })`. Arguments are checked against `parameters`
 * before `run` is called. What it throws, the model is told.
 */
export declare function defineTool<const P extends JsonSchema>(tool: {
  /** Lower case, digits and `_`. */
  readonly name: string;
  /** For the model: what it does and when to use it. */
  readonly description: string;
  /** A JSON Schema of type `object`. */
  readonly parameters: P;
  run(args: FromSchema<P>): unknown;
}): AgentTool;

/** pryx's own tools, as the agent has them (`pryx tools list`). */
export declare const tools: {
  list(): Promise<string[]>;
  /** What the tool said. Rejects with `denied`, or with `tool_failed` when it did not do what was asked. */
  call(name: string, args?: Readonly<Record<string, unknown>>): Promise<string>;
};

/** A server of the Model Context Protocol. Needs `use: ["mcp/SERVER/TOOL"]`, and `pryx serve`. */
export declare function mcp(server: string): {
  tools(): Promise<{ readonly name: string; readonly description: string }[]>;
  call(tool: string, args?: Readonly<Record<string, unknown>>): Promise<Json>;
};

// ── People ──────────────────────────────────────────────────────────────────────────────────────────────────────────
export interface Progress extends Disposable {
  /** `done` of `total`, or one more. */
  update(done?: number, text?: string): void;
  end(): void;
}

/**
 * Asks and shows. Every question has a name; where nobody is there, `--answer NAME=VALUE` answers it, else its `default`,
 * else it rejects with `denied` and says which flag is missing.
 */
export declare const ui: {
  confirm(name: string, question?: string, options?: { default?: boolean }): Promise<boolean>;
  input(name: string, question?: string, options?: { default?: string }): Promise<string>;
  select<const T extends string>(
    name: string,
    choices: readonly T[],
    options?: { question?: string; default?: NoInfer<T> },
  ): Promise<T>;
  multiselect<const T extends string>(
    name: string,
    choices: readonly T[],
    options?: { question?: string; default?: readonly NoInfer<T>[] },
  ): Promise<T[]>;
  /** A line on standard error that shows how far something is. */
  progress(label: string, total?: number): Progress;
  /** A table on standard output. */
  table(rows: readonly Readonly<Record<string, unknown>>[], columns?: readonly string[]): void;
  /** Markdown on standard output, as it stands. */
  markdown(text: string): void;
};

/** For people, on standard error, and kept in the session. What is the answer goes to standard output: `console.log`. */
export declare const log: {
  debug(message: string, data?: unknown): void;
  info(message: string, data?: unknown): void;
  warn(message: string, data?: unknown): void;
  error(message: string, data?: unknown): void;
};

// ── Values from outside ─────────────────────────────────────────────────────────────────────────────────────────────
export type HashName = "SHA-1" | "SHA-256" | "SHA-384" | "SHA-512";

/** A secret that is never seen here: it becomes its value in a header or body of a request, on its way out. */
export interface Secret {
  readonly name: string;
  /** A copy with text before the value: `secrets.use("github").prefix("Bearer ")`. */
  prefix(text: string): Secret;
  /** HMAC of a text with the secret as its key, in hexadecimal. Default: `SHA-256`. */
  sign(text: string, algorithm?: HashName): Promise<string>;
  /** Whether a signature is that HMAC; `sha256=` before it is passed over. */
  verify(text: string, signature: string, algorithm?: HashName): Promise<boolean>;
}

/** Needs `use: ["secret/NAME"]`. Rejects at its use when there is no such secret (`pryx secrets set NAME`). */
export declare const secrets: { use(name: string): Secret };

/** Environment variables. Needs `env: ["NAME"]`. Undefined where it is not set. */
export declare const env: { get(name: string): Promise<string | undefined> };

/** What a flag may hold. `short`: its one-letter form. */
export type FlagSpec =
  & { readonly description?: string; readonly short?: string }
  & (
    | {
      readonly type: "string";
      readonly default?: string;
      readonly choices?: readonly string[];
      readonly required?: boolean;
    }
    | { readonly type: "number"; readonly default?: number; readonly required?: boolean }
    | { readonly type: "boolean"; readonly default?: boolean }
    | { readonly type: "strings" }
  );

/** Values of declared flags, by name. */
export type FlagValues<F extends Readonly<Record<string, FlagSpec>>> = {
  readonly [K in keyof F]: F[K] extends { readonly type: "boolean" } ? boolean
    : F[K] extends { readonly type: "strings" } ? readonly string[]
    : F[K] extends { readonly choices: readonly (infer C)[] } ? Given<F[K], C>
    : F[K] extends { readonly type: "number" } ? Given<F[K], number>
    : Given<F[K], string>;
};
type Given<S, T> = S extends { readonly default: unknown } | { readonly required: true } ? T : T | undefined;

/** What stood behind the file's name on the command line. */
export declare const args: {
  /** As it was typed. */
  readonly raw: readonly string[];
  /** Absolute path of a word that names a file from where the person stands; `fs` starts at {@link workspace}. */
  path(word: string): string;
  /** Words that are no flags, and what follows `--`. */
  readonly positional: readonly string[];
  /** Flags as they stand there: `--name=x`, `--name x` and `--name`. */
  readonly flags: Readonly<Record<string, string | boolean>>;
  /**
   * Declares what the automation takes. `--help` prints it and ends; what does not fit ends with code 2 and says why.
   * Call it once, before anything else.
   */
  declare<const F extends Readonly<Record<string, FlagSpec>> = Record<never, never>>(spec: {
    readonly description?: string;
    readonly flags?: F;
    /** Names of positional words, in order: `["version", "files..."]`; `[name]` may be missing. */
    readonly positional?: readonly string[];
  }): FlagValues<F> & { readonly positional: readonly string[] };
};

/** Standard input as text; empty when nothing is piped in. */
export declare function stdin(): Promise<string>;

/** Absolute path of the root of the project: the nearest folder above the file with `.git`, `.pryx` or `pryx.lock`. */
export declare const workspace: string;

/** Aborts when the automation is to end: Ctrl-C, the time limit, `pryx serve` shutting down. */
export declare const signal: AbortSignal;

/** Values that last from run to run, for this file alone. Keys are at most 512 characters, values 1 MB as JSON. Needs nothing. */
export declare const state: {
  /** What was set; undefined where nothing was. Dates, maps, sets, bytes and bigints come back as they were. */
  get<T = unknown>(key: string): Promise<T | undefined>;
  set(key: string, value: unknown): Promise<void>;
  delete(key: string): Promise<boolean>;
  keys(prefix?: string): Promise<string[]>;
  /** Reads, changes and writes as one step, whatever runs beside it. */
  update<T>(key: string, change: (value: T | undefined) => T): Promise<T>;
};

// ── Resident automations (`pryx serve`) ─────────────────────────────────────────────────────────────────────────────
/** Needs `use: ["channel/NAME"]`, and `pryx serve`. */
export declare const channels: {
  send(channel: string, message: string | { text: string; to?: string; thread?: string }): Promise<void>;
};

export interface WebhookRequest {
  readonly name: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly body: string;
  json<T = Json>(): T;
}

export interface ChannelMessage {
  readonly channel: string;
  readonly from: string;
  readonly text: string;
  readonly thread?: string;
  reply(text: string): Promise<void>;
}

/**
 * Makes the file a resident automation. Under `pryx serve` it is called for each event; `pryx run` delivers one with
 * `--trigger webhook/NAME` (the body on standard input), `--trigger schedule` or `--trigger message/CHANNEL`, and without
 * it says that the file needs `pryx serve`.
 */
export declare const on: {
  /** A cron expression of five fields, in local time. What `run` returns is not looked at. */
  schedule(cron: string, run: () => unknown): void;
  message(channel: string, run: (message: ChannelMessage) => unknown): void;
  /** What it returns is the answer: text, JSON, or `{status, body, headers}`. */
  webhook(name: string, run: (request: WebhookRequest) => unknown): void;
};

// ── Control ─────────────────────────────────────────────────────────────────────────────────────────────────────────
/** Runs `work` for every item, at most `limit` at a time (default: 4). Results in the order of the items. The first failure ends the rest. */
export declare function parallel<T, R>(
  items: Iterable<T>,
  work: (item: T, index: number) => Promise<R> | R,
  options?: { limit?: number },
): Promise<R[]>;

/** Tries again, `times` in all (default: 3), waiting `delay` (default: 1 second) and twice as long each time. Denials are never tried again. */
export declare function retry<T>(
  work: (attempt: number) => Promise<T> | T,
  options?: { times?: number; delay?: number | string; when?: (error: unknown) => boolean },
): Promise<T>;

/** Ends the automation at once with an exit code of 0 to 125, without an error. What was printed is shown; nothing else is awaited. */
export declare function exit(code?: number): never;

/** Waits: milliseconds, or `"5s"`. Rejects when {@link signal} aborts. */
export declare function sleep(duration: number | string): Promise<void>;

// ── Tests (`*.test.pryx.ts`, run by `pryx test`) ────────────────────────────────────────────────────────────────────
/** Registers a test. Tests of a file run one after another, after the file itself. */
export declare function test(name: string, body: () => unknown): void;

/** Throws unless it holds. */
export declare const assert: {
  (condition: unknown, message?: string): asserts condition;
  /** Deep equality. */
  equal(actual: unknown, expected: unknown, message?: string): void;
  match(text: string, pattern: RegExp, message?: string): void;
  rejects(work: Promise<unknown> | (() => unknown), code?: string): Promise<unknown>;
};

export {}; // So that only what says `export` is exported.
