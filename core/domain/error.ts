/**
 * Every code a {@link PryxError} may carry, with the exit code that a process ends with when this is what stopped it.
 * Codes are public API: programs may match on them; messages may change.
 */
export const ERROR_CODES = {
  internal: 1,
  not_found: 1,
  conflict: 1,
  io: 1,
  database: 1,
  database_newer: 1,
  database_corrupt: 1,
  disk_full: 1,
  read_only: 1,
  session_busy: 1,
  tool_failed: 1,
  lock_drift: 1,
  replay_differs: 1,
  output_invalid: 1,
  max_turns: 1,
  usage: 2,
  config_invalid: 2,
  input_invalid: 2,
  model_unknown: 2,
  unpriced_model: 2,
  needs_serve: 2,
  denied: 3,
  budget: 4,
  provider: 5,
  provider_auth: 5,
  provider_unreachable: 5,
  provider_interrupted: 5,
  context_overflow: 5,
  secret_missing: 5,
  sandbox: 6,
  timeout: 124,
  cancelled: 130,
} as const;

/** Stable, for programs; docs/errors.md lists them. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** What a process ends with. The whole list is in README.md. */
export const EXIT = {
  done: 0,
  error: 1,
  usage: 2,
  denied: 3,
  budget: 4,
  provider: 5,
  sandbox: 6,
  timeout: 124,
  interrupted: 130,
} as const;

/**
 * The one error type. `message` says what was tried and what happened (`Cannot open session "x": the file is locked by
 * pid 12`), without a period at the end; `fix` says what to do, where that is known.
 */
export class PryxError extends Error {
  override readonly name = "PryxError";
  readonly code: ErrorCode;
  readonly fix: string | undefined;

  constructor(code: ErrorCode, message: string, options: { fix?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.fix = options.fix;
  }

  get exitCode(): number {
    return ERROR_CODES[this.code];
  }

  /** The shape that events, `--json` and the HTTP API show. */
  toJSON(): { code: ErrorCode; message: string; fix?: string } {
    return { code: this.code, message: this.message, ...(this.fix === undefined ? {} : { fix: this.fix }) };
  }
}

/** What an error says, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Any thrown value as a {@link PryxError}; one that is not ours becomes `internal` with the original as `cause`. */
export function toPryxError(error: unknown): PryxError {
  if (error instanceof PryxError) return error;
  if (error instanceof DOMException && error.name === "AbortError") {
    return new PryxError("cancelled", "Cancelled", { cause: error });
  }
  if (error instanceof DOMException && error.name === "TimeoutError") {
    return new PryxError("timeout", "The time limit was reached", { cause: error });
  }
  return new PryxError("internal", messageOf(error), { cause: error });
}
