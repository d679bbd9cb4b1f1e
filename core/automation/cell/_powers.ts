/** What the language itself has, and what this part of the program still needs. */
const KEPT = new Set([
  ...["Object", "Array", "String", "Number", "Boolean", "Symbol", "BigInt", "Math", "JSON", "Map", "Set"],
  ...[
    "WeakMap",
    "WeakSet",
    "WeakRef",
    "FinalizationRegistry",
    "Promise",
    "Proxy",
    "Reflect",
    "RegExp",
    "Date",
  ],
  ...["Error", "TypeError", "RangeError", "SyntaxError", "EvalError", "ReferenceError", "URIError"],
  ...[
    "AggregateError",
    "SuppressedError",
    "ArrayBuffer",
    "DataView",
    "Uint8Array",
    "Uint32Array",
    "Iterator",
  ],
  ...["globalThis", "undefined", "NaN", "Infinity", "URL", "performance", "crypto", "queueMicrotask"],
]);

/**
 * Takes away what code of this realm could reach the machine with, should it ever come to run any of a user: the
 * runtime's own objects, and every way to make code out of text. For good.
 */
export function takePowers(): void {
  const { defineProperty, getPrototypeOf } = Object;
  const refuse = function () {
    throw new EvalError("Code cannot be made out of text here");
  };
  const kinds = [function () {}, async function () {}, function* () {}, async function* () {}];
  for (const kind of kinds) {
    defineProperty(getPrototypeOf(kind), "constructor", {
      value: refuse,
      writable: false,
      configurable: false,
    });
  }
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    if (!KEPT.has(name)) Reflect.deleteProperty(globalThis, name);
  }
}
