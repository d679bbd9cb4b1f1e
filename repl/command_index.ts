import type { Command } from "../core/commands/command.ts";
import type { FlagSpec } from "./_flags.ts";

/** One first word of the command line. Its module is loaded when the word is typed, never before. */
export interface CommandEntry {
  /** `sessions`. */
  readonly name: string;
  /** One line, no period. */
  readonly summary: string;
  /** All commands that begin with the word: `sessions list`, `sessions show`, …, or one of exactly that name. */
  readonly load: () => Promise<readonly Command[]>;
}

/** In the order that help shows. */
export type CommandIndex = readonly CommandEntry[];

/** The positional arguments, in their order. */
export function positionalsOf(specs: readonly FlagSpec[]): readonly FlagSpec[] {
  return specs.filter((spec) => spec.position !== undefined)
    .sort((a, b) => (a.position ?? 0) - (b.position ?? 0));
}

/** `pryx run [PROMPT] [flags]`; required flags are spelled out. */
export function usageLine(command: Command, specs: readonly FlagSpec[]): string {
  const places = positionalsOf(specs).map((spec) => {
    const name = spec.list ? `${spec.metavar}…` : spec.metavar;
    return spec.required ? name : `[${name}]`;
  });
  const required = specs.filter((spec) => spec.position === undefined && spec.required)
    .map((spec) => `--${spec.flag} ${spec.metavar}`);
  return ["pryx", command.name, ...places, ...required, "[flags]"].join(" ");
}

/** What the words typed so far mean. */
type Resolved =
  | { readonly kind: "command"; readonly command: Command; readonly words: number }
  | { readonly kind: "group"; readonly entry: CommandEntry; readonly commands: readonly Command[] }
  | {
    readonly kind: "unknown";
    readonly word: string;
    readonly candidates: readonly string[];
    readonly parent?: string;
  };

/**
 * Finds the command that `words` begin with: the longest name wins, so a group may also be a command. Loads the module
 * of the first word only.
 */
export async function resolveCommand(index: CommandIndex, words: readonly string[]): Promise<Resolved> {
  const first = words[0] ?? "";
  const entry = index.find((one) => one.name === first);
  if (!entry) {
    return {
      kind: "unknown",
      word: first,
      candidates: index.map((one) => one.name),
    };
  }
  const commands = await entry.load();
  for (let count = Math.min(words.length, 3); count > 0; count--) {
    const name = words.slice(0, count).join(" ");
    const command = commands.find((one) => one.name === name);
    if (command) return { kind: "command", command, words: count };
  }
  const second = words[1];
  if (second === undefined) return { kind: "group", entry, commands };
  return {
    kind: "unknown",
    word: second,
    parent: first,
    candidates: commands.map((one) => one.name.split(" ").slice(1).join(" ")).filter((name) => name !== ""),
  };
}
