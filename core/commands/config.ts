import { join } from "node:path";
import type { Config } from "../config/config.ts";
import { formatDuration } from "../domain/duration.ts";
import type { Json } from "../domain/schema.ts";
import { type Command, type CommandContext, defineCommand } from "./command.ts";

const key = { type: "string", minLength: 1, description: "Dotted key, such as limits.turns" } as const;

const get = defineCommand({
  name: "config get",
  summary: "Show a setting in force and where it comes from",
  description:
    "Without a key: every setting in force. The value goes to standard output, where it comes from to " +
    "standard error; --json has both.",
  input: { type: "object", properties: { key } },
  positionals: ["key"],
  examples: [
    { line: "pryx config get model", note: "The model that would answer, and what sets it" },
    { line: "pryx config get policy.deny", note: "Every deny rule in force, with its place" },
    { line: "pryx config get --json", note: "Everything, for programs" },
  ],
  async run(input, ctx) {
    const [config, file] = await Promise.all([ctx.config(), ctx.configFile()]);
    const whole = inForce(config);
    if (input.key === undefined) {
      const data = {
        values: whole,
        origins: config.origins,
        files: config.files,
        notices: config.notices ?? [],
      };
      for (const notice of config.notices ?? []) ctx.surface.note(notice);
      return { data: asJson(data), text: JSON.stringify(whole, null, 2) };
    }
    const path = file.resolve(input.key);
    // Profiles and the allowlist are in force through other settings; what is asked for is what the file says.
    const ofFile = ["profiles", "networkAllowlist", "$schema"].includes(path[0] ?? "");
    const value = ofFile ? await file.get(input.key) : valueAt(whole, path);
    const origins = ofFile && value !== undefined ? [`${file.path} (user)`] : originsOf(config, path);
    for (const origin of origins) ctx.surface.note(origin);
    return {
      data: asJson({ key: path.join("."), value: value ?? null, set: value !== undefined, origins }),
      text: value === undefined
        ? "not set"
        : typeof value === "string"
        ? value
        : JSON.stringify(value, null, 2),
    };
  },
});

const set = defineCommand({
  name: "config set",
  summary: "Change a setting in your config file",
  description: "The value is JSON, or plain text where the setting is text. Comments in the file are kept. " +
    "Secrets are refused: store them with `pryx secrets set` and set a reference to them.",
  input: {
    type: "object",
    properties: {
      key,
      value: { type: "string", description: "JSON, or plain text" },
      add: {
        type: "boolean",
        description: "Put the value at the end of a list instead of replacing the list",
      },
    },
    required: ["key", "value"],
  },
  positionals: ["key", "value"],
  examples: [
    { line: "pryx config set model openai/gpt-5", note: "The model to use from now on" },
    { line: "pryx config set policy.deny 'run=git push' --add", note: "One more rule" },
    { line: "pryx config set providers.openai.key keychain:openai", note: "Where its key is kept" },
    { line: "pryx config set limits.timeout 10m", note: "How long one turn may take" },
  ],
  async run(input, ctx) {
    const file = await ctx.configFile();
    const shown = file.resolve(input.key).join(".");
    // Opened before anything changes: a change that cannot be recorded is not made.
    const store = await ctx.store();
    const value = await file.setText(input.key, input.value, { add: input.add ?? false });
    store.audit("config", { action: "set", key: shown, value: asJson(value), file: file.path });
    const stronger = await overriding(ctx, shown);
    if (stronger) ctx.surface.note(`${shown} is set, but ${stronger} decides`);
    return {
      data: asJson({ key: shown, value, file: file.path, ...(stronger ? { overriddenBy: stronger } : {}) }),
      text: `${shown} = ${typeof value === "string" ? value : JSON.stringify(value)}`,
    };
  },
});

const unset = defineCommand({
  name: "config unset",
  summary: "Remove a setting from your config file",
  input: { type: "object", properties: { key }, required: ["key"] },
  positionals: ["key"],
  examples: [{
    line: "pryx config unset limits.cost",
    note: "The default, or a weaker layer, decides again",
  }],
  async run(input, ctx) {
    const file = await ctx.configFile();
    const store = await ctx.store();
    const removed = await file.unset(input.key);
    if (removed) store.audit("config", { action: "unset", key: input.key, file: file.path });
    return {
      data: { key: input.key, removed, file: file.path },
      text: removed ? `${input.key} is unset` : `${input.key} was not set in ${file.path}`,
    };
  },
});

