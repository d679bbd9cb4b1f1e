import { dirname } from "node:path";
import { PryxError } from "../domain/error.ts";
import type { ProcessSpec } from "./sandbox.ts";

/** A hidden subcommand as a child that may touch nothing but the files of this program. `self`: how it is started. */
export function ownPart(spec: ProcessSpec, self: readonly [string, ...string[]] | undefined): ProcessSpec {
  if (!self) throw new PryxError("internal", `Cannot run ${spec.argv[0]}: how pryx is started is not known`);
  const [program, ...rest] = self;
  const main = rest.at(-1);
  const source = main?.endsWith(".ts") === true;
  const cache = source ? Deno.env.get("DENO_DIR") ?? `${cacheFolder()}/deno` : undefined;
  const { self: _own, ...plain } = spec;
  return {
    ...plain,
    argv: [program, ...rest, ...spec.argv],
    env: {
      ...spec.env,
      DENO_NO_UPDATE_CHECK: "1",
      // From source its packages lie in Deno's cache.
      ...(cache === undefined ? {} : { DENO_DIR: cache }),
    },
    envelope: {
      read: [
        program,
        ...(main === undefined ? [] : [dirname(main)]),
        ...(cache === undefined ? [] : [cache]),
      ],
      write: [],
      access: () => "read",
      closed: [],
      network: "none",
      unixSockets: false,
    },
  };
}

function cacheFolder(): string {
  return Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME") ?? ""}/.cache`;
}
