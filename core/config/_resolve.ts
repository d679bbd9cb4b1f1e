import { parseDuration } from "../domain/duration.ts";
import { type Layer, type PresetName, PRESETS } from "../domain/policy.ts";
import { at, schemaAt } from "./_check_values.ts";
import type { SourceProblem } from "./_problems.ts";
import { byStrength, type Source } from "./_sources.ts";
import { CONFIG_SCHEMA } from "./schema.ts";

/** A setting in force, and the source that set it; no source: the default. */
export interface Setting<T> {
  readonly value: T;
  readonly source: Source | undefined;
}

const isProject = (layer: Layer) => layer === "local" || layer === "project";

/** The strongest source that sets `path`, among those that `wanted` lets through. */
function strongest<T>(
  sources: readonly Source[],
  path: readonly string[],
  wanted: (layer: Layer) => boolean = () => true,
): Setting<T> | undefined {
  for (const source of byStrength(sources)) {
    const value = wanted(source.layer) ? at(source.values, path) : undefined;
    if (value !== undefined) return { value: value as T, source };
  }
  return undefined;
}

/** An ordinary setting: the strongest layer that sets it decides. */
export function settingOf<T>(sources: readonly Source[], path: readonly string[]): Setting<T | undefined> {
  return strongest<T>(sources, path) ?? { value: defaultOf(path) as T | undefined, source: undefined };
}

function defaultOf(path: readonly string[]): unknown {
  return at(schemaAt(CONFIG_SCHEMA, path), ["default"]);
}

/**
 * A setting that limits what may happen. `width` orders its values. Managed: an upper bound, whoever chose what. Project:
 * may only lower what would hold without it; `onWider` is told about one that does not.
 */
function bounded<T>(
  sources: readonly Source[],
  path: readonly string[],
  width: (value: T) => number,
  onWider: (wide: Setting<T>, inForce: Setting<T>) => void,
  onCapped: (chosen: Setting<T>, cap: Setting<T>) => void,
): Setting<T> {
  const typed = strongest<T>(sources, path, (layer) => layer === "flag" || layer === "environment");
  const managed = strongest<T>(sources, path, (layer) => layer === "managed");
  const weaker = strongest<T>(sources, path, (layer) => layer === "profile" || layer === "user");
  const base = typed ?? weaker ?? managed ?? { value: defaultOf(path) as T, source: undefined };
  let chosen = base;
  for (const source of byStrength(sources).filter(({ layer }) => isProject(layer)).toReversed()) {
    const value = at(source.values, path) as T | undefined;
    if (value === undefined) continue;
    if (width(value) > width(base.value)) onWider({ value, source }, base);
    // Weakest first, so that the strongest of them has the last word; what was typed is stronger than all.
    else if (!typed) chosen = { value, source };
  }
  if (!managed || width(chosen.value) <= width(managed.value)) return chosen;
  onCapped(chosen, managed);
  return managed;
}

/** Settings that project files may only lower, each with its source. */
interface Resolved {
  readonly preset: Setting<PresetName>;
  readonly limits: {
    readonly turns: Setting<number>;
    readonly cost: Setting<number | undefined>;
    readonly timeoutMs: Setting<number | undefined>;
    readonly approvalTimeoutMs: Setting<number>;
  };
  readonly problems: readonly SourceProblem[];
  /** For people: what was set somewhere and does not hold. */
  readonly notices: readonly string[];
}

/** The settings that bound what may happen. */
export function resolveBounds(sources: readonly Source[]): Resolved {
  const problems: SourceProblem[] = [];
  const notices: string[] = [];
  const capped = (name: string) => (chosen: Setting<unknown>, cap: Setting<unknown>) =>
    notices.push(
      `${name} ${chosen.value} (${whereIs(chosen, name)}) is more than your administrator allows: ` +
        `${cap.value} holds (${whereIs(cap, name)})`,
    );

  const preset = bounded<PresetName>(
    sources,
    ["preset"],
    (value) => PRESETS.indexOf(value),
    (wide, base) =>
      wide.source && problems.push(wide.source.problem(
        ["preset"],
        `a project may not widen the preset: "${wide.value}" is wider than "${base.value}", which is in force`,
        `Remove it from the project's file, or choose it yourself: --preset ${wide.value}`,
      )),
    capped("preset"),
  );

  const limit = <T extends number | string>(name: string, width: (value: T | undefined) => number) =>
    bounded<T | undefined>(
      sources,
      ["limits", name],
      width,
      (wide, base) =>
        notices.push(
          `limits.${name} ${wide.value} (${
            whereIs(wide, `limits.${name}`)
          }) does not hold: a project may only lower it, ` +
            `and it is ${base.value} (${whereIs(base, `limits.${name}`)})`,
        ),
      capped(`limits.${name}`),
    );
  const number = (value: number | undefined) => value ?? Infinity;
  const time = (value: string | undefined) => milliseconds(value) ?? Infinity;
  const timeout = limit<string>("timeout", (value) => time(value) || Infinity);
  const approvalTimeout = limit<string>("approvalTimeout", time);
  const turns = limit<number>("turns", number);
  return {
    preset,
    limits: {
      turns: { value: turns.value ?? Infinity, source: turns.source },
      cost: limit<number>("cost", number),
      timeoutMs: { value: milliseconds(timeout.value) || undefined, source: timeout.source },
      approvalTimeoutMs: { value: milliseconds(approvalTimeout.value) ?? 0, source: approvalTimeout.source },
    },
    problems,
    notices,
  };
}

function milliseconds(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseDuration(text);
}

function whereIs(setting: Setting<unknown>, dotted: string): string {
  return setting.source?.where(dotted.split(".")) ?? "default";
}

/**
 * The model in force. A project may pick another model of the provider that would answer anyway; it may not send the
 * work to another one, which might be a stranger's, or cost money where a local one was chosen.
 */
export function resolveModel(
  sources: readonly Source[],
): { model: Setting<string | undefined>; notices: string[] } {
  const base = strongest<string>(sources, ["model"], (layer) => !isProject(layer));
  const typed = base?.source && ["managed", "flag", "environment"].includes(base.source.layer);
  const project = strongest<string>(sources, ["model"], isProject);
  if (!project || typed) return { model: base ?? { value: undefined, source: undefined }, notices: [] };
  if (!base || providerOf(base.value) === providerOf(project.value)) return { model: project, notices: [] };
  return {
    model: base,
    notices: [
      `model ${project.value} (${
        whereIs(project, "model")
      }) does not hold: a project may not change the provider, ` +
      `and the model is ${base.value} (${
        whereIs(base, "model")
      }); use --model ${project.value} if you want it`,
    ],
  };
}

function providerOf(model: string): string {
  return model.slice(0, model.indexOf("/"));
}
