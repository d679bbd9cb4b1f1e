import { PryxError } from "../domain/error.ts";
import type { Need } from "../domain/need.ts";
import { describeProblems, type Json, validate } from "../domain/schema.ts";
import { describeEnvelope } from "../policy/describe_envelope.ts";
import type { Policy, PolicyView } from "../policy/policy.ts";
import { coversAlone } from "../policy/rule_alone.ts";
import { shellNeeds } from "../policy/shell_command.ts";
import { trustState } from "../policy/trust.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import type { Store } from "../store/store.ts";
import type { Tool } from "../tools/tool.ts";
import { createNeedContext } from "./host.ts";

interface PolicyViewOptions {
  readonly policy: Policy;
  readonly workspace: string;
  readonly home: string;
  readonly searchPath: string;
  readonly tools: readonly Tool[];
  readonly store: Pick<Store, "grants" | "trustedHash">;
  readonly now: () => Date;
  sandbox(): Promise<Sandbox>;
}

/** Policy as commands show it: the same needs and the same judgement as a real call, without running anything. */
export function createPolicyView(options: PolicyViewOptions): PolicyView {
  const { policy, workspace, home, searchPath, tools, store, now, sandbox } = options;
  const context = createNeedContext({
    workspace,
    home,
    searchPath,
    shellNeeds,
    isClosed: (path) => Promise.resolve(policy.isSecret(path)),
  });
  const grants = () =>
    store.grants({ now: now().toISOString() }).filter((grant) =>
      grant.session === undefined && grant.graph === undefined &&
      (grant.workspace === undefined || grant.workspace === workspace)
    );
  const shell = tools.find(({ rights }) => rights === "workspace");
  return {
    policy,
    async needsOf(action) {
      if ("shell" in action) {
        return await (shell?.needs({ command: action.shell }, context) ??
          context.shellNeeds(action.shell, workspace));
      }
      if ("need" in action) {
        const { need } = action;
        if (need.kind === "run") return await context.shellNeeds(need.target, workspace);
        return [await resolved(need, context.resolve)];
      }
      const tool = tools.find((one) => one.name === action.tool);
      if (!tool) {
        throw new PryxError("usage", `There is no tool "${action.tool}"`, {
          fix: `the tools are ${tools.map((one) => one.name).join(", ")}`,
        });
      }
      const problems = describeProblems(validate(tool.parameters, action.args));
      if (problems !== "") throw new PryxError("usage", `${tool.name} does not take that: ${problems}`);
      return await tool.needs(action.args as Readonly<Record<string, Json>>, context);
    },
    async covers(rule, example) {
      const needs = rule.kind === "run"
        ? await context.shellNeeds(example, workspace)
        : [await resolved({ kind: rule.kind, target: example }, context.resolve)];
      return await coversAlone(rule, needs, { workspace, home });
    },
    async confine(needs, origin) {
      const made = await sandbox();
      const options = {
        baseline: await made.baseline(),
        workspace: true,
        origin,
        taint: [],
        grants: grants(),
      };
      const reach = await made.shortfall(policy.envelope(needs, options));
      const may = describeEnvelope(policy.envelope([...needs, ...reach], options), workspace, reach);
      return { reach, may };
    },
    explain(needs, origin) {
      return Promise.resolve(policy.evaluate(needs, { origin, taint: [], grants: grants() }));
    },
    trust: () => trustState(workspace, (folder) => store.trustedHash(folder)),
  } satisfies PolicyView;
}

async function resolved(need: Need, resolve: (path: string) => Promise<string>): Promise<Need> {
  const isPath = need.kind === "read" || need.kind === "write";
  return isPath ? { ...need, target: await resolve(need.target) } : need;
}
