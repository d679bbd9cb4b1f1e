import type { Sandbox } from "../sandbox/sandbox.ts";
import { hasKernelLayer } from "./_confinement.ts";
import { type Check, findings } from "./_doctor_check.ts";
import { type Attempt, probeSandbox } from "./_sandbox_probe.ts";
import type { CommandContext } from "./command.ts";

const WHAT: Readonly<Record<Attempt, string>> = {
  closed: "read a closed file in an open folder",
  outside: "read a file outside its folders",
  write: "write outside its folders",
  unix: "open a Unix socket",
  loopback: "connect to this machine",
};

/** Every layer, then what a confined child really was refused. */
export async function checkSandbox(ctx: CommandContext): Promise<Check[]> {
  const { ok, warn, fail, thrown } = findings("sandbox");
  let sandbox: Sandbox;
  try {
    sandbox = await ctx.sandbox();
  } catch (error) {
    return [thrown(error)];
  }
  const layers = await sandbox.layers();
  const checks = layers.map((layer) => {
    const detail = `${layer.name}: ${layer.active ? "" : "off; "}${layer.detail}`;
    // Without a fix it is off because another does its work, or cannot be had: what that means is said below.
    return layer.active || layer.fix === undefined ? ok(detail) : warn(detail, layer.fix);
  });
  if (!hasKernelLayer(layers)) {
    // Settings that cannot be read are told of by their own check.
    const required = await ctx.config().then((config) => config.sandbox === "required", () => false);
    const detail = "commands run with all your rights: no kernel layer confines them";
    return [...checks, required ? fail(`${detail}, and the configuration requires one`) : warn(detail)];
  }
  try {
    const results = await probeSandbox(sandbox, ctx.signal);
    return [
      ...checks,
      ...results.map(({ attempt, outcome, expected }) => {
        const what = `a confined child tried to ${WHAT[attempt]}`;
        if (outcome === "refused") return ok(`${what}: refused`);
        if (outcome === "untried") return warn(`not tried: to ${WHAT[attempt]} (it needs perl or python3)`);
        return expected
          ? warn(`${what}: nothing holds it here`, "a command that could do so asks first, and says it")
          : fail(`${what}, and could`, "do not rely on the sandbox here; report it");
      }),
    ];
  } catch (error) {
    ctx.signal.throwIfAborted();
    return [...checks, thrown(error)];
  }
}
