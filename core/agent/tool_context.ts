import type { Unanswered } from "../api.ts";
import { formatNeed, formatPlace, type Need } from "../domain/need.ts";
import type { CallId } from "../domain/id.ts";
import { PryxError } from "../domain/error.ts";
import type { SandboxGrants } from "../domain/policy.ts";
import { actionDigest, approvalSummary } from "../policy/approvals.ts";
import type { Policy } from "../policy/policy.ts";
import type { Files } from "../sandbox/sandbox.ts";
import type { Tool, ToolContext } from "../tools/tool.ts";
import { authorize, describeDenial } from "./authorize.ts";
import { confine, envelopeOf, policyContext } from "./confine.ts";
import { askQuestion } from "./questions.ts";
import { concealResponse, revealRequest } from "./reveal.ts";
import type { CallOptions, SessionParts } from "./session_parts.ts";

/** A running tool's context, and what could not be answered meanwhile. */
interface HeldContext {
  readonly context: ToolContext;
  /** Needs that came up in the middle of the call, asked, and had no one to answer. */
  readonly unanswered: Unanswered;
}

/** The only power a running tool has: what was decided for its call, and a way to ask for more. */
export async function createToolContext(
  parts: SessionParts,
  call: {
    readonly call: CallId;
    readonly tool: Tool;
    /** The action in one line. */
    readonly title: string;
    readonly needs: readonly Need[];
    readonly options: CallOptions;
  },
): Promise<HeldContext> {
  const { options, tool, title } = call;
  const { signal } = options;
  const [sandbox, policy] = await Promise.all([parts.sandbox(), parts.policy()]);
  const allowed: Need[] = [...call.needs];
  const unanswered = { unapproved: [] as string[], personOnly: [] as string[] };
  let files: Files | undefined;

  const context: ToolContext = {
    ...parts.needContext,
    signal,
    get files() {
      const roots = policy.roots(allowed);
      return files ??= sandbox.files(options.mandate === undefined ? roots : exactly(allowed, roots));
    },
    async run(spec) {
      if (spec.self) return await sandbox.run({ ...spec, signal: AbortSignal.any([spec.signal, signal]) });
      return await sandbox.run({
        ...spec,
        signal: AbortSignal.any([spec.signal, signal]),
        envelope: await envelopeOf(parts, tool, allowed, options),
        // Whatever a tool calls its owner: no command shares anything with those of another session.
        ...(spec.reuse === undefined ? {} : { reuse: `${parts.session} ${spec.reuse}` }),
        ...(tool.rights === "workspace"
          ? { accepted: allowed.filter((need) => need.reach !== undefined), sharesLoopback: true }
          : {}),
      });
    },
    async fetch(url, init) {
      const target = new URL(url);
      const port = target.port || (target.protocol === "https:" ? "443" : "80");
      const host = target.hostname.toLowerCase();
      const decided = allowed.some((need) =>
        need.kind === "net" && (need.target === host || need.target === `${host}:${port}`)
      );
      if (!decided) throw new PryxError("denied", `A request to ${host}:${port} was not decided`);
      const named = (name: string, at: number) => isNamed(parts, policy, allowed, options, name, at);
      const isUsable = (name: string) =>
        allowed.some((need) => need.kind === "use" && need.target === `secret/${name}`);
      const { request, values } = await revealRequest(init, parts.revealer, isUsable);
      return concealResponse(await sandbox.fetch(target, { ...request, named }), values);
    },
    async require(need, why) {
      // What comes within reach with it is asked in the same breath.
      const { reach } = await confine(parts, tool, [...allowed, need], options);
      const known = new Set(allowed.map(formatNeed));
      const needs = [need, ...reach.filter((one) => !known.has(formatNeed(one)))];
      const because = why ?? "what it does leads there";
      const summary = approvalSummary({ tool: tool.name, title, args: { because }, needs });
      const digest = actionDigest({ tool: tool.name, args: summary, cwd: parts.workspace });
      const authority = await authorize(
        parts,
        { call: call.call, tool: tool.name, needs, digest, summary },
        options,
      );
      if (authority.verdict !== "allow") {
        unanswered.unapproved.push(...authority.unapproved);
        unanswered.personOnly.push(...authority.personOnly);
        throw new PryxError("denied", describeDenial(authority, options.origin));
      }
      allowed.push(...needs);
      files = undefined;
    },
    emit(text, stream = "stdout") {
      options.onOutput?.(text, stream);
      if (options.unseen || stream === "data") return;
      parts.live(options.turn, "tool.output", { call: call.call, stream, text: parts.redact(text) });
    },
    async ask(text, choices) {
      if (!options.attended) {
        throw new PryxError(
          "denied",
          "Nobody is there to answer: decide without an answer, or say what is missing",
        );
      }
      const answer = await askQuestion(parts, {
        turn: options.turn,
        call: call.call,
        text,
        signal,
        ...(choices ? { options: choices } : {}),
      });
      return answer.text;
    },
    keep: (name, content) => parts.keep(`${call.call}-${name}`, content),
    keepLong: (name) => parts.keepLong(`${call.call}-${name}`),
  };
  return { context, unanswered };
}

/**
 * Roots no wider than the needs themselves. A folder that a rule opens is more than an automation declares: a path that
 * leads elsewhere by now, because a link took a file's place, must not be reached through it.
 */
function exactly(allowed: readonly Need[], { denied }: SandboxGrants): SandboxGrants {
  const of = (kind: Need["kind"]) =>
    allowed.filter((need) => need.kind === kind && need.reach === undefined && !need.enter)
      .map(({ target }) => target);
  return { read: of("read"), write: of("write"), denied };
}

/** True when an allowed need of this call, a rule or a standing answer means exactly this host; a default that allows everything does not. */
function isNamed(
  parts: SessionParts,
  policy: Policy,
  allowed: readonly Need[],
  options: CallOptions,
  host: string,
  port: number,
): boolean {
  const target = formatPlace(host, port);
  if (allowed.some((need) => need.kind === "net" && need.target === target)) return true;
  const [one] = policy.evaluate([{ kind: "net", target }], policyContext(parts, options)).judgements;
  return one?.verdict === "allow" && (one.rule !== undefined || one.grant !== undefined);
}
