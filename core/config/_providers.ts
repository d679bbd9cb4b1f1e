import { at } from "./_check_values.ts";
import type { ApiStyle, ProviderConfig } from "./config.ts";
import { nearest } from "../domain/nearest.ts";
import type { SourceProblem } from "./_problems.ts";
import { byStrength, type Source } from "./_sources.ts";
import type { ProviderValues } from "./schema.ts";

/** Well-known providers, by name. */
export type ProviderPresets = Readonly<
  Record<
    string,
    {
      readonly baseUrl: string;
      /** Variable that its key is in, by custom. */
      readonly keyEnv?: string;
      readonly api: ApiStyle;
      readonly local: boolean;
    }
  >
>;

/** The providers in force, where each setting came from, and what is wrong with them. */
interface Providers {
  readonly providers: Readonly<Record<string, ProviderConfig>>;
  /** Dotted keys that a source set, with that source's words for where. */
  readonly origins: ReadonlyMap<string, Source>;
  readonly problems: readonly SourceProblem[];
}

/** The well-known providers and the configured ones; each setting comes from the strongest source that has it. */
export function mergeProviders(sources: readonly Source[], presets: ProviderPresets): Providers {
  const ordered = byStrength(sources).filter((source) => source.values.providers !== undefined);
  const names = new Set([
    ...Object.keys(presets),
    ...ordered.flatMap((source) => Object.keys(source.values.providers ?? {})),
  ]);
  const providers: Record<string, ProviderConfig> = {};
  const origins = new Map<string, Source>();
  const problems: SourceProblem[] = [];
  for (const name of names) {
    const merged = mergeOne(name, ordered, origins);
    const presetName = merged.preset ?? name;
    const preset = Object.hasOwn(presets, presetName) ? presets[presetName] : undefined;
    const source = ordered.find((one) => at(one.values, ["providers", name]) !== undefined);
    if (merged.preset !== undefined && preset === undefined) {
      const from = origins.get(`providers.${name}.preset`);
      const meant = nearest(merged.preset, Object.keys(presets));
      const hint = meant ? `did you mean "${meant}"?` : `there are ${Object.keys(presets).join(", ")}`;
      const message = `"${merged.preset}" is not a well-known provider; ${hint}`;
      if (from) problems.push(from.problem(["providers", name, "preset"], message));
      continue;
    }
    const baseUrl = merged.baseUrl ?? preset?.baseUrl;
    if (baseUrl === undefined) {
      const message = `providers.${name} needs a baseUrl: it is not a well-known provider`;
      const meant = nearest(name, Object.keys(presets));
      const fix = meant ? `If you meant "${meant}", rename it` : `Add "baseUrl": "https://host/v1"`;
      if (source) problems.push(source.problem(["providers", name], message, fix));
      continue;
    }
    const key = merged.key ?? (preset?.keyEnv === undefined ? undefined : `env:${preset.keyEnv}`);
    providers[name] = {
      name,
      baseUrl: baseUrl.replace(/\/+$/, ""),
      ...(key === undefined ? {} : { key }),
      // Another address is another program: what it is sure to speak is Chat Completions.
      api: merged.api ??
        (merged.baseUrl === undefined || sameHost(baseUrl, preset?.baseUrl) ? preset?.api : undefined) ??
        "chat",
      headers: { ...merged.headers },
      // A provider that nothing is known about and that answers on this machine is taken for a local model.
      local: merged.local ?? preset?.local ?? isLoopback(baseUrl),
      contextWindows: { ...merged.contextWindows },
      prices: { ...merged.prices },
    };
  }
  return { providers, origins, problems };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function mergeOne(name: string, sources: readonly Source[], origins: Map<string, Source>): ProviderValues {
  const merged: Mutable<ProviderValues> = {};
  const take = <K extends keyof ProviderValues>(key: K, source: Source, values: ProviderValues) => {
    const value = values[key];
    if (value === undefined) return;
    const dotted = `providers.${name}.${key}`;
    if (typeof value === "object") {
      // Tables are joined entry by entry; the stronger source's entry stays.
      merged[key] = { ...value, ...(merged[key] as object | undefined) } as ProviderValues[K];
    } else if (merged[key] === undefined) merged[key] = value;
    else return;
    if (!origins.has(dotted)) origins.set(dotted, source);
  };
  for (const source of sources) {
    const found = at(source.values, ["providers", name]);
    if (found === undefined) continue;
    const values = found as ProviderValues;
    for (const key of KEYS) {
      if (key === "key" && source.layer === "environment" && keepsOwnKey(name, source, sources)) continue;
      take(key, source, values);
    }
  }
  return merged;
}

const KEYS = ["preset", "baseUrl", "key", "api", "headers", "local", "contextWindows", "prices"] as const;

/**
 * A key that stands in a config file belongs to the address it is for: a key that happens to be in the environment must
 * not be sent there in its place, unless the environment names the address too.
 */
function keepsOwnKey(name: string, environment: Source, sources: readonly Source[]): boolean {
  if (at(environment.values, ["providers", name, "baseUrl"]) !== undefined) return false;
  return sources.some((source) =>
    source !== environment && at(source.values, ["providers", name, "key"]) !== undefined
  );
}

function sameHost(a: string, b: string | undefined): boolean {
  return b !== undefined && URL.parse(a)?.host === URL.parse(b)?.host;
}

function isLoopback(baseUrl: string): boolean {
  const host = URL.parse(baseUrl)?.hostname ?? "";
  return host === "localhost" || host.endsWith(".localhost") || host === "[::1]" || /^127\./.test(host);
}
