import type { Envelope } from "../domain/envelope.ts";
import type { Need } from "../domain/need.ts";
import type { PolicyContext } from "../policy/policy.ts";
import type { Tool } from "../tools/tool.ts";
import { describeEnvelope } from "../policy/describe_envelope.ts";
import type { CallOptions, SessionParts } from "./session_parts.ts";

/** What the processes of a call may touch, before anybody decided. */
interface Confinement {
  /** What this machine cannot keep from them, as needs to be judged with the others. */
  readonly reach: readonly Need[];
  /** The envelope for people, line by line. */
  readonly lines: readonly string[];
}

/** Who asks, as policy sees it. */
type Judged = Pick<CallOptions, "origin" | "mandate">;

const UNCONFINED: Confinement = { reach: [], lines: [] };

/** What policy must know of the session beside rules: taint, and the grants that are valid now. */
export function policyContext(parts: SessionParts, { origin, mandate }: Judged): PolicyContext {
  return {
    origin,
    // What an automation's own code does was fixed before anything came in from outside.
    taint: origin === "automation" ? [] : parts.state.taint.map(({ source }) => source),
    grants: parts.store.grants({ now: parts.now().toISOString() }).filter((grant) =>
      (grant.session === undefined || grant.session === parts.session) &&
      (grant.workspace === undefined || grant.workspace === parts.workspace) &&
      (grant.graph === undefined || grant.graph === mandate?.graph)
    ),
    ...(mandate === undefined ? {} : { mandate }),
  };
}

/**
 * The envelope of a call's processes, should these needs be allowed. Hosts that only rules name are left out where they
 * cannot be told apart here: a command that asked for none would otherwise have to be trusted with the whole network.
 */
export async function envelopeOf(
  parts: SessionParts,
  tool: Tool,
  needs: readonly Need[],
  options: Judged,
): Promise<Envelope> {
  const [policy, sandbox] = await Promise.all([parts.policy(), parts.sandbox()]);
  const envelope = policy.envelope(needs, {
    baseline: await sandbox.baseline(),
    workspace: tool.rights === "workspace",
    ...policyContext(parts, options),
  });
  if (typeof envelope.network === "string" || needs.some(({ kind }) => kind === "net")) return envelope;
  const short = await sandbox.shortfall(envelope);
  return short.some(({ kind, target }) => kind === "net" && target === "**")
    ? { ...envelope, network: "none" }
    : envelope;
}

/**
 * What the processes of a call would be given, and what is within their reach all the same. Nothing for tools whose
 * processes get no more than the stated needs: pryx itself writes their arguments.
 */
export async function confine(
  parts: SessionParts,
  tool: Tool,
  needs: readonly Need[],
  options: Judged,
): Promise<Confinement> {
  if (tool.rights !== "workspace") return UNCONFINED;
  const sandbox = await parts.sandbox();
  const wanted = await envelopeOf(parts, tool, needs, options);
  const reach = await sandbox.shortfall(wanted);
  const envelope = reach.length === 0 ? wanted : await envelopeOf(parts, tool, [...needs, ...reach], options);
  return { reach, lines: describeEnvelope(envelope, parts.workspace, reach) };
}
