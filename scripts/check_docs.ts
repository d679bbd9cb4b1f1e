/**
 * `deno task docs`: writes the documents that are generated from code. With `--check` it writes nothing and fails when
 * one of them is stale, when a link in a document leads nowhere, when docs/acceptance.md names a test that is not
 * there, when a folder of core has no README, or when a word stands in the tree that has no business there.
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ERROR_CODES, EXIT } from "../core/domain/error.ts";
import { EVENT_VERSION, EVENTS } from "../core/domain/event.ts";
import { VERSION } from "../core/domain/version.ts";
import { FAMILIES } from "../tests/security/families.ts";
import { withTable } from "../tests/security/table.ts";
import { withApi } from "./api_reference.ts";
import { brokenLinks, foreignWords, missingTests } from "./doc_rules.ts";
import { renderErrors, renderEvents } from "./doc_tables.ts";

const API = new URL("../core/automation/api.d.ts", import.meta.url);
const SKIPPED = new Set([".git", "dist", "node_modules"]);

/** Path from the root → what must stand there. */
export function generated(): ReadonlyMap<string, string> {
  return new Map([
    ["docs/events.md", renderEvents(EVENTS, EVENT_VERSION)],
    ["docs/errors.md", renderErrors(ERROR_CODES, EXIT)],
  ]);
}

/** Documents that hold something generated among what is written: path → what must stand there, given what does. */
const PARTLY_GENERATED: ReadonlyMap<string, (text: string) => string> = new Map([
  ["docs/security.md", (text: string) => withTable(text, FAMILIES)],
  ["docs/automations.md", (text: string) => withApi(text, Deno.readTextFileSync(API))],
]);

/** Everything wrong with the documents of the tree at `root`, one line each. */
export async function checkDocs(root: string): Promise<string[]> {
  const problems: string[] = [];
  for (const [path, expected] of generated()) {
    const found = await Deno.readTextFile(join(root, path)).catch(() => undefined);
    if (found !== expected) problems.push(`${path}:1: is stale: run deno task docs`);
  }
  for (const [path, fill] of PARTLY_GENERATED) {
    const found = await Deno.readTextFile(join(root, path)).catch(() => undefined);
    if (found !== undefined && found !== fill(found)) {
      problems.push(`${path}:1: is stale: run deno task docs`);
    }
  }
  const manifest = await Deno.readTextFile(join(root, "deno.json")).catch(() => undefined);
  if (manifest !== undefined && (JSON.parse(manifest) as { version: string }).version !== VERSION) {
    problems.push(`deno.json:1: its version is not that of core/domain/version.ts, ${VERSION}`);
  }
  const paths = new Set(await files(root));
  const folders = new Set([...paths].flatMap(parents));
  const exists = (path: string) => paths.has(path) || folders.has(path.replace(/\/$/, ""));
  for (const path of paths) {
    const text = await readText(join(root, path));
    if (text === undefined) continue;
    if (path.endsWith(".md")) problems.push(...brokenLinks(path, text, exists));
    if (path === "docs/acceptance.md") problems.push(...missingTests(path, text, exists));
    problems.push(...foreignWords(path, text, root));
  }
  for (const folder of folders) {
    if (
      !/^core\/[^/]+$/.test(folder) ||
      ![...paths].some((path) => dirname(path) === folder && path.endsWith(".ts"))
    ) {
      continue;
    }
    if (!paths.has(`${folder}/README.md`)) problems.push(`${folder}:1: has no README.md: say what it owns`);
  }
  return problems.sort();
}

async function files(root: string, folder = ""): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(join(root, folder))) {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (SKIPPED.has(entry.name)) continue;
    if (entry.isDirectory) found.push(...await files(root, path));
    else if (entry.isFile) found.push(path);
  }
  return found.sort();
}

function parents(path: string): string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}

/** The text of a file; undefined for one that is large or not text. */
async function readText(path: string): Promise<string | undefined> {
  const bytes = await Deno.readFile(path);
  if (bytes.length > 2_000_000 || bytes.includes(0)) return undefined;
  return new TextDecoder().decode(bytes);
}

if (import.meta.main) {
  const say = (text: string) => Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  if (Deno.args.includes("--check")) {
    const problems = await checkDocs(root);
    problems.forEach(say);
    say(problems.length === 0 ? "docs: in order" : `docs: ${problems.length} problems`);
    if (problems.length > 0) Deno.exit(1);
  } else {
    for (const [path, text] of generated()) {
      await Deno.mkdir(dirname(join(root, path)), { recursive: true });
      await Deno.writeTextFile(join(root, path), text);
      say(`docs: wrote ${path}`);
    }
    for (const [path, fill] of PARTLY_GENERATED) {
      await Deno.writeTextFile(join(root, path), fill(await Deno.readTextFile(join(root, path))));
      say(`docs: wrote ${path}`);
    }
  }
}
