import { formatNeed } from "../domain/need.ts";
import type { Envelope, Refusal } from "../domain/envelope.ts";
import type { Json } from "../domain/schema.ts";
import type { Policy } from "../policy/policy.ts";
import { type Confinement, PERSON, reachLines } from "./_confinement.ts";
import { allowFlag, count, oneLine } from "./_session_text.ts";

/** For people: what a command may touch, and by what it is kept. */
export function confinementText(confinement: Confinement): string {
  const { policy, envelope, baseline, layers } = confinement;
  return [
    `Preset     ${policy.preset}${policy.summary === undefined ? "" : `: ${policy.summary}`}`,
    `Workspace  ${policy.workspace}`,
    "",
    ...section("Read and run", [
      ...envelope.read,
      `the system and your toolchains: ${baseline.read.join(", ")}`,
    ]),
    ...section("Write", [...envelope.write, `a temporary folder of its own: ${baseline.temp}`]),
    ...section("Network", [networkText(envelope)]),
    ...section(
      "Layers",
      layers.map((layer) => `${layer.active ? "on " : "off"} ${layer.name}: ${layer.detail}`),
    ),
    ...reachSection("refused", confinement),
    ...reachSection("accepted", confinement),
    ...section("Closed", [...placesOf(envelope.closed), NAMES_CLOSED]),
  ].join("\n").trimEnd();
}

/** What the machine cannot keep, and whether that was accepted. */
function reachSection(which: "refused" | "accepted", { reach, layers }: Confinement): string[] {
  const needs = reach.filter(({ verdict }) => (verdict === "allow") === (which === "accepted"))
    .map(({ need }) => need);
  if (needs.length === 0) return [];
  return [`Cannot be kept from it here (${which})`, ...reachLines(needs, layers), ""];
}

const NAMES_CLOSED = "secret files, by their names, anywhere (pryx policy show --all lists them)";

/** Without the globs that say the same of what is below. */
function placesOf(closed: readonly string[]): string[] {
  const known = new Set(closed);
  return closed.filter((path) => !path.endsWith("/**") || !known.has(path.slice(0, -"/**".length)));
}

function section(title: string, lines: readonly string[]): string[] {
  return [title, ...lines.map((line) => `  ${line}`), ""];
}

function networkText({ network, unixSockets }: Envelope): string {
  const hosts = network === "none"
    ? "none"
    : network === "all"
    ? "all of it, this machine's own services too"
    : `${network.hosts.join(", ")}; nothing else`;
  return unixSockets ? `${hosts}; Unix sockets, with what listens behind them` : hosts;
}

export function confinementData(
  { policy, envelope, baseline, layers, reach }: Confinement,
): { [key: string]: Json } {
  const { read, write, closed, network, unixSockets } = envelope;
  const plain = {
    preset: policy.preset,
    workspace: policy.workspace,
    envelope: {
      read,
      write,
      closed,
      network: typeof network === "string" ? network : { hosts: network.hosts },
      unixSockets,
    },
    baseline,
    reach: reach.map(({ need, verdict }) => ({ need, accepted: verdict === "allow" })),
    layers,
  };
  return plain as unknown as { [key: string]: Json };
}

/**
 * For people: what the kernel refused and what would open it. `again`: the command line that was typed, with a place for
 * more flags.
 */
export function refusalText(
  refusals: readonly Refusal[],
  policy: Policy,
  again: (flags: string) => string,
): string {
  const judged = refusals.map(({ need, evidence }) => {
    const [judgement] = policy.evaluate([need], PERSON).judgements;
    const isSecret = judgement?.rule?.guard === "secret";
    const openable = judgement?.verdict === "ask" || (judgement?.verdict === "deny" && isSecret);
    const reason = judgement?.rule === undefined ? "nothing allows it" : judgement.reason;
    const why = judgement?.verdict === "allow"
      ? "policy allows it; the sandbox of this machine cannot open it"
      : openable
      ? reason
      : `it stays closed: ${reason}`;
    return { need, evidence, why, flag: openable ? allowFlag(need) : undefined };
  });
  const flags = judged.flatMap(({ flag }) => flag ?? []);
  return [
    `The sandbox refused ${count(refusals.length, "thing")}:`,
    ...judged.flatMap(({ need, evidence, why }) => [
      `  ${formatNeed(need)}  (${oneLine(evidence, 100)})`,
      `    ${why}`,
    ]),
    ...(flags.length === 0 ? [] : [`to allow it: ${again(flags.join(" "))}`]),
  ].join("\n");
}
