import { bootGuest } from "./boot_guest.ts";

/**
 * In a bundle: what the engine makes of the guest's runtime, beside the program it belongs to. It is made with the bundle,
 * from the very text that cells run, and read by the engine of the same version and flags alone. Half of a cell's own start
 * would be to make it again.
 */
const FILE = "guest.v8";

/** Undefined from source, and where there is none. */
export function readCompiledGuest(): Uint8Array<ArrayBuffer> | undefined {
  const file = fileHere();
  if (file === undefined) return undefined;
  try {
    return Deno.readFileSync(file);
  } catch {
    return undefined;
  }
}

/** `pryx __guest`: makes the file, for the build. Runs an empty automation, so that what every one needs is in it. */
export function writeCompiledGuest(): number {
  const file = fileHere();
  if (file === undefined) return 2;
  const { entry, compile, compiled } = bootGuest({
    send() {},
    timer() {},
    clearTimer() {},
    elapsed: () => 0,
    random: () => 0,
    url: () => "",
  });
  const body = compile("job", "");
  if (typeof body === "string") return 1;
  entry.define("job", body, "", "{}");
  entry.start(JSON.stringify({ entry: "job", args: [], workspace: "/", cwd: "/" }));
  Deno.writeFileSync(file, compiled());
  return 0;
}

function fileHere(): string | undefined {
  const { dirname, filename } = import.meta;
  return dirname === undefined || filename?.endsWith(".ts") ? undefined : `${dirname}/${FILE}`;
}
