import { join } from "node:path";
import { PryxError } from "../domain/error.ts";
import type { Layer } from "../domain/policy.ts";
import { at } from "./_check_values.ts";
import { readText as readFile } from "./_document.ts";
import { type Environment, readEnvironment } from "./_environment.ts";
import { nearest } from "../domain/nearest.ts";
import { configError, printable, type SourceProblem } from "./_problems.ts";
import { projectFiles } from "./_project_files.ts";
import { mergeProviders, type ProviderPresets } from "./_providers.ts";
import { resolveBounds, resolveModel, type Setting, settingOf } from "./_resolve.ts";
import { collectRules } from "./_rules.ts";
import {
  byStrength,
  type FileToRead,
  namedSource,
  profileSource,
  readSources,
  type Source,
} from "./_sources.ts";
import type { Config, Paths } from "./config.ts";
import { CONFIG_SCHEMA, type ConfigValues } from "./schema.ts";

/** What was typed on the command line, as far as it is about settings. */
export interface ConfigFlags {
  readonly model?: string | undefined;
  readonly profile?: string | undefined;
  readonly preset?: string | undefined;
  readonly allow?: readonly string[] | undefined;
  readonly deny?: readonly string[] | undefined;
  readonly ask?: readonly string[] | undefined;
  readonly maxTurns?: number | undefined;
  /** US dollars. */
  readonly maxCost?: number | undefined;
  /** A duration: `10m`; a bare number is seconds. */
  readonly timeout?: string | undefined;
  readonly approvalTimeout?: string | undefined;
}

/** All that configuration is read from. */
interface LoadOptions {
  readonly paths: Paths;
  readonly env: Environment;
  /** Absolute path of the workspace. */
  readonly cwd: string;
  readonly flags: ConfigFlags;
  readonly presets: ProviderPresets;
  /** Undefined when there is no such file. */
  readonly readText?: (path: string) => Promise<string | undefined>;
}

/**
 * Reads every layer of settings and puts them together. Strongest first: managed, flags, environment, local project,
 * project, profile, user, defaults. Rejects with one `config_invalid` that names everything that is wrong, with line and
 * column, or `usage` when what is wrong was typed.
 */
export async function loadConfig(options: LoadOptions): Promise<Config> {
  const { paths, cwd } = options;
  const managed = (name: string, kind: "policy" | "config") =>
    ({ path: join(paths.managed, name), layer: "managed", kind }) satisfies FileToRead;
  const files: FileToRead[] = [
    managed("policy.jsonc", "policy"),
    managed("config.jsonc", "config"),
    ...projectFiles(cwd, paths),
    { path: paths.configFile, layer: "user", kind: "config" },
  ];
  const read = await readSources(files, { readText: options.readText ?? readFile, home: paths.home });
  const flags = flagSource(options.flags);
  const environment = readEnvironment(options.env);
  const typed = flags.problems.map(({ where, message }) => `${where}: ${message}`);
  if (typed.length > 0) throw new PryxError("usage", printable(typed.join("\n")));
  throwIfAny([...environment.problems, ...read.problems]);
  const sources = byStrength([...read.sources, flags.source, environment.source]);
  const profile = settingOf<string>(sources.filter(maySetProfile), ["profile"]);
  return assemble(options, byStrength([...sources, ...profileSources(sources, profile)]), profile, read.read);
}

function assemble(
  options: LoadOptions,
  sources: readonly Source[],
  profile: Setting<string | undefined>,
  files: readonly string[],
): Config {
  const bounds = resolveBounds(sources);
  const { model, notices } = resolveModel(sources);
  const providers = mergeProviders(sources, options.presets);
  throwIfAny([...bounds.problems, ...providers.problems]);
  const sandbox = settingOf<Config["sandbox"]>(sources, ["sandbox"]);
  const contextWindow = settingOf<number>(sources, ["contextWindow"]);
  const secretStore = settingOf<string>(sources, ["secretStore"]);
  const { preset, limits } = bounds;
  return {
    model: model.value,
    profile: profile.value ?? "default",
    preset: preset.value,
    rules: collectRules(sources, preset.value, options.cwd),
    providers: providers.providers,
    limits: {
      turns: limits.turns.value,
      cost: limits.cost.value,
      timeoutMs: limits.timeoutMs.value,
      approvalTimeoutMs: limits.approvalTimeoutMs.value,
    },
    sandbox: sandbox.value ?? "auto",
    contextWindow: contextWindow.value ?? CONFIG_SCHEMA.properties.contextWindow.default,
    secretStore: secretStore.value ?? "keychain",
    origins: originsOf(sources, {
      model,
      profile,
      preset,
      sandbox,
      contextWindow,
      secretStore,
      "limits.turns": limits.turns,
      "limits.cost": limits.cost,
      "limits.timeout": limits.timeoutMs,
      "limits.approvalTimeout": limits.approvalTimeoutMs,
    }, providers.origins),
    files,
    notices: [...bounds.notices, ...notices],
  };
}

