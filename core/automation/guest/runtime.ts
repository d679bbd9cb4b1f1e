import { calls } from "./calls.ts";
import { clock } from "./clock.ts";
import { clone } from "./clone.ts";
import { codec } from "./codec.ts";
import { consoleGlobal } from "./console.ts";
import { encoding } from "./encoding.ts";
import { errors } from "./errors.ts";
import { evaluate } from "./evaluate.ts";
import { events } from "./events.ts";
import { inspect } from "./inspect.ts";
import type { Bridge, GuestEntry, Kit } from "./kit.ts";
import { modules } from "./modules.ts";
import { timers } from "./timers.ts";
import { urls } from "./url.ts";

/** What the guest runtime is made of, in this order; the last one gives what the main realm calls. */
export const RUNTIME: readonly ((kit: Kit) => void)[] = [
  errors,
  inspect,
  codec,
  clock,
  timers,
  events,
  encoding,
  urls,
  clone,
  consoleGlobal,
  calls,
  evaluate,
];
export const ENTRY: (kit: Kit) => GuestEntry = modules;

/**
 * The first function that runs in the context: takes away what an automation has no use for, and puts the runtime
 * together. Like all files of this folder it is run as text: nothing of its module exists there.
 */
export function boot(
  bridge: Bridge,
  globals: string,
  enter: (kit: Kit) => GuestEntry,
  ...runtime: ((kit: Kit) => void)[]
): GuestEntry {
  const { defineProperty, getOwnPropertyNames, getPrototypeOf } = Object;
  const { bind, call } = Function.prototype;
  const { apply, deleteProperty } = Reflect;
  const StackError = RangeError;
  const global = globalThis as unknown as Record<PropertyKey, unknown>;
  const wanted = `,${globals},`;
  for (const name of getOwnPropertyNames(global)) {
    if (!wanted.includes(`,${name},`)) deleteProperty(global, name);
  }
  deleteProperty(global, "console");

  /** They would run text. The context makes none of it either; this says why. */
  function off(name: string): () => never {
    const refuse = function () {
      throw new EvalError(
        `${name} is not available in an automation: code is what the file and its imports say`,
      );
    };
    defineProperty(refuse, "name", { value: name });
    return refuse as () => never;
  }
  const kinds = [
    function () {},
    async function () {},
    function* () {},
    async function* () {},
  ].map((one) => getPrototypeOf(one) as object);
  const names = ["Function", "AsyncFunction", "GeneratorFunction", "AsyncGeneratorFunction"];
  for (let index = 0; index < kinds.length; index++) {
    const prototype = kinds[index] as object;
    const replacement = off(names[index] ?? "");
    // `x instanceof Function` still has its answer.
    defineProperty(replacement, "prototype", { value: prototype });
    defineProperty(prototype, "constructor", {
      value: replacement,
      writable: false,
      enumerable: false,
      configurable: false,
    });
    if (index === 0) {
      defineProperty(global, "Function", {
        value: replacement,
        writable: true,
        enumerable: false,
        configurable: true,
      });
    }
  }

  /**
   * What the main realm throws is an object of it, and a way there: where the stack is full it does, whatever a function
   * of it says. It stays here.
   */
  function shielded<Args extends unknown[], Result>(
    run: (...args: Args) => Result,
  ): (...args: Args) => Result {
    return (...args) => {
      let result: { readonly value: Result } | undefined;
      try {
        result = { value: apply(run, undefined, args) };
      } catch {
        // Told below, by an error of this realm.
      }
      if (!result) throw new StackError("Maximum call stack size exceeded");
      return result.value;
    };
  }

  const kit = {
    __proto__: null,
    bridge: {
      send: shielded(bridge.send),
      timer: shielded(bridge.timer),
      clearTimer: shielded(bridge.clearTimer),
      elapsed: shielded(bridge.elapsed),
      random: shielded(bridge.random),
      url: shielded(bridge.url),
      evaluate: shielded(bridge.evaluate),
    } satisfies Bridge,
    global,
    uncurry: bind.bind(call) as Kit["uncurry"],
    expose(members: Record<string, unknown>): void {
      for (const name of getOwnPropertyNames(members)) {
        const member = members[name];
        // Names that the program's own bundle may have made shorter.
        if (typeof member === "function") defineProperty(member, "name", { value: name, configurable: true });
        defineProperty(global, name, {
          value: member,
          writable: true,
          enumerable: false,
          configurable: true,
        });
      }
    },
  } as unknown as Kit;
  kit.expose({ eval: off("eval") });
  for (const part of runtime) part(kit);
  return enter(kit);
}
