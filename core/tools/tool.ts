import type { Need } from "../domain/need.ts";
import type { Infer, Json, ObjectSchema } from "../domain/schema.ts";
import type { Files, ProcessResult, ProcessSpec } from "../sandbox/sandbox.ts";

/** What a tool may know before the decision. It can look at paths, not into files. */
export interface NeedContext {
  /** Absolute; relative paths in arguments start here. */
  readonly cwd: string;
  readonly home: string;
  /** Absolute path after symlinks: of the file, or of its nearest existing ancestor plus the rest. Relative and `~` paths are taken from cwd and home. */
  resolve(path: string): Promise<string>;
  /** Splits a command line into the needs of its simple commands and redirects (policy/shell_command.ts). */
  shellNeeds(command: string, cwd: string): Promise<readonly Need[]>;
}

/** What a tool may use while it runs. Nothing else: it holds no other power. */
export interface ToolContext extends NeedContext {
  readonly signal: AbortSignal;
  /** Files, limited to what was decided for this call. */
  readonly files: Files;
  /** Starts a child process under the sandbox, with what was decided for this call, and waits for its end. */
  run(spec: ProcessSpec): Promise<ProcessResult>;
  /**
   * One HTTP request to a host that was decided. Never follows redirects; `from` is the page whose redirect is followed.
   * Secret marks in headers and in a text body become values on the way out, and the answer does not hold those. Rejects
   * with a `denied` PryxError where a name leads to an address that is not public, or the use of a secret was not decided.
   */
  fetch(
    url: string,
    init: {
      method?: string;
      headers?: Readonly<Record<string, string>>;
      body?: string | Uint8Array;
      signal: AbortSignal;
      from?: string;
    },
  ): Promise<Response>;
  /**
   * Asks for one more need in the middle of a call; `why` is shown to the person. Resolves when it is granted; rejects
   * with a `denied` PryxError.
   */
  require(need: Need, why?: string): Promise<void>;
  /** Live output for people, and for the program that called. `data`: for the program alone. */
  emit(text: string, stream?: OutputStream): void;
  /** Puts a question to a person. Rejects with a `denied` PryxError where nobody is there. */
  ask(question: string, options?: readonly string[]): Promise<string>;
  /** Keeps a large output on disk, readable by `read_file`. Returns its absolute path. */
  keep(name: string, content: Uint8Array | string): Promise<string>;
  /** The same for an output that is too long to hold: written as it comes. */
  keepLong(name: string): LongOutput;
}

/** Where live output belongs. */
export type OutputStream = "stdout" | "stderr" | "progress" | "data";

/** A kept output while it is written. */
export interface LongOutput {
  /** Absolute path of the file. */
  readonly path: string;
  /** In pieces as they come; a piece need not end with a line. */
  write(text: string): void;
  /** Closes the file; `keep: false` removes it. */
  end(options?: { keep?: boolean }): void;
}

/** What a call gives back. */
export interface ToolResult {
  /** What the model is told. Keep it within {@link MAX_RESULT_CHARS}; {@link ToolContext.keep} the rest. */
  readonly text: string;
  /** True when the tool did not do what was asked: the model is told, the turn goes on. */
  readonly failed?: boolean;
  readonly exitCode?: number | null;
  readonly outputFile?: string;
  /** Where content from outside came from (`https://example.org/`): taints the session. */
  readonly taints?: string;
  /** For surfaces and automations; never shown to a model. */
  readonly data?: Json;
}

/** UTF-16 units of a result that the model is given. */
export const MAX_RESULT_CHARS = 30_000;

/** A thing the agent can do. Made by a factory; holds no state and no power of its own. */
export interface Tool<S extends ObjectSchema = ObjectSchema> {
  readonly name: string;
  /** For the model. */
  readonly description: string;
  readonly parameters: S;
  /** What a model is told of the arguments instead: the schema as its author wrote it, of tools from elsewhere. */
  readonly inputSchema?: Readonly<Record<string, unknown>>;
  /** False for tools that must not run beside others in one step. Default: true. */
  readonly parallel?: boolean;
  /**
   * What child processes may touch. `workspace`: what the rules allow anyway, in the workspace and on the network, for
   * command lines that somebody else wrote; what this machine cannot keep from them is judged with the call. Absent:
   * the stated needs alone.
   */
  readonly rights?: "workspace";
  /** True when it changes whatever is below the folders that it states to write: what was there is kept for undo. */
  readonly wholeFolders?: boolean;
  /** Everything the call will want, from its arguments alone. Throws PryxError `input_invalid` on arguments that make no sense. */
  needs(args: Infer<S>, ctx: NeedContext): readonly Need[] | Promise<readonly Need[]>;
  /** The action in one line for people: `edit src/a.ts`. A shell command is shown whole by the caller. */
  title(args: Infer<S>): string;
  /**
   * The arguments as they are stored and shown, where those may be too large for it. The action's digest is over all of
   * them. Total: takes whatever was given. Absent: as they are.
   */
  record?(args: Json): Json;
  run(args: Infer<S>, ctx: ToolContext): Promise<ToolResult>;
}

/** Gives a tool literal its argument types. */
export function defineTool<const S extends ObjectSchema>(tool: Tool<S>): Tool {
  return tool as unknown as Tool;
}
