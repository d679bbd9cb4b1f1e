import { PryxError } from "../domain/error.ts";
import type { AutomationFlags } from "./_run_automation.ts";

const OF_AUTOMATIONS = ["frozen", "allowLocked", "lock", "answer", "trigger", "triggerHeader"] as const;
const OF_JOBS = ["continue", "resume", "outputSchema", "output", "key"] as const;

/** A flag that would do nothing is refused: who wrote --frozen, or -o, relies on it. */
export function checkFlags(
  input: AutomationFlags & { readonly [K in typeof OF_JOBS[number]]?: unknown },
  automation: boolean,
): void {
  const flag = (key: string) => `--${key.replaceAll(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`)}`;
  const idle = (automation ? OF_JOBS : OF_AUTOMATIONS).find((key) =>
    input[key] !== undefined && input[key] !== false
  );
  if (idle !== undefined) {
    throw new PryxError(
      "usage",
      automation
        ? `${flag(idle)} is for jobs of the agent, and this is an automation`
        : `${flag(idle)} is for automations, and none is named`,
      { fix: automation ? "leave it out" : "name a .pryx.ts file before its own arguments" },
    );
  }
  if (!automation && input.args?.length) {
    throw new PryxError(
      "usage",
      `There is no file "${input.prompt?.[0]}", so ${input.args.join(" ")} is not for an automation`,
      { fix: "if that is a job for the agent, write the flags before it" },
    );
  }
  if (input.lock !== undefined && !input.frozen && !input.allowLocked) {
    throw new PryxError("usage", "--lock alone does nothing", {
      fix: "add --frozen, to hold the automation to it, or --allow-locked, to allow what it says",
    });
  }
}

/** Where answers come from, and where they go to. */
export function checkRecordings(
  { record, replay, replayModel }: {
    readonly record?: string;
    readonly replay?: string;
    readonly replayModel?: string;
  },
  automation: boolean,
): void {
  const refuse = (problem: string, fix: string): never => {
    throw new PryxError("usage", problem, { fix });
  };
  if (replay !== undefined && replayModel !== undefined) {
    refuse("--replay and --replay-model exclude each other", "give one of them: --replay answers everything");
  }
  if (replay !== undefined && record !== undefined) {
    refuse("--record and --replay exclude each other", "record a real run, or replay one");
  }
  if (record !== undefined && record === replayModel) {
    refuse("--record would write over the recording that --replay-model reads", "record to another file");
  }
  if (replay !== undefined && !automation) {
    refuse(
      "--replay is for automations, and none is named",
      "name a .pryx.ts file; for a job of the agent there is --replay-model",
    );
  }
}
