import type { Pryx } from "../api.ts";
import type { Automations } from "../automation/automation.ts";
import type { Config, ConfigFile, Paths } from "../config/config.ts";
import type { PryxEvent } from "../domain/event.ts";
import type { PresetName } from "../domain/policy.ts";
import type { Infer, Json, ObjectSchema } from "../domain/schema.ts";
import type { PolicyView } from "../policy/policy.ts";
import type { ModelCatalog, Provider } from "../providers/provider.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import type { Secrets } from "../secrets/secret_store.ts";
import type { Blobs, Store } from "../store/store.ts";
import type { Tool } from "../tools/tool.ts";

/** What a command works with. Everything costly is behind a function and made on first use. */
export interface CommandContext {
  readonly signal: AbortSignal;
  readonly paths: Paths;
  /** Absolute path of the folder that the command is about. */
  readonly cwd: string;
  config(): Promise<Config>;
  configFile(): Promise<ConfigFile>;
  pryx(): Promise<Pryx>;
  /** `reading`: also where the data folder cannot be written; whatever writes then throws `read_only`. */
  store(options?: { readonly reading?: boolean }): Promise<Store>;
  blobs(): Promise<Blobs>;
  policy(): Promise<PolicyView>;
  secrets(): Promise<Secrets>;
  provider(name: string): Promise<Provider>;
  catalog(): Promise<ModelCatalog>;
  sandbox(): Promise<Sandbox>;
  tools(): Promise<readonly Tool[]>;
  automations(): Promise<Automations>;
  /** Where the command shows what happens while it runs. */
  readonly surface: CommandSurface;
  /** The same context with settings on the layer of flags. What it opens is closed with this one. */
  with(overrides: Overrides): CommandContext;
}

/** Settings that a command takes as flags: the strongest layer but managed policy. */
export interface Overrides {
  readonly model?: string;
  readonly profile?: string;
  readonly preset?: PresetName;
  /** `kind=target` each. */
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
  readonly maxTurns?: number;
  /** US dollars. */
  readonly maxCost?: number;
  /** As typed: `90s`, `10m`. */
  readonly timeout?: string;
  readonly approvalTimeout?: string;
  /** File that the model's answers are recorded to. */
  readonly record?: string;
  /** File that the model's answers come from. */
  readonly replayModel?: string;
  /** Absolute path of a config file that stands in for the user's own. */
  readonly configFile?: string;
  /** Absolute path of another folder to work in. */
  readonly cwd?: string;
}

/** What a surface offers a running command. */
export interface CommandSurface {
  /** `cli`, `repl`, `http`, `automation`. */
  readonly name: string;
  /** True when a person is there to answer. */
  readonly attended: boolean;
  /** Shows an event as it happens. */
  event(event: PryxEvent): void;
  /** Progress for people, one line. */
  note(text: string): void;
  /** All of standard input, or its counterpart; undefined when there is none. */
  input(): Promise<Uint8Array | undefined>;
  /** Asks a person for a line. `secret`: without showing it. Rejects with `usage` where nobody is there. */
  prompt(question: string, options?: { secret?: boolean }): Promise<string>;
  confirm(question: string): Promise<boolean>;
}

/** What a command gives back, once for programs and once for people. */
export interface CommandResult {
  /** For programs: what `--json` prints and HTTP answers. */
  readonly data: Json;
  /** For people: what the terminal prints. Absent: nothing (the events showed it). */
  readonly text?: string;
  /** Exit code when it is not 0. */
  readonly exitCode?: number;
}

/** A command line to copy, and what it does. */
export interface Example {
  readonly line: string;
  readonly note: string;
}

/** Where the possible values of a property come from, for completion in shells. */
export type CompletionSource =
  | "files"
  | "folders"
  | "sessions"
  | "models"
  | "providers"
  | "tools"
  | "grants"
  | "settings"
  | "commands"
  | "none";

/**
 * Something a person can ask of pryx. One definition serves the command line, the shell, HTTP and automations: the
 * surfaces make flags, slash commands, routes and functions out of `input`.
 */
export interface Command<S extends ObjectSchema = ObjectSchema> {
  /** `sessions list`. */
  readonly name: string;
  /** One line, no period. */
  readonly summary: string;
  /** More, for `--help`. */
  readonly description?: string;
  /** Properties become flags (`maxCost` → `--max-cost`); booleans are switches; lists may be repeated. */
  readonly input: S;
  /** Names of the properties given by place instead of by flag, in order; a list takes all the rest. */
  readonly positionals?: readonly string[];
  /** The first word given by place, if behind it everything is another program's own, as it stands; that goes to `to`. */
  readonly passThrough?: {
    readonly to: string;
    /** `flags`: names of those that stood before it. */
    readonly behind: (word: string, flags: ReadonlySet<string>) => boolean;
  };
  /** One-letter forms of flags: `{output: "o"}`. */
  readonly short?: Readonly<Record<string, string>>;
  /** What completes a property's values; absent: guessed from the property's name. Enums complete by themselves. */
  readonly complete?: Readonly<Record<string, CompletionSource>>;
  readonly examples: readonly Example[];
  /** `--json` prints events as they happen, one a line, instead of `data` at the end; a result with `text` was not streamed. */
  readonly streams?: boolean;
  run(input: Infer<S>, ctx: CommandContext): Promise<CommandResult>;
}

/** Gives a command literal its input types. */
export function defineCommand<const S extends ObjectSchema>(command: Command<S>): Command {
  return command as unknown as Command;
}
