import assert from "node:assert/strict";
import { commands } from "../../core/commands/models.ts";
import type { CommandContext } from "../../core/commands/command.ts";
import type { Config, ProviderConfig } from "../../core/config/config.ts";
import { PryxError } from "../../core/domain/error.ts";
import { createCatalog } from "../../core/providers/catalog.ts";
import type { ModelInfo, Provider } from "../../core/providers/provider.ts";

const signal = new AbortController().signal;

function configured(name: string, local: boolean, more: Partial<ProviderConfig> = {}): ProviderConfig {
  return {
    name,
    baseUrl: local ? "http://127.0.0.1:11434/v1" : "https://api.openai.com/v1",
    api: "chat",
    headers: {},
    local,
    contextWindows: {},
    prices: {},
    ...more,
  };
}

function offering(name: string, models: readonly ModelInfo[] | Error): Provider {
  return {
    name,
    complete: () => Promise.reject(new Error("not asked here")),
    models: () => models instanceof Error ? Promise.reject(models) : Promise.resolve(models),
  };
}

/** Runs `models` with these providers; nothing else of the context is there. */
function run(
  input: { provider?: string; all?: boolean },
  list: readonly { config: ProviderConfig; models: readonly ModelInfo[] | Error }[],
  model?: string,
) {
  const providers = Object.fromEntries(list.map(({ config }) => [config.name, config]));
  const context: Partial<CommandContext> = {
    signal,
    config: () => Promise.resolve({ model, providers } as unknown as Config),
    provider: (name) =>
      Promise.resolve(offering(name, list.find(({ config }) => config.name === name)?.models ?? [])),
    catalog: () => Promise.resolve(createCatalog({ providers })),
  };
  const command = commands[0];
  assert.ok(command);
  return command.run(input, context as CommandContext);
}

const openai = {
  config: configured("openai", false),
  models: [{ id: "gpt-4o" }, { id: "text-embedding-3-small" }, { id: "brand-new", contextWindow: 2_000_000 }],
};
const ollama = { config: configured("ollama", true), models: [{ id: "qwen3:8b" }] };
const refused = new PryxError(
  "provider_unreachable",
  'Cannot reach the provider "lmstudio": connection refused',
  {
    fix: "Start it with `lms server start`",
  },
);
const lmstudio = { config: configured("lmstudio", true), models: refused };
const keyless = new PryxError("secret_missing", 'There is no key for the provider "groq"', {
  fix: "`export GROQ_API_KEY=…`",
});
const groq = { config: configured("groq", false), models: keyless };

Deno.test("models lists what can be used, with context window and price, and marks the one in use", async () => {
  const result = await run({}, [openai, ollama, lmstudio, groq], "openai/gpt-4o");
  assert.equal(result.exitCode, undefined);
  assert.equal(
    result.text,
    [
      "openai  (https://api.openai.com/v1)",
      "  openai/brand-new  2M context",
      "* openai/gpt-4o     128k context  $2.5 in, $10 out, $1.25 cached",
      "",
      "ollama  (http://127.0.0.1:11434/v1, on this machine)",
      "  ollama/qwen3:8b    free",
      "",
      "no key: groq  (`pryx models NAME` says how to give one)",
      "not running here: lmstudio",
    ].join("\n"),
  );
});

Deno.test("models gives programs all of it", async () => {
  const { data } = await run({}, [openai, lmstudio], "openai/gpt-4o");
  assert.deepEqual(data, {
    model: "openai/gpt-4o",
    providers: [
      {
        name: "openai",
        baseUrl: "https://api.openai.com/v1",
        local: false,
        status: "ready",
        models: [
          { id: "brand-new", contextWindow: 2_000_000 },
          { id: "gpt-4o", contextWindow: 128_000, price: { input: 2.5, output: 10, cached: 1.25 } },
        ],
      },
      {
        name: "lmstudio",
        baseUrl: "http://127.0.0.1:11434/v1",
        local: true,
        status: "not running",
        problem: refused.message,
        fix: refused.fix,
        models: [],
      },
    ],
  });
});

Deno.test("models shows models for other uses when asked for all", async () => {
  const { text } = await run({ all: true }, [openai]);
  assert.match(text ?? "", /text-embedding-3-small/);
});

Deno.test("models NAME says what is wrong with that provider, and how to put it right", async () => {
  const result = await run({ provider: "groq" }, [openai, groq]);
  assert.equal(result.exitCode, 5);
  assert.match(result.text ?? "", /no key for the provider "groq"[\s\S]*export GROQ_API_KEY/);
  assert.doesNotMatch(result.text ?? "", /openai/);
});

Deno.test("models NAME refuses a name that is not known", async () => {
  await assert.rejects(
    run({ provider: "nope" }, [openai, ollama]),
    (error) => error instanceof PryxError && error.code === "usage" && /openai, ollama/.test(error.fix ?? ""),
  );
});
