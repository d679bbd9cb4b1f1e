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
}

const MODULE = "(async function(exports, require, module){";
const EVALUATION = "(async function($scope, $require){";

/**
 * Makes the context. `bridge` is given without `evaluate`, which is made here; `api` is the text of the function that makes
 * the module `pryx`. The guest's files are run there as text: a function of this realm would bring its realm along.
 */
export function bootGuest(bridge: Omit<Bridge, "evaluate">, api = apiText()): BootedGuest {
  const context = vm.createContext(Object.create(null), {
    name: "automation",
    codeGeneration: { strings: false, wasm: false },
  });
  const refuse = run(
    "function(){throw new TypeError('import() is not available in an automation')}",
    "import",
  );

  function run(text: string, name: string): unknown {
    return new vm.Script(`"use strict";(${text})`, { filename: `pryx:${name}` }).runInContext(context);
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
  const start = run(text, "runtime") as (bridge: Bridge, globals: string) => GuestEntry;
  const entry = start({ ...bridge, evaluate }, GUEST_GLOBALS.join(","));
  return {
    entry,
    compile: (id, code) => compile(MODULE, code, id) as ModuleBody | string,
  };
}
