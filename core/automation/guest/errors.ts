import type { Json } from "../../domain/schema.ts";
import type { WireError } from "../wire.ts";
import type { Kit } from "./kit.ts";

/** Errors: the class of the API, DOMException, and the way of a thrown value to the host and back. */
export function errors(kit: Kit): void {
  const { uncurry } = kit;
  const split = uncurry(String.prototype.split as (this: string, separator: string) => string[]);
  const includes = uncurry(String.prototype.includes);
  const startsWith = uncurry(String.prototype.startsWith);
  const slice = uncurry(String.prototype.slice);
  const trimStart = uncurry(String.prototype.trimStart);
  const { getOwnPropertyDescriptor, getPrototypeOf, defineProperty, freeze } = Object;
  const { parse, stringify } = JSON;
  const toText = String;
  const GuestError = Error;

  // What formats a stack would be handed the frames of the main realm, as objects of it.
  const locked = { value: undefined, writable: false, enumerable: false, configurable: false };
  defineProperty(Error, "prepareStackTrace", locked);
  defineProperty(kit.global, "Error", { ...locked, value: Error });

  function hidden(target: object, name: string, value: unknown): void {
    defineProperty(target, name, { value, writable: true, enumerable: false, configurable: true });
  }

  class PryxError extends Error {
    readonly code: string;
    declare readonly fix?: string;
    declare readonly data?: Json;
    constructor(message: string, options: { code?: string; fix?: string; cause?: unknown } = {}) {
      super(message, options.cause === undefined ? undefined : { cause: options.cause });
      this.code = options.code ?? "internal";
      if (options.fix !== undefined) this.fix = options.fix;
    }
  }
  hidden(PryxError.prototype, "name", "PryxError");
  hidden(PryxError, "name", "PryxError");

  const CODES: Record<string, number> = {
    __proto__: null as never,
    IndexSizeError: 1,
    HierarchyRequestError: 3,
    WrongDocumentError: 4,
    InvalidCharacterError: 5,
    NoModificationAllowedError: 7,
    NotFoundError: 8,
    NotSupportedError: 9,
    InUseAttributeError: 10,
    InvalidStateError: 11,
    SyntaxError: 12,
    InvalidModificationError: 13,
    NamespaceError: 14,
    InvalidAccessError: 15,
    TypeMismatchError: 17,
    SecurityError: 18,
    NetworkError: 19,
    AbortError: 20,
    URLMismatchError: 21,
    QuotaExceededError: 22,
    TimeoutError: 23,
    InvalidNodeTypeError: 24,
    DataCloneError: 25,
  };
  class DOMException extends Error {
    readonly code: number;
    constructor(message = "", name = "Error") {
      super(`${message}`);
      hidden(this, "name", `${name}`);
      this.code = CODES[`${name}`] ?? 0;
      hidden(this, "code", this.code);
    }
    get [Symbol.toStringTag]() {
      return "DOMException";
    }
  }

  function ownFrames(stack: string): string {
    let kept = "";
    const lines = split(stack, "\n");
    for (let index = 0; index < lines.length; index++) {
      const line = lines[index] ?? "";
      if (!startsWith(trimStart(line), "at ")) continue;
      const foreign = includes(line, "pryx:") || includes(line, "ext:") || includes(line, "node:") ||
        includes(line, "file:");
      if (!foreign && !includes(line, "<anonymous>)")) kept += `\n${line}`;
    }
    return kept;
  }

  /** A property that is data, the object's own or inherited; getters are not run. */
  function dataOf(value: object, name: string): unknown {
    let at: object | null = value;
    for (let depth = 0; at !== null && depth < 10; depth++) {
      const found = getOwnPropertyDescriptor(at, name);
      if (found) return found.value;
      at = getPrototypeOf(at);
    }
    return undefined;
  }

  function textOf(value: object, name: string): string | undefined {
    const found = dataOf(value, name);
    return typeof found === "string" ? slice(found, 0, 65_536) : undefined;
  }

  function describeObject(thrown: object): WireError {
    const name = textOf(thrown, "name") ?? "Error";
    const message = textOf(thrown, "message") ?? "";
    // V8 has it as an accessor of its own, which runs nothing of the user's.
    const stack = thrown instanceof GuestError ? toText(thrown.stack) : textOf(thrown, "stack");
    const frames = stack === undefined ? "" : ownFrames(stack);
    const code = textOf(thrown, "code");
    const fix = textOf(thrown, "fix");
    const data = thrown instanceof PryxError ? dataOf(thrown, "data") : undefined;
    return {
      name,
      message,
      ...(code === undefined ? {} : { code }),
      ...(fix === undefined ? {} : { fix }),
      ...(frames === "" ? {} : { stack: `${name}: ${message}${frames}` }),
      ...(data === undefined ? {} : { data: parse(stringify(data)) }),
    };
  }

  function describe(thrown: unknown): WireError {
    try {
      if (typeof thrown === "object" && thrown !== null) {
        if (thrown instanceof GuestError || textOf(thrown, "message") !== undefined) {
          return describeObject(thrown);
        }
        return { name: "Error", message: `something that is no error was thrown: ${kit.inspect(thrown)}` };
      }
      if (typeof thrown === "function") return { name: "Error", message: "a function was thrown" };
      return { name: "Error", message: toText(thrown) };
    } catch {
      return { name: "Error", message: "an error that cannot be read" };
    }
  }

  function fromWire(error: WireError, stack?: string): Error {
    const made = new PryxError(error.message, {
      ...(error.code === undefined ? {} : { code: error.code }),
      ...(error.fix === undefined ? {} : { fix: error.fix }),
    });
    if (error.data !== undefined) hidden(made, "data", error.data);
    hidden(made, "stack", `${error.name}: ${error.message}${stack === undefined ? "" : ownFrames(stack)}`);
    return made;
  }

  freeze(CODES);
  kit.PryxError = PryxError;
  kit.DOMException = DOMException;
  kit.describe = describe;
  kit.fromWire = fromWire;
  kit.ownFrames = ownFrames;
  kit.expose({ DOMException });
}
