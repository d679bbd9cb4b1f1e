import { PryxError } from "../domain/error.ts";
import type { Need } from "../domain/need.ts";
import type { PresetName, Rule } from "../domain/policy.ts";
import { type CompiledPolicy, declaring, evaluate } from "./evaluate.ts";
import { envelope } from "./envelope.ts";
import { expand } from "./expand.ts";
import { linkedSources } from "./_links.ts";
import { normalPath, type Place } from "./_path_pattern.ts";
import { subjectOf } from "./_pattern.ts";
import { type CompiledRule, compileRules, indexRules, InvalidRule } from "./_rule_index.ts";
import type { Policy } from "./policy.ts";
import { ownRules, PRESET_RULES, presetRules, type RuleSource } from "./presets.ts";
import { describeRule } from "./rules.ts";

/** All that a policy is made of; it reads nothing else. */
export interface PolicyOptions {
  readonly preset: PresetName;
  /** Absolute, after symlinks. */
  readonly workspace: string;
  /** Absolute, after symlinks. */
  readonly home: string;
  /** Rules of every layer but the preset's. */
  readonly rules: readonly Rule[];
  /** pryx's own config, data, state and program: closed to every tool, whatever the rules say. Absolute, after symlinks. */
  readonly protectedPaths: readonly string[];
  /** Folders inside those that may be read, such as that of kept outputs. */
  readonly readablePaths?: readonly string[];
  /** Folders that may be written: what every command may write anyway. */
  readonly writablePaths?: readonly string[];
  /** Hosts of the preset `network-allowlist`, in the grammar of `net`. */
  readonly networkAllowlist?: readonly string[];
  /** Where the paths of rules lead that go through symlinks; from `findLinks`. */
  readonly links?: ReadonlyMap<string, string>;
  /** True where `.ENV` and `.env` are one file. Default: by the platform. */
  readonly ignoreCase?: boolean;
}

/**
 * Puts rules, preset and protected paths together for one workspace, and compiles them once. Throws `config_invalid`
 * when a rule cannot be understood: leaving out a deny would widen what is allowed.
 */
export function createPolicy(options: PolicyOptions): Policy {
  const place = placeOf(options);
  const sources = sourcesOf(options);
  const rules = compile([...sources, ...linkedSources(sources, place, options.links)], place);
  const preset = PRESET_RULES[options.preset];
  const compiled: CompiledPolicy = {
    id: crypto.randomUUID(),
    preset: options.preset,
    place,
    defaults: preset.defaults,
    unguarded: preset.unguarded,
    rules,
    index: indexRules(rules),
    grantPatterns: new Map(),
  };
  const secrets = rules.filter(({ rule }) => rule.guard !== undefined);
  const isSecret = (need: Need) => {
    const subject = subjectOf(need, place);
    return subject.path === undefined || secrets.some((rule) => rule.covers(subject));
  };
  return {
    preset: options.preset,
    workspace: place.workspace,
    rules: rules.map(({ rule }) => rule),
    summary: preset.summary,
    defaults: preset.defaults,
    evaluate: (needs, context) => evaluate(needs, compiled, context),
    roots: (needs) => expand(needs, compiled),
    envelope: (needs, options) => envelope(needs, compiled, options),
    declared: (need, mandate) => declaring(need, mandate, compiled),
    isSecret: (path) => isSecret({ kind: "read", target: path }),
  };
}

/** Every rule with its source: a person's, then the preset's, then those around pryx's own files. */
export function sourcesOf(options: PolicyOptions): RuleSource[] {
  return [
    ...options.rules.map((rule) => ({ rule })),
    ...presetRules(options.preset, options.networkAllowlist),
    ...ownRules(options.protectedPaths, options.readablePaths ?? [], options.writablePaths ?? []),
  ];
}

export function placeOf(options: PolicyOptions): Place {
  return {
    workspace: normalPath(options.workspace) ?? options.workspace,
    home: normalPath(options.home) ?? options.home,
    ignoreCase: options.ignoreCase ?? (Deno.build.os === "darwin" || Deno.build.os === "windows"),
  };
}

function compile(sources: readonly RuleSource[], place: Place): readonly CompiledRule[] {
  try {
    return compileRules(sources, place);
  } catch (error) {
    if (!(error instanceof InvalidRule)) throw error;
    throw new PryxError(
      "config_invalid",
      `Cannot use the rule ${describeRule(error.rule)}: ${error.problem}`,
      {
        fix: "Correct its target, or remove the rule.",
      },
    );
  }
}
