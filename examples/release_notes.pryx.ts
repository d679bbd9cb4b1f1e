#!/usr/bin/env -S pryx run
/**
 * Release notes from git: what was committed since the last tag, grouped by the agent, as a section of CHANGELOG.md.
 *
 *     pryx run release_notes.pryx.ts 1.4.0 --dry-run      # prints the section, changes nothing
 *     pryx run release_notes.pryx.ts 1.4.0
 *
 * To learn from it: the agent's answer has a JSON schema, so it is checked and has a type; `tools: []` leaves the agent nothing
 * but the text that it is given; and what it says is held against the facts (every commit that it names must be one).
 */
import { agent, args, fs, git, type GitCommit, log, type Permissions, PryxError, sh } from "pryx";
import { addSection, hasSection, renderSection } from "./_changelog.ts";

export const permissions = {
  read: ["."],
  write: ["CHANGELOG.md"],
  run: ["git describe", "git log"],
  use: ["agent"],
} satisfies Permissions;

const FILE = "CHANGELOG.md";
/** More would not be read with care, by anybody. */
const MAX_COMMITS = 300;

const options = args.declare({
  description: "Writes release notes from git into CHANGELOG.md.",
  positional: ["version"],
  flags: {
    since: { type: "string", description: "Tag or commit to begin after; the last tag by default" },
    dryRun: { type: "boolean", short: "n", description: "Print the section and change nothing" },
  },
});
const [version = ""] = options.positional;

const changelog = await fs.exists(FILE) ? await fs.read(FILE) : "# Changelog\n";
if (hasSection(changelog, version)) {
  throw new PryxError(`${FILE} has a section ${version} already`, {
    code: "conflict",
    fix: "take another version, or remove the section",
  });
}

const since = options.since ?? await lastTag();
const commits = await git.log({
  limit: MAX_COMMITS,
  ...(since === undefined ? {} : { range: `${since}..HEAD` }),
});
if (commits.length === 0) throw new PryxError(`Nothing was committed since ${since}`, { code: "not_found" });
log.info(`${commits.length} commits since ${since ?? "the beginning"}`);

const { sections } = await agent.ask(
  [
    `Write the release notes of version ${version} from these commits, for people who use the program.`,
    "Put together what belongs together, say what changed for them and not how, and leave out what they cannot notice.",
    "Name the short hashes that an entry comes from.",
  ].join("\n"),
  {
    context: commits.map(describe).join("\n\n"),
    tools: [],
    schema: {
      type: "object",
      properties: {
        sections: {
          type: "array",
          items: {
            type: "object",
            properties: {
              title: {
                type: "string",
                enum: ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"],
              },
              entries: {
                type: "array",
                items: {
                  type: "object",
                  properties: {
                    text: { type: "string", description: "One sentence, in Markdown, without a list mark" },
                    commits: { type: "array", items: { type: "string" } },
                  },
                  required: ["text", "commits"],
                },
              },
            },
            required: ["title", "entries"],
          },
        },
      },
      required: ["sections"],
    },
  },
);

const named = sections.flatMap(({ entries }) => entries.flatMap((entry) => entry.commits));
const invented = named.filter((hash) =>
  !commits.some((commit) => hash.length >= 7 && commit.hash.startsWith(hash))
);
if (invented.length > 0) {
  throw new PryxError(`The agent named commits that are not there: ${invented.join(", ")}`, {
    code: "output_invalid",
  });
}
const unsaid = commits.filter(({ hash }) => !named.some((one) => hash.startsWith(one)));
if (unsaid.length > 0) log.info(`Not mentioned:\n${unsaid.map(short).join("\n")}`);

const section = renderSection(version, new Date(), sections);
if (options.dryRun) console.log(section);
else {
  await fs.write(FILE, addSection(changelog, section));
  log.info(`Wrote ${version} into ${FILE}`);
}

/** The nearest tag behind HEAD; undefined where there is none. */
async function lastTag(): Promise<string | undefined> {
  const { ok, stdout } = await sh`git describe --tags --abbrev=0`.quiet().result();
  return ok ? stdout.trim() : undefined;
}

function short({ hash, subject }: GitCommit): string {
  return `${hash.slice(0, 9)} ${subject}`;
}

function describe(commit: GitCommit): string {
  return `${short(commit)}\n${commit.body.slice(0, 1_000)}`.trim();
}
