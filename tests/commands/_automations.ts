import { dirname } from "node:path";
import type { Automations, Lock } from "../../core/automation/automation.ts";
import { findRoot } from "../../core/automation/_locate.ts";
import { checkFiles } from "../../core/automation/check_files.ts";
import { DECLARATIONS } from "../../core/automation/_declarations.ts";
import { findAutomations } from "../../core/automation/find.ts";
import { createLinker } from "../../core/automation/link.ts";
import { PryxError } from "../../core/domain/error.ts";
import { createSandbox } from "../../core/sandbox/create_sandbox.ts";

export interface TestAutomations extends Automations, AsyncDisposable {
  /** Every lock that was written. */
  readonly written: Lock[];
}

/**
 * Automations of real files: linked, checked and found as ever, everything allowed but what `denied` names. Locks are kept
 * in memory, and drift is said in the plainest words.
 */
export function testAutomations(root: string, denied: readonly string[] = []): TestAutomations {
  const sandbox = createSandbox({ home: root, env: {}, scopes: [root], own: [], self: ["/bin/false"] });
  const locks = new Map<string, Lock>();
  const may = (path: string) =>
    denied.some((name) => path.endsWith(name))
      ? Promise.reject(new PryxError("denied", `An automation may not import ${path}`))
      : Promise.resolve();
  const link = createLinker({ may, patternProblem: () => undefined });
  const unused = () => Promise.reject(new Error("the test does not do this"));
  const written: Lock[] = [];
  return {
    written,
    link,
    async rootOf(source) {
      if ("folder" in source) return await findRoot(source.folder);
      const real = await Deno.realPath(source.file).catch(() => undefined);
      if (real === undefined) throw new PryxError("not_found", `There is no file ${source.file}`);
      return await findRoot(dirname(real));
    },
    find: (folder) => findAutomations(folder, sandbox),
    check: (files, options) =>
      checkFiles(files, { link, mayRead: (path) => may(path).then(() => true, () => false), ...options }),
    declarations: () => Promise.resolve(DECLARATIONS["pryx.d.ts"]),
    typeFiles: () => Promise.resolve(DECLARATIONS),
    readLock: (file) => Promise.resolve(locks.get(file) ?? { file, entries: new Map() }),
    writeLock(lock) {
      locks.set(lock.file, lock);
      written.push(lock);
      return Promise.resolve();
    },
    describeDrift({ entry: path, hash, permissions = {} }, entry) {
      if (!entry) return [`${path} is new`];
      const [before, after] = [entry.permissions, permissions].map((one) => JSON.stringify(one));
      if (before !== after) return [`${path} has ${after} instead of ${before}`];
      if (entry.api !== 1) return [`${path} is locked with API ${entry.api}`];
      return entry.graph === hash ? [] : [`${path} has other code`];
    },
    run: unused,
    [Symbol.asyncDispose]: () => sandbox[Symbol.asyncDispose](),
  };
}
