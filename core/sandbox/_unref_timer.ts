/** Lets pryx end while the timer is still set. A timer is a number on some runtimes, and an object that must do it itself on others. */
export function unrefTimer(timer: unknown): void {
  if (typeof timer === "number") Deno.unrefTimer(timer);
  else if (
    typeof timer === "object" && timer !== null && "unref" in timer && typeof timer.unref === "function"
  ) {
    timer.unref();
  }
}
