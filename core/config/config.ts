import type { Layer, PresetName, Rule } from "../domain/policy.ts";

/** Where things are. Absolute; XDG places, or all below `$PRYX_HOME`. Nothing here need exist. */
export interface Paths {
  /** The user's home folder. */
  readonly home: string;
  /** Folder of config.jsonc. */
  readonly config: string;
  /** Folder of pryx.db and file secrets. */
  readonly data: string;
  /** Folder of preimages and kept outputs. */
  readonly state: string;
  readonly cache: string;
  readonly configFile: string;
  readonly database: string;
  /** Folder of managed policy: /etc/pryx. */
  readonly managed: string;
}

/** What a server speaks: Chat Completions, or the Responses API. */
export type ApiStyle = "chat" | "responses";

/** A provider after presets and config are put together. */
export interface ProviderConfig {
  readonly name: string;
  readonly baseUrl: string;
  /** `scheme:NAME`; absent for providers that need no key. */
  readonly key?: string;
  readonly api: ApiStyle;
  readonly headers: Readonly<Record<string, string>>;
  /** True when it runs on this machine: costs nothing. */
  readonly local: boolean;
  /** Context windows by model name, tokens. */
  readonly contextWindows: Readonly<Record<string, number>>;
  /** US dollars per million tokens by model name. */
  readonly prices: Readonly<
    Record<string, { readonly input: number; readonly output: number; readonly cached?: number }>
  >;
}

/** The settings in force: all layers put together. */
export interface Config {
  /** `provider/model`, or undefined when none is set. */
  readonly model: string | undefined;
  readonly profile: string;
  readonly preset: PresetName;
  /** Rules of every layer but the preset's, strongest layer first. */
  readonly rules: readonly Rule[];
  readonly providers: Readonly<Record<string, ProviderConfig>>;
  readonly limits: {
    readonly turns: number;
    readonly cost: number | undefined;
    readonly timeoutMs: number | undefined;
    readonly approvalTimeoutMs: number;
  };
  readonly sandbox: "auto" | "required";
  /** Context window, tokens, for models that nothing is known about. */
  readonly contextWindow: number;
  /** Scheme used by `secrets set` when none is named. */
  readonly secretStore: string;
  /** Where each dotted key came from, for `config get`. */
  readonly origins: Readonly<Record<string, { readonly layer: Layer; readonly source: string }>>;
  /** Files that were read. */
  readonly files: readonly string[];
  /** For people, one line each: settings that are set somewhere and do not hold, and why. */
  readonly notices?: readonly string[];
}

/** The user's config file, for reading and changing single settings; comments are kept. */
export interface ConfigFile {
  readonly path: string;
  /** The value at a dotted key in the file itself; undefined when it is not set there. */
  get(key: string): Promise<unknown>;
  /** The path that a dotted key means. Throws `usage` with the nearest known key when nothing may be set there. */
  resolve(key: string): readonly string[];
  /**
   * Sets a value as typed: JSON, or plain text where the schema wants text. `add` puts it at the end of a list. Resolves
   * with what was written.
   */
  setText(key: string, text: string, options?: { readonly add?: boolean }): Promise<unknown>;
  /** Checks the value against the schema, then writes atomically (0600). */
  set(key: string, value: unknown): Promise<void>;
  /** False when it was not set. */
  unset(key: string): Promise<boolean>;
  /** The JSON Schema of the file, for editors. */
  schema(): Readonly<Record<string, unknown>>;
}
