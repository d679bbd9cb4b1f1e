/**
 * Makes a worker count, or not, among what keeps the process alive. Deno has this for its own `node:worker_threads`
 * only, under a nameless symbol. Without it the process still ends when the sandbox is disposed of.
 */
export function holdProcess(worker: Worker, hold: boolean): void {
  for (const symbol of Object.getOwnPropertySymbols(Worker.prototype)) {
    if (symbol === Symbol.toStringTag || symbol.description === "Deno.privateCustomInspect") continue;
    const method: unknown = Reflect.get(worker, symbol);
    if (typeof method === "function" && method.length === 1) method.call(worker, hold);
  }
}
