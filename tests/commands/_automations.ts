import { dirname } from "node:path";
import type { Automations, Lock } from "../../core/automation/automation.ts";
import { findRoot } from "../../core/automation/_locate.ts";
import { describeDrift } from "../../core/automation/capabilities.ts";
import { checkFiles } from "../../core/automation/check_files.ts";
import { DECLARATIONS } from "../../core/automation/_declarations.ts";
import { findAutomations } from "../../core/automation/find.ts";
import { createLinker } from "../../core/automation/link.ts";
import { readLock, writeLock } from "../../core/automation/lock.ts";
import { PryxError } from "../../core/domain/error.ts";
import { createSandbox } from "../../core/sandbox/create_sandbox.ts";

export interface TestAutomations extends Automations, AsyncDisposable {
  /** Every lock that was written. */
  readonly written: Lock[];
}

/** Automations of real files, without a policy: everything is allowed but what `denied` names. Nothing is run. */
export function testAutomations(root: string, denied: readonly string[] = []): TestAutomations {
  const sandbox = createSandbox({ home: root, env: {}, scopes: [root], own: [], self: ["/bin/false"] });
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
    readLock,
    async writeLock(lock) {
      await writeLock(lock);
      written.push(lock);
    },
    describeDrift,
    run: unused,
    recorded: unused,
    replay: unused,
    rehearse: unused,
    evaluator: unused,
    [Symbol.asyncDispose]: () => sandbox[Symbol.asyncDispose](),
  };
}
