import type { ReplayedChange } from "./automation.ts";
import type { OverlayChange } from "./overlay.ts";

/** A change as people review it. */
export async function diffOf({ path, before, after, note }: OverlayChange): Promise<ReplayedChange> {
  const change = after === null ? "removed" : before === null ? "added" : "changed";
  const untold = (why: string): ReplayedChange => ({ path, change, diff: null, note: note ?? why });
  const [was, is] = [before, after].map((bytes) => bytes ?? new Uint8Array());
  if (!was || !is || isBinary(was) || isBinary(is)) {
    return untold(`binary, ${before?.length ?? 0} bytes before and ${after?.length ?? 0} after`);
  }
  if (before === null && after === null) return untold("nothing is there");
  const { createTwoFilesPatch } = await import("diff");
  const decoder = new TextDecoder();
  const patch = createTwoFilesPatch(
    before === null ? "/dev/null" : header(`a/${path}`),
    after === null ? "/dev/null" : header(`b/${path}`),
    decoder.decode(was),
    decoder.decode(is),
    undefined,
    undefined,
    { context: 3 },
  );
  // The library begins with a line of "=" that no tool needs. A tab ends a name that holds spaces, as diff(1) has it.
  const diff = patch.replace(/^=+\n/, "").replace(
    /^--- .*\n\+\+\+ .*/,
    (names) => names.replace(/ .* .*$/gm, "$&\t"),
  );
  return { path, change, diff, note: note ?? null };
}

/** A name as diff and patch write it: quoted when it could be taken for more than a name. */
function header(name: string): string {
  return /^[^\p{Cc}"\\]*$/u.test(name) ? name : JSON.stringify(name);
}

function isBinary(bytes: Uint8Array): boolean {
  return bytes.subarray(0, 8192).includes(0);
}
