import type { Baseline, Envelope } from "../domain/envelope.ts";
import { PryxError } from "../domain/error.ts";
import { formatNeed, type Need } from "../domain/need.ts";
import type { Judgement } from "../domain/policy.ts";
import type { Policy } from "../policy/policy.ts";
import type { SandboxLayer } from "../sandbox/sandbox.ts";
import { allowFlag } from "./_session_text.ts";
import type { CommandContext } from "./command.ts";

/** What a command that a person typed would be confined to, and what this machine cannot keep from it. */
export interface Confinement {
  readonly policy: Policy;
  readonly envelope: Envelope;
  readonly baseline: Baseline;
  readonly layers: readonly SandboxLayer[];
  /** What is within reach all the same: allowed means accepted. */
  readonly reach: readonly Judgement[];
  /** The kernel's sandbox must be there, whatever is accepted. */
  readonly required: boolean;
}

/**
 * A person's own command, judged by rules and flags alone: what was answered to the agent is not meant for it, and nothing
 * from outside speaks through it.
 */
export const PERSON = { origin: "human", taint: [], grants: [] } as const;

/** Either confines the files that a command can reach. */
const KERNEL_LAYERS: readonly string[] = ["landlock", "bubblewrap", "seatbelt"];

/** The confinement of a command line, or of none in particular. */
export async function confinementOf(
  ctx: CommandContext,
  argv: readonly string[],
): Promise<Confinement> {
  const [{ policy, needsOf }, sandbox, config] = await Promise.all([
    ctx.policy(),
    ctx.sandbox(),
    ctx.config(),
  ]);
  const [baseline, layers] = await Promise.all([sandbox.baseline(), sandbox.layers()]);
  // Only that its program may be started: what its arguments name is for the rules to open.
  const run = argv.length === 0
    ? []
    : (await needsOf({ shell: shellWords(argv) })).filter((need) =>
      need.kind === "run" && need.reach === undefined
    );
  const envelopeFor = (needs: readonly Need[]) =>
    policy.envelope(needs, { baseline, workspace: true, ...PERSON });
  const { judgements: reach } = policy.evaluate(await sandbox.shortfall(envelopeFor(run)), PERSON);
  const envelope = envelopeFor([...run, ...accepted(reach)]);
  return { policy, envelope, baseline, layers, reach, required: config.sandbox === "required" };
}

/** The needs of what is within reach that rules or flags allow. */
export function accepted(reach: readonly Judgement[]): Need[] {
  return reach.filter(({ verdict }) => verdict === "allow").map(({ need }) => need);
}

/** True where a kernel layer confines files. */
export function hasKernelLayer(layers: readonly SandboxLayer[]): boolean {
  return layers.some(({ name, active }) => active && KERNEL_LAYERS.includes(name));
}

/** What is within reach and was not accepted. */
export function openReach({ reach }: Confinement): Need[] {
  return reach.filter(({ verdict }) => verdict !== "allow").map(({ need }) => need);
}

/**
 * Throws `sandbox` when the command would reach more than was decided, with how to get the layer, or what to allow to
 * accept it.
 */
export function refuseUnlessKept(confinement: Confinement, accepting: readonly Need[]): void {
  const { layers, required } = confinement;
  const kernel = hasKernelLayer(layers);
  const open = openReach(confinement);
  if (open.length === 0 && (kernel || !required)) return;
  const fixes = fixesOf(layers);
  const see = "See: pryx doctor --only sandbox";
  if (!kernel && required) {
    throw new PryxError(
      "sandbox",
      "Cannot run it: the configuration requires the kernel's sandbox, and none is active",
      { fix: [...fixes, see].join("\n") },
    );
  }
  const what = reachLines(open, layers).join("\n");
  throw new PryxError(
    "sandbox",
    kernel
      ? `Cannot keep everything from the command here. It could reach\n${what}`
      : `Cannot confine the command: no kernel sandbox is active here. It could reach\n${what}`,
    { fix: [...fixes, `Or accept it: ${accepting.map(allowFlag).join(" ")}`, see].join("\n") },
  );
}

/** Rounds in which what was accepted brings more within reach: reading a file, then changing it. */
const MAX_ROUNDS = 4;

/** All that has to be allowed, beside `allow`, for the command to run here. */
export async function toAccept(
  ctx: CommandContext,
  allow: readonly string[] = [],
  command: readonly string[],
  before: Confinement,
): Promise<Need[]> {
  const needs: Need[] = [];
  let confinement = before;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const open = openReach(confinement);
    if (open.length === 0) break;
    needs.push(...open);
    confinement = await confinementOf(ctx.with({ allow: [...allow, ...needs.map(formatNeed)] }), command);
  }
  return needs;
}

/** What to do for the layers that are not active, each thing once. */
function fixesOf(layers: readonly SandboxLayer[]): string[] {
  return [...new Set(layers.flatMap(({ active, fix }) => active || fix === undefined ? [] : [fix]))];
}

/** Needs that cannot be kept, by why; what to do about it is said apart, once. */
export function reachLines(needs: readonly Need[], layers: readonly SandboxLayer[]): string[] {
  const reasonOf = ({ reach = "it cannot be kept" }: Need) =>
    fixesOf(layers).reduce((reason, fix) => reason.replace(` (${fix})`, ""), reach);
  return [...Map.groupBy(needs, reasonOf)].map(([reason, same]) =>
    `  ${same.map(formatNeed).join(", ")}: ${reason}`
  );
}

/** Words as a shell line that means exactly them. */
export function shellWords(argv: readonly string[]): string {
  // Before its first word a shell takes a=b for a variable.
  return argv.map((word, index) =>
    /^[\w@%+=:,./-]+$/u.test(word) && !(index === 0 && word.includes("="))
      ? word
      : `'${word.replaceAll("'", `'\\''`)}'`
  ).join(" ");
}
