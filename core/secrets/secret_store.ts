/** Where secrets are kept. References are `scheme:NAME`: `env:OPENAI_API_KEY`, `keychain:openai`, `file:openai`. */
export interface SecretStore {
  readonly scheme: string;
  /** Undefined when there is no such secret. Rejects with PryxError `secret_missing` or `io` when the store itself fails, saying what to do. */
  get(name: string): Promise<string | undefined>;
  set(name: string, value: string): Promise<void>;
  /** False when there was none. */
  remove(name: string): Promise<boolean>;
  /** Names only, never values. */
  list(): Promise<readonly string[]>;
  readonly writable: boolean;
  /** Said once when it is used: a file is less safe than a keychain. */
  readonly warning?: string;
}

/** All secret stores behind their references. */
export interface Secrets {
  /** The value behind `scheme:name`; rejects with `secret_missing` and what to do. */
  resolve(reference: string): Promise<string>;
  store(scheme: string): SecretStore;
  readonly stores: readonly SecretStore[];
}
