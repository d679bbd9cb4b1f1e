import vm from "node:vm";
import { GUEST_GLOBALS } from "../guest/globals.ts";
import type { Bridge, Evaluation, GuestEntry, ModuleBody } from "../guest/kit.ts";
import { apiText } from "../guest/parts.ts";
import { boot, ENTRY, RUNTIME } from "../guest/runtime.ts";

/** The context that an automation runs in, with its runtime and nothing of the main realm. */
export interface BootedGuest {
  readonly entry: GuestEntry;
  /** A module's code as a function of the context; or why it is none. */
  compile(id: string, code: string): ModuleBody | string;
  /** What the engine has made of the runtime's text by now: `compiled` of the next time, for this very text and engine. */
  compiled(): Uint8Array;
}

export interface GuestOptions {
  /** Text of the function that makes the module `pryx`. Default: the API's. */
  readonly api?: string;
  /** Of an earlier {@link BootedGuest}. The engine does without where it is another one's. */
  readonly compiled?: Uint8Array<ArrayBuffer> | undefined;
}

const MODULE = "(async function(exports, require, module){";
const EVALUATION = "(async function($scope, $require){";

/**
 * Makes the context. `bridge` is given without `evaluate`, which is made here. The guest's files are run there as text: a
 * function of this realm would bring its realm along.
 */
export function bootGuest(
  bridge: Omit<Bridge, "evaluate">,
  { api = apiText(), compiled }: GuestOptions = {},
): BootedGuest {
  const context = vm.createContext(Object.create(null), {
    name: "automation",
    codeGeneration: { strings: false, wasm: false },
  });
  const refuse = script(
    "function(){throw new TypeError('import() is not available in an automation')}",
    "import",
  )
    .runInContext(context);

  function script(text: string, name: string, cachedData?: GuestOptions["compiled"]): vm.Script {
    return new vm.Script(`"use strict";(${text})`, {
      filename: `pryx:${name}`,
      ...(cachedData ? { cachedData } : {}),
    });
  }

  /** The same without strictness, which is for the code to say. */
  function compile(head: string, code: string, filename: string): unknown {
    try {
      return new vm.Script(`${head}${code}\n})`, {
        filename,
        columnOffset: -head.length,
        importModuleDynamically: refuse as () => never,
      }).runInContext(context);
    } catch (error) {
      return error instanceof Error ? error.message : "it cannot be compiled";
    }
  }

  const evaluate = (code: string, name: string) => compile(EVALUATION, code, name) as Evaluation | string;
  // One text for all of it: each on its own takes longer to compile.
  const text =
    `function(bridge,globals){const entry=(${boot})(bridge,globals,(${ENTRY}),${
      RUNTIME.map((part) => `(${part})`)
    });` +
    `entry.part((${api}));return entry}`;
  const runtime = script(text, "runtime", compiled);
  const start = runtime.runInContext(context) as (bridge: Bridge, globals: string) => GuestEntry;
  const entry = start({ ...bridge, evaluate }, GUEST_GLOBALS.join(","));
  return {
    entry,
    compile: (id, code) => compile(MODULE, code, id) as ModuleBody | string,
    compiled: () => runtime.createCachedData(),
  };
}