const path = defineCommand({
  name: "config path",
  summary: "Print where your config file is",
  input: {
    type: "object",
    properties: { all: { type: "boolean", description: "Every place that settings and data are in" } },
  },
  examples: [
    { line: '$EDITOR "$(pryx config path)"', note: "Edit it by hand" },
    { line: "pryx config path --all", note: "The managed files, data, state and cache, too" },
  ],
  run(input, ctx) {
    const { paths } = ctx;
    const places = {
      config: paths.configFile,
      managedPolicy: join(paths.managed, "policy.jsonc"),
      managedConfig: join(paths.managed, "config.jsonc"),
      project: join(ctx.cwd, ".pryx", "config.jsonc"),
      localProject: join(ctx.cwd, ".pryx", "config.local.jsonc"),
      data: paths.data,
      state: paths.state,
      cache: paths.cache,
    };
    const text = input.all
      ? Object.entries(places).map(([name, place]) => `${name.padEnd(14)} ${place}`).join("\n")
      : paths.configFile;
    return Promise.resolve({ data: { path: paths.configFile, places }, text });
  },
});

const schema = defineCommand({
  name: "config schema",
  summary: "Print the JSON Schema of the config file",
  input: { type: "object", properties: {} },
  examples: [{ line: "pryx config schema > pryx.schema.json", note: "For an editor" }],
  async run(_input, ctx) {
    const data = asJson((await ctx.configFile()).schema());
    return { data, text: JSON.stringify(data, null, 2) };
  },
});

/** Reading and changing settings. */
export const commands: readonly Command[] = [get, set, unset, path, schema];

/** The settings in force in the shape of the config file, so that every key of the file can be asked for. */
function inForce(config: Config): Record<string, Json> {
  const { limits } = config;
  const rules = (verdict: string) =>
    config.rules.filter((rule) => rule.verdict === verdict).map((rule) => `${rule.kind}=${rule.pattern}`);
  const providers = Object.entries(config.providers).map((
    [name, { name: _, ...provider }],
  ) => [name, provider]);
  return asJson({
    ...(config.model === undefined ? {} : { model: config.model }),
    profile: config.profile,
    preset: config.preset,
    policy: { allow: rules("allow"), deny: rules("deny"), ask: rules("ask") },
    limits: {
      turns: limits.turns,
      ...(limits.cost === undefined ? {} : { cost: limits.cost }),
      ...(limits.timeoutMs === undefined ? {} : { timeout: formatDuration(limits.timeoutMs) }),
      approvalTimeout: formatDuration(limits.approvalTimeoutMs),
    },
    sandbox: config.sandbox,
    contextWindow: config.contextWindow,
    secretStore: config.secretStore,
    providers: Object.fromEntries(providers),
  }) as Record<string, Json>;
}

function valueAt(value: Json, path: readonly string[]): Json | undefined {
  let here: Json | undefined = value;
  for (const step of path) {
    if (typeof here !== "object" || here === null || Array.isArray(here) || !Object.hasOwn(here, step)) {
      return undefined;
    }
    here = (here as Readonly<Record<string, Json>>)[step];
  }
  return here;
}

/** Where the value of a key comes from, in words; for lists of rules, one line each. */
function originsOf(config: Config, path: readonly string[]): string[] {
  if (path[0] === "policy") {
    return config.rules.filter((rule) => path[1] === undefined || rule.verdict === path[1])
      .map((rule) => `${rule.verdict} ${rule.kind}=${rule.pattern}: ${rule.source} (${rule.layer})`);
  }
  for (let length = path.length; length > 0; length--) {
    const origin = config.origins[path.slice(0, length).join(".")];
    if (origin) return [`${origin.source} (${origin.layer})`];
  }
  const below = Object.entries(config.origins).filter(([key]) => key.startsWith(`${path.join(".")}.`));
  return below.length > 0
    ? below.map(([key, { source, layer }]) => `${key}: ${source} (${layer})`)
    : ["default"];
}

/** What decides about a key in place of the user's file; undefined when the file does, or when that cannot be told. */
async function overriding(ctx: CommandContext, key: string): Promise<string | undefined> {
  let config: Config;
  try {
    config = await ctx.config();
  } catch {
    // Other parts of the configuration may be wrong; setting this one was right all the same.
    return undefined;
  }
  const origin = config.origins[key];
  const stronger = ["managed", "flag", "environment", "local", "project", "profile"];
  return origin && stronger.includes(origin.layer) ? `${origin.source} (${origin.layer})` : undefined;
}

function asJson(value: unknown): Json {
  return JSON.parse(JSON.stringify(value ?? null)) as Json;
}
