import type { ProviderConfig } from "../config/config.ts";
import { PryxError, toPryxError } from "../domain/error.ts";
import type { Json } from "../domain/schema.ts";
import type { ModelInfo } from "../providers/provider.ts";
import { type Command, type CommandContext, defineCommand } from "./command.ts";

/** Local servers answer at once or not at all; elsewhere a list may take a while. */
const LOCAL_WAIT_MS = 1_500;
const REMOTE_WAIT_MS = 15_000;

/** Models that cannot hold a conversation with tools. */
const OTHER_USES =
  /embed|whisper|\btts\b|-tts|dall-e|moderation|image|audio|realtime|transcribe|sora|rerank|guard|ocr|voxtral/i;

type Status = "ready" | "no key" | "not running" | "failed";

interface Listing {
  readonly name: string;
  readonly baseUrl: string;
  readonly local: boolean;
  readonly status: Status;
  readonly problem?: string;
  readonly fix?: string;
  readonly models: readonly ModelInfo[];
}

export const commands: readonly Command[] = [
  defineCommand({
    name: "models",
    summary: "List providers and their models, with context window and price",
    description:
      "Asks every provider that has a key, and the model servers on this machine (Ollama, LM Studio, llama.cpp), " +
      "what they offer. Prices are US dollars per million tokens, from a table inside pryx or from the configuration.",
    input: {
      type: "object",
      properties: {
        provider: { type: "string", description: "Only this provider" },
        all: { type: "boolean", description: "Also models for speech, pictures and embeddings" },
      },
    },
    positionals: ["provider"],
    examples: [
      { line: "pryx models", note: "Everything that can be used now" },
      { line: "pryx models ollama", note: "What the local Ollama has" },
      { line: "pryx models openai --json", note: "For programs" },
    ],
    async run(input, ctx) {
      const config = await ctx.config();
      const chosen = input.provider === undefined
        ? Object.values(config.providers)
        : [providerNamed(input.provider, config.providers)];
      const listings = await Promise.all(
        chosen.map((provider) => listProvider(provider, input.all ?? false, ctx)),
      );
      const one = input.provider === undefined ? undefined : listings[0];
      const failed = one !== undefined && one.status !== "ready";
      return {
        data: { model: config.model ?? null, providers: listings as unknown as Json },
        text: render(listings, config.model, input.provider === undefined),
        ...(failed ? { exitCode: 5 } : {}),
      };
    },
  }),
];

function providerNamed(name: string, providers: Readonly<Record<string, ProviderConfig>>): ProviderConfig {
  const found = Object.hasOwn(providers, name) ? providers[name] : undefined;
  if (found) return found;
  throw new PryxError("usage", `There is no provider "${name}"`, {
    fix: `Known providers: ${Object.keys(providers).join(", ")}; others go under \`providers\` in the config`,
  });
}

async function listProvider(config: ProviderConfig, all: boolean, ctx: CommandContext): Promise<Listing> {
  const { name, baseUrl, local } = config;
  const listing = { name, baseUrl, local };
  try {
    const wait = AbortSignal.timeout(local ? LOCAL_WAIT_MS : REMOTE_WAIT_MS);
    const provider = await ctx.provider(name);
    const offered = await provider.models(AbortSignal.any([ctx.signal, wait]));
    const catalog = await ctx.catalog();
    const models = await Promise.all(
      offered.filter(({ id }) => all || !OTHER_USES.test(id)).map(async (model): Promise<ModelInfo> => {
        // What is set up here wins; what the server says about itself fills the gaps of the table.
        const known = await catalog.info(name, model.id);
        return { ...model, ...known, id: model.id };
      }),
    );
    models.sort((a, b) => a.id < b.id ? -1 : 1);
    return { ...listing, status: "ready", models };
  } catch (thrown) {
    ctx.signal.throwIfAborted();
    const { code, message, fix } = toPryxError(thrown);
    const status: Status = code === "secret_missing"
      ? "no key"
      : local && (code === "provider_unreachable" || code === "timeout")
      ? "not running"
      : "failed";
    return { ...listing, status, problem: message, ...(fix === undefined ? {} : { fix }), models: [] };
  }
}

function render(listings: readonly Listing[], current: string | undefined, overview: boolean): string {
  const blocks: string[] = [];
  for (const listing of listings.filter(({ status }) => status === "ready")) {
    const place = listing.local ? `${listing.baseUrl}, on this machine` : listing.baseUrl;
    const rows = listing.models.map((model) => row(listing.name, model, current));
    blocks.push([`${listing.name}  (${place})`, ...columns(rows)].join("\n"));
  }
  const failed = listings.filter(({ status }) => status === "failed" || (!overview && status !== "ready"));
  for (const { name, problem, fix } of failed) {
    blocks.push(`${name}: ${problem ?? "failed"}${fix === undefined ? "" : `\n  ${fix}`}`);
  }
  if (overview) {
    const idle = (status: Status) => listings.filter((one) => one.status === status).map(({ name }) => name);
    const lines = [
      ...(idle("no key").length > 0
        ? [`no key: ${idle("no key").join(", ")}  (\`pryx models NAME\` says how to give one)`]
        : []),
      ...(idle("not running").length > 0 ? [`not running here: ${idle("not running").join(", ")}`] : []),
    ];
    if (lines.length > 0) blocks.push(lines.join("\n"));
  }
  return blocks.join("\n\n");
}

function row(provider: string, model: ModelInfo, current: string | undefined): string[] {
  const name = `${provider}/${model.id}`;
  return [
    `${name === current ? "*" : " "} ${name}`,
    model.contextWindow === undefined ? "" : `${tokens(model.contextWindow)} context`,
    model.price === undefined ? "" : priced(model.price),
  ];
}

function columns(rows: readonly string[][]): string[] {
  const widths = [0, 1].map((at) => Math.max(0, ...rows.map((cells) => cells[at]?.length ?? 0)));
  return rows.map((cells) => cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join("  ").trimEnd());
}

function tokens(count: number): string {
  if (count >= 1e6) return `${Number((count / 1e6).toFixed(1))}M`;
  return count >= 1000 ? `${Math.round(count / 1000)}k` : `${count}`;
}

function priced({ input, output, cached }: NonNullable<ModelInfo["price"]>): string {
  if (input === 0 && output === 0) return "free";
  const cache = cached === undefined || cached === 0 ? "" : `, $${cached} cached`;
  return `$${input} in, $${output} out${cache}`;
}
