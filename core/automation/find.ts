import { AUTOMATION_SUFFIX } from "../domain/automation.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";

/** More automations than this are no project's own. */
const MAX_FOUND = 10_000;

/**
 * All automations, or other files with a suffix, at or below a folder (absolute, resolved), sorted: without those that
 * ignore files name and those in node_modules.
 */
export async function findAutomations(
  folder: string,
  sandbox: Pick<Sandbox, "files">,
  suffix: string = AUTOMATION_SUFFIX,
): Promise<string[]> {
  const at = folder.endsWith("/") ? folder : `${folder}/`;
  const files = sandbox.files({ read: [folder], write: [], denied: [`${at}**/node_modules`] });
  const { paths } = await files.glob(folder, `*${suffix}`, MAX_FOUND);
  return [...paths].sort();
}
