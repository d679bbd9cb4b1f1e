import { DURATION_PATTERN } from "../domain/duration.ts";
import { PRESETS } from "../domain/policy.ts";
import type { Infer, ObjectSchema, Schema } from "../domain/schema.ts";

/** `scheme:NAME`, where a secret is kept. */
const REFERENCE = {
  pattern: "^(env|keychain|file):[A-Za-z0-9_][A-Za-z0-9_.-]*$",
  patternName: "a reference to a secret: env:NAME, keychain:NAME or file:NAME",
};
const MODEL = { pattern: "^[^/\\s]+/\\S+$", patternName: "provider/model, such as openai/gpt-5" };
const ADDRESS = { pattern: "^https?://[^\\s]+$", patternName: "a URL such as https://host/v1" };
const DURATION = { pattern: DURATION_PATTERN, patternName: "a duration such as 30s, 10m or 1h30m" };

const model = {
  type: "string",
  ...MODEL,
  description: "The model, as `provider/model`",
} as const;

const preset = {
  type: "string",
  enum: PRESETS,
  default: "read-only",
  description: "What may be done where no rule speaks, from the narrowest to the widest",
} as const;

const examples = (description: string) =>
  ({ type: "array", items: { type: "string", minLength: 1 }, description }) as const;

/** A rule with what explains and proves it. */
const ruleObject = {
  type: "object",
  properties: {
    rule: { type: "string", minLength: 1, description: "The rule: `kind=target`" },
    match: examples("Command lines or targets that it must match; `pryx policy test` checks them"),
    not_match: examples("Command lines or targets that it must not match"),
    reason: { type: "string", minLength: 1, description: "Why; said with every decision it makes" },
  },
  required: ["rule"],
} as const;

const rules = (verdict: string) =>
  ({
    type: "array",
    items: { anyOf: [{ type: "string", minLength: 1 }, ruleObject] },
    description:
      `Needs to ${verdict}, each \`kind=target\` or an object that holds it as \`rule\`: \`run=git log\`, \`read=**/*.pem\``,
  }) as const;

const policyLists = {
  allow: rules("allow"),
  deny: rules("deny; nothing overrides a deny"),
  ask: rules("ask about"),
} as const;

const policy = { type: "object", properties: policyLists, description: "Rules" } as const;

const networkAllowlist = {
  type: "array",
  items: { type: "string", minLength: 1 },
  description:
    "Hosts that the preset `network-allowlist` may reach: `example.com`, `*.example.com`, `host:443`",
} as const;

const limits = {
  type: "object",
  properties: {
    turns: { type: "integer", minimum: 1, default: 100, description: "Model requests in one turn" },
    cost: { type: "number", minimum: 0, description: "US dollars that one turn may cost" },
    timeout: {
      type: "string",
      ...DURATION,
      description: "How long one turn may take: `30s`, `10m`, `1h30m`; `0` for no limit",
    },
    approvalTimeout: {
      type: "string",
      ...DURATION,
      default: "0s",
      description: "How long a question waits for another surface when nobody is here; `0s`: denied at once",
    },
  },
  description: "Limits",
} as const;

const sandbox = {
  type: "string",
  enum: ["auto", "required"],
  default: "auto",
  description: "`required`: refuse to work without the kernel's sandbox",
} as const;

const contextWindow = {
  type: "integer",
  minimum: 1024,
  default: 32768,
  description: "Context window in tokens, for models that nothing is known about",
} as const;

const price = { type: "number", minimum: 0 } as const;

const provider = {
  type: "object",
  properties: {
    preset: { type: "string", description: "Well-known provider whose settings this one starts from" },
    baseUrl: { type: "string", ...ADDRESS, description: "Where its API is: `https://host/v1`" },
    key: {
      type: "string",
      ...REFERENCE,
      description: "Where its key is kept: `env:NAME`, `keychain:NAME`, `file:NAME`; never the key itself",
    },
    api: {
      type: "string",
      enum: ["chat", "responses"],
      default: "chat",
      description: "Chat Completions or Responses",
    },
    headers: {
      type: "object",
      properties: {},
      additionalProperties: { type: "string" },
      description: "More HTTP headers; not for keys",
    },
    local: { type: "boolean", description: "Runs on this machine and costs nothing" },
    contextWindows: {
      type: "object",
      properties: {},
      additionalProperties: { type: "integer", minimum: 1 },
      description: "Context windows in tokens, by model",
    },
    prices: {
      type: "object",
      properties: {},
      additionalProperties: {
        type: "object",
        properties: { input: price, output: price, cached: price },
        required: ["input", "output"],
      },
      description: "US dollars per million tokens, by model",
    },
  },
} as const;

const profile = {
  type: "object",
  properties: { model, preset, policy, networkAllowlist, limits, sandbox, contextWindow },
} as const;

/** Shape of config.jsonc. The check at run time, `config schema` and the table in docs/configuration.md come from this. */
export const CONFIG_SCHEMA = {
  type: "object",
  properties: {
    $schema: { type: "string", description: "Where editors find the schema of this file" },
    model,
    profile: { type: "string", default: "default", description: "The profile that is in force" },
    preset,
    policy,
    networkAllowlist,
    limits,
    sandbox,
    contextWindow,
    secretStore: {
      type: "string",
      enum: ["keychain", "file"],
      default: "keychain",
      description: "Where `pryx secrets set` keeps secrets when it is not told",
    },
    providers: {
      type: "object",
      properties: {},
      additionalProperties: provider,
      description: "Providers by name; the well-known ones are there without being named",
    },
    profiles: {
      type: "object",
      properties: {},
      additionalProperties: profile,
      description: "Named sets of settings, chosen with `--profile`",
    },
  },
} as const satisfies ObjectSchema;

/** Shape of /etc/pryx/policy.jsonc: the managed rules on their own. */
export const POLICY_FILE_SCHEMA = {
  type: "object",
  properties: {
    $schema: { type: "string", description: "Where editors find the schema of this file" },
    preset,
    networkAllowlist,
    ...policyLists,
  },
} as const satisfies ObjectSchema;

/** What one configuration file may hold, once it is checked. */
export type ConfigValues = Infer<typeof CONFIG_SCHEMA>;
/** One entry of `providers` in a configuration file. */
export type ProviderValues = NonNullable<ConfigValues["providers"]>[string];
/** One entry of a list of rules: `kind=target`, or that with examples and a reason. */
export type RuleValue = string | Infer<typeof ruleObject>;

/** The JSON Schema (2020-12) of config.jsonc, for editors. */
export function configJsonSchema(): Readonly<Record<string, unknown>> {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "pryx configuration",
    // Understood by editors that know JSON with comments; ignored by the others.
    allowComments: true,
    allowTrailingCommas: true,
    ...closed(CONFIG_SCHEMA),
  };
}

/** Our schemas are closed unless they say otherwise; JSON Schema has it the other way round. */
function closed(schema: Schema): Record<string, unknown> {
  if (schema.type === "array") return { ...schema, items: closed(schema.items) };
  if (schema.type === "string") {
    const { patternName: _, ...known } = schema;
    return known;
  }
  if (schema.type === undefined && "anyOf" in schema) return { ...schema, anyOf: schema.anyOf.map(closed) };
  if (schema.type !== "object") return { ...schema };
  const rest = schema.additionalProperties;
  return {
    ...schema,
    properties: Object.fromEntries(Object.entries(schema.properties).map(([key, one]) => [key, closed(one)])),
    additionalProperties: typeof rest === "object" ? closed(rest) : rest ?? false,
  };
}
