import { join } from "node:path";
import type { KeyringModule } from "./keychain.ts";

/** Native modules inside a compiled program, which the system cannot load from there. */
export interface EmbeddedModules {
  /** The folder of a compiled program's own files. */
  readonly root: string;
  /** Copies one of them to where the system can load it, in a folder that is this user's alone. */
  locate(file: string): Promise<string>;
}

/**
 * The keyring of a compiled program. Left to itself, the runtime copies a native module into the shared temporary
 * folder, under a name that anybody can foresee and take first.
 */
export async function loadEmbeddedKeyring({ root, locate }: EmbeddedModules): Promise<KeyringModule> {
  const packages = join(root, "node_modules", "@napi-rs");
  for await (const { name } of Deno.readDir(packages)) {
    for await (const file of Deno.readDir(join(packages, name))) {
      if (!file.name.endsWith(".node")) continue;
      // Where the package looks first.
      Deno.env.set("NAPI_RS_NATIVE_LIBRARY_PATH", await locate(join(packages, name, file.name)));
      return await import("@napi-rs/keyring");
    }
  }
  throw new Error("no native module of the keyring is embedded");
}
