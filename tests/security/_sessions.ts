import type { Place } from "./_case.ts";
import { put } from "./_machine.ts";

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
const EVERYDAY = ["echo", "cat", "ls", "true", "find", "sed", "xargs", "git diff", "git log"];

/** Programs that can do whatever the machine lets them: only the kernel holds them. */
const POWERFUL = [
  "python3",
  "cp",
  "ln",
  "curl",
  "env",
  "mktemp",
  "stat",
  "sleep",
  "tar",
  "grep",
  "mv",
  "git",
];

const workspace = (...more: string[]) => ["--preset", "workspace", ...more];

export const SESSIONS: Readonly<Record<string, Session>> = {
  everyday: {
    about: "preset `workspace`; everyday programs allowed, `rm` denied",
    flags: () => workspace(...runs(...EVERYDAY), "--deny", "run=rm"),
    setup: ({ at, secret }) => put(at(".env"), `TOKEN=${secret}\n`),
  },
};
