#!/usr/bin/env -S pryx run
/**
 * Checks the links of Markdown files: files and headings of this project, and with `--remote` the web's, too.
 *
 *     pryx run link_checker.pryx.ts                            # every *.md that git does not ignore
 *     pryx run link_checker.pryx.ts README.md --remote
 *     pryx run link_checker.pryx.ts --format github            # annotations in a pull request
 *
 * To learn from it: what is found wrong is the answer (standard output), what is being done is not (standard error);
 * `parallel` for many requests at a time; `retry` for those that fail in passing. Write the hosts that you link to in place of
 * `"*"`: then nothing else can be reached.
 */
import { args, exit, fs, http, HttpError, log, parallel, type Permissions, PryxError, retry, ui } from "pryx";
import { anchorsOf, type Link, linksOf, resolvePath } from "./_markdown_links.ts";

export const permissions = {
  read: ["."],
  net: ["*"],
} satisfies Permissions;

interface Problem extends Link {
  readonly file: string;
  readonly why: string;
}

const { remote, format, positional } = args.declare({
  description: "Checks links and anchors of Markdown files.",
  positional: ["[files...]"],
  flags: {
    remote: { type: "boolean", description: "Ask the web for http and https links" },
    format: { type: "string", choices: ["text", "github", "json"], default: "text" },
  },
});

const files = positional.length > 0 ? positional : (await fs.glob("**/*.md")).toSorted();
const texts = new Map(
  await parallel(files, async (file) => [file, await fs.read(file)] as const, { limit: 16 }),
);
const links = [...texts].flatMap(([file, text]) => linksOf(text).map((link) => ({ ...link, file })));
const isRemote = ({ target }: Link) => /^https?:/i.test(target);
const local = links.filter(({ target }) => !/^[a-z][a-z0-9+.-]*:/i.test(target));
const problems: Problem[] = [];

for (const link of local) {
  const why = await localProblem(link.file, link.target);
  if (why !== undefined) problems.push({ ...link, why });
}
if (remote) problems.push(...await remoteProblems(links.filter(isRemote)));

problems.sort((a, b) => a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line || a.column - b.column);
if (format === "json") console.log(JSON.stringify(problems, null, 2));
for (const { file, line, column, target, why } of format === "json" ? [] : problems) {
  console.log(
    format === "github"
      ? `::error file=${file},line=${line},col=${column}::${`${target}: ${why}`.replaceAll("%", "%25")}`
      : `${file}:${line}:${column}: ${target}: ${why}`,
  );
}
const checked = `${files.length} files, ${local.length + (remote ? links.filter(isRemote).length : 0)} links`;
if (problems.length > 0) {
  log.error(`${checked}, ${problems.length} lead nowhere`);
  exit(1);
}
log.info(`${checked}, all lead somewhere`);

/** What is wrong with a link to this project; undefined when nothing is. */
async function localProblem(from: string, target: string): Promise<string | undefined> {
  const [path = "", anchor] = target.split("#", 2);
  const file = path === "" ? from : resolvePath(from, path);
  if (file === undefined) return "leads out of the project";
  const found = await fs.stat(file);
  if (found === null) return `there is no ${file}`;
  if (anchor === undefined || anchor === "" || !file.endsWith(".md")) return undefined;
  const text = texts.get(file) ?? await fs.read(file);
  texts.set(file, text);
  return anchorsOf(text).has(decodeURIComponent(anchor).toLowerCase())
    ? undefined
    : `${file} has no heading "${anchor}"`;
}

/** Asks for each address once, however often it is linked to. */
async function remoteProblems(found: readonly (Link & { readonly file: string })[]): Promise<Problem[]> {
  const addresses = [...new Set(found.map(({ target }) => target.replace(/#.*$/, "")))];
  using progress = ui.progress("Links", addresses.length);
  const answers = new Map(
    await parallel(addresses, async (address) => {
      const why = await remoteProblem(address);
      progress.update();
      return [address, why] as const;
    }, { limit: 8 }),
  );
  return found.flatMap((link) => {
    const why = answers.get(link.target.replace(/#.*$/, ""));
    return why === undefined ? [] : [{ ...link, why }];
  });
}

async function remoteProblem(address: string): Promise<string | undefined> {
  try {
    await retry(async () => {
      // Many servers answer HEAD with 403, 405 or 501, though the page is there.
      const head = await http.head(address, { throws: false, retries: 0, timeout: "15s" });
      if (!head.ok) await http.get(address, { retries: 0, timeout: "15s", maxBytes: 5_000_000 });
    }, { times: 3, delay: "500ms", when: (error) => !(error instanceof HttpError) || error.status >= 500 });
    return undefined;
  } catch (error) {
    if (error instanceof HttpError) return `answers ${error.status}`;
    // What the manifest or policy does not allow is no broken link: it must not look as if it had been checked.
    if (!(error instanceof PryxError) || !["io", "timeout", "tool_failed"].includes(error.code)) throw error;
    return error.message;
  }
}
