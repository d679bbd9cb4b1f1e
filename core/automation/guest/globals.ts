import { words } from "../../domain/words.ts";

/** Of the language itself. */
const LANGUAGE = words(`
  AggregateError Array ArrayBuffer AsyncDisposableStack BigInt BigInt64Array BigUint64Array Boolean DataView Date
  DisposableStack Error EvalError FinalizationRegistry Float16Array Float32Array Float64Array Function Infinity Int16Array
  Int32Array Int8Array Intl Iterator JSON Map Math NaN Number Object Promise Proxy RangeError ReferenceError Reflect RegExp
  Set String SuppressedError Symbol SyntaxError TypeError URIError Uint16Array Uint32Array Uint8Array Uint8ClampedArray
  WeakMap WeakRef WeakSet decodeURI decodeURIComponent encodeURI encodeURIComponent eval globalThis isFinite isNaN
  parseFloat parseInt undefined
`);

/** What programs expect beside it, built by the guest runtime. */
const PLATFORM = words(`
  AbortController AbortSignal DOMException Event EventTarget TextDecoder TextEncoder URL URLSearchParams atob btoa
  clearInterval clearTimeout console crypto performance queueMicrotask setInterval setTimeout structuredClone
`);

/** Every own property of the global object that an automation sees, in order. Whatever else V8 has there is taken away. */
export const GUEST_GLOBALS: readonly string[] = [...LANGUAGE, ...PLATFORM].sort();
