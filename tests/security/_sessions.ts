import type { Place } from "./_case.ts";
import { put } from "./_machine.ts";
import { withClosedFiles } from "./cases/closed.ts";
import { withRepository } from "./cases/git.ts";
import { HOSTILE_ENVIRONMENT, withHostileEnvironment } from "./cases/kernel.ts";

/** One run of the program that several cases share: how it is started, and what stands in its workspace. */
export interface Session {
  /** What is allowed there, for the table. */
  readonly about: string;
  flags(place: Place): readonly string[];
  env?(place: Place): Readonly<Record<string, string>>;
  setup?(place: Place): Promise<void>;
}

const runs = (...commands: string[]) => commands.flatMap((command) => ["--allow", `run=${command}`]);

/** Programs that people allow without a second thought. */
const EVERYDAY = [
  ...["echo", "cat", "ls", "true", "find", "sed", "xargs", "git diff", "git log"],
  ...["timeout", "nice", "env", "bash"],
];

/** Programs that can do whatever the machine lets them: only the kernel holds them. */
const POWERFUL = [
  ...["python3", "cp", "ln", "cat", "echo", "curl", "env", "grep", "tar"],
];

const workspace = (...more: string[]) => ["--preset", "workspace", ...more];

const powerful = runs(...POWERFUL);

export const SESSIONS: Readonly<Record<string, Session>> = {
  "everyday": {
    about: "preset `workspace`; everyday programs allowed, `rm` denied",
    flags: () => workspace(...runs(...EVERYDAY), "--deny", "run=rm", "--deny", "read=caf\u00e9"),
    setup: ({ at, secret }) => put(at(".env"), `TOKEN=${secret}\n`),
  },
  "powerful": {
    about: "preset `workspace`; python3 and other programs allowed that can do anything",
    flags: () => workspace(...powerful),
    env: ({ workspace, secret }) => HOSTILE_ENVIRONMENT(workspace, secret),
    async setup({ workspace, home }) {
      await withHostileEnvironment(workspace);
      await put(`${home}/.local/bin/pryx`, "#!/bin/sh\n");
    },
  },
  "closed": {
    about: "the same, in a workspace that holds closed files and a repository",
    flags: () => workspace(...powerful, "--deny", "read=vault"),
    setup: withClosedFiles,
  },
  "closed and read-only": {
    about: "the same, with preset `read-only`",
    flags: () => ["--preset", "read-only", ...powerful, "--deny", "read=vault"],
    setup: withClosedFiles,
  },
  "linked from elsewhere": {
    about: "the same, in a workspace where a secret file has a name outside as well",
    flags: () => workspace(...powerful),
    async setup({ at, home, secret }) {
      await put(at(".env"), `TOKEN=${secret}\n`);
      await Deno.link(at(".env"), `${home}/other.txt`);
    },
  },
  "linked": {
    about: "the same, in a workspace where a secret file has two names",
    flags: () => workspace(...powerful),
    async setup({ at, secret }) {
      await put(at(".env"), `TOKEN=${secret}\n`);
      await Deno.link(at(".env"), at("other.txt"));
    },
  },
  "git": {
    about: "preset `workspace`; git status, log, diff and commit allowed",
    flags: () => workspace(...runs("git status", "git log", "git diff", "git commit")),
    setup: ({ workspace }) => withRepository(workspace),
  },
  "internet": {
    about: "preset `workspace`; every public host allowed, and one of this machine by its address",
    flags: ({ web }) =>
      workspace("--allow", "net=*", "--allow", `net=${web}`, "--deny", "net=evil.example.org"),
  },
  "one host": {
    about: "preset `workspace`; one host allowed to commands",
    flags: ({ web }) => workspace(...powerful, "--allow", `net=${web}`),
  },
};