function originsOf(
  sources: readonly Source[],
  settings: Readonly<Record<string, Setting<unknown>>>,
  providers: ReadonlyMap<string, Source>,
): Config["origins"] {
  const origins: Record<string, { layer: Layer; source: string }> = {};
  const put = (key: string, source: Source, path: readonly string[]) => {
    origins[key] = { layer: source.layer, source: source.where(path) };
  };
  for (const [key, { source }] of Object.entries(settings)) if (source) put(key, source, key.split("."));
  for (const [key, source] of providers) {
    // The last part is one of ours; a provider's name may hold a dot.
    const cut = key.lastIndexOf(".");
    put(key, source, ["providers", key.slice("providers.".length, cut), key.slice(cut + 1)]);
  }
  for (const path of [["policy", "allow"], ["policy", "deny"], ["policy", "ask"], ["networkAllowlist"]]) {
    const source = sources.find((one) => at(one.values, path) !== undefined);
    if (source) put(path.join("."), source, path);
  }
  return origins;
}

/** A project may not choose one of the user's profiles; files that try were refused before. */
function maySetProfile({ layer }: Source): boolean {
  return layer !== "project" && layer !== "local";
}

/** The chosen profile as its sources define it. A profile that nobody defines is an error, but for `default`. */
function profileSources(sources: readonly Source[], profile: Setting<string | undefined>): Source[] {
  const name = profile.value ?? "default";
  const found = sources.map((source) => profileSource(source, name)).filter((source) => source !== undefined);
  if (found.length > 0 || name === "default") return found;
  const known = sources.flatMap((source) => Object.keys(source.values.profiles ?? {}));
  const meant = nearest(name, known);
  const hint = meant
    ? `did you mean "${meant}"?`
    : known.length > 0
    ? `there are ${known.join(", ")}`
    : "none is defined";
  const message = `there is no profile "${name}"; ${hint}`;
  const fix = `Define it: pryx config set profiles.${name}.model PROVIDER/MODEL`;
  if (profile.source?.layer === "flag") throw new PryxError("usage", `--profile: ${message}`, { fix });
  throw configError([
    profile.source?.problem(["profile"], message, fix) ?? { where: "profile", message, fix },
  ]);
}

const FLAGS: Readonly<Record<string, string>> = {
  model: "--model",
  profile: "--profile",
  preset: "--preset",
  "policy.allow": "--allow",
  "policy.deny": "--deny",
  "policy.ask": "--ask",
  "limits.turns": "--max-turns",
  "limits.cost": "--max-cost",
  "limits.timeout": "--timeout",
  "limits.approvalTimeout": "--approval-timeout",
};

function flagSource(flags: ConfigFlags) {
  const { model, profile, preset, allow, deny, ask } = flags;
  const values = {
    model,
    profile,
    preset,
    policy: { allow, deny, ask },
    limits: {
      turns: flags.maxTurns,
      cost: flags.maxCost,
      timeout: flags.timeout,
      approvalTimeout: flags.approvalTimeout,
    },
  };
  // What was typed is text from outside; the check of the schema, just below, is what makes it fit the type.
  return namedSource("flag", values as ConfigValues, (path) => {
    const key = path.filter((step) => typeof step === "string").join(".");
    return FLAGS[key] ?? "the command line";
  });
}

function throwIfAny(problems: readonly SourceProblem[]): void {
  if (problems.length > 0) throw configError(problems);
}
