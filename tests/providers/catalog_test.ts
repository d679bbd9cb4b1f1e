import assert from "node:assert/strict";
import { createCatalog } from "../../core/providers/catalog.ts";
import type { Usage } from "../../core/domain/message.ts";
import { config } from "./_provider.ts";

const usage = (more: Partial<Usage>): Usage => ({ input: 0, output: 0, cached: 0, reasoning: 0, ...more });

const catalog = createCatalog({
  providers: {
    openai: config("https://api.openai.com/v1", { name: "openai", local: false }),
    work: config("https://api.anthropic.com/v1/", { name: "work", local: false }),
    proxy: config("https://llm.example.test/v1", {
      name: "proxy",
      local: false,
      contextWindows: { mine: 32_000 },
      prices: { mine: { input: 2, output: 10, cached: 0.5 }, "gpt-4o": { input: 1, output: 1 } },
    }),
    ollama: config("http://127.0.0.1:11434/v1", { name: "ollama", contextWindows: { "llama3:8b": 8192 } }),
  },
});

/** Money is compared to a billionth of a dollar. */
const near = (actual: number | null, expected: number) =>
  assert.ok(actual !== null && Math.abs(actual - expected) < 1e-9, `${actual} is not ${expected}`);

Deno.test("info() knows well-known models", async () => {
  const info = await catalog.info("openai", "gpt-4o");
  assert.equal(info?.contextWindow, 128_000);
  assert.deepEqual(info?.price, { input: 2.5, output: 10, cached: 1.25 });
});

Deno.test("info() finds a provider by its address, whatever its name", async () => {
  assert.equal((await catalog.info("work", "claude-3-5-haiku-latest"))?.price?.input, 0.8);
});

Deno.test("info() prefers what is configured", async () => {
  assert.deepEqual(await catalog.info("proxy", "mine"), {
    id: "mine",
    contextWindow: 32_000,
    price: { input: 2, output: 10, cached: 0.5 },
  });
});

Deno.test("info() knows nothing of an unknown model, and does not stumble over names of object members", async () => {
  assert.equal(await catalog.info("openai", "no-such-model"), undefined);
  assert.equal(await catalog.info("proxy", "constructor"), undefined);
  assert.equal(await catalog.info("nobody", "x"), undefined);
  assert.equal(await catalog.cost("openai", "no-such-model", usage({ input: 5 })), null);
});

Deno.test("cost() counts input, cached input and output at their own prices", async () => {
  near(await catalog.cost("openai", "gpt-4o", usage({ input: 1_000_000 })), 2.5);
  near(await catalog.cost("openai", "gpt-4o", usage({ input: 1_000_000, cached: 400_000 })), 1.5 + 0.5);
  near(await catalog.cost("openai", "gpt-4o", usage({ output: 1_000_000, reasoning: 900_000 })), 10);
  near(await catalog.cost("proxy", "mine", usage({ input: 1_000, cached: 200, output: 100 })), 0.0027);
  near(await catalog.cost("proxy", "gpt-4o", usage({ input: 1_000_000, cached: 1_000_000 })), 1);
});

Deno.test("cost() never counts more cached input than input", async () => {
  near(await catalog.cost("openai", "gpt-4o", usage({ input: 100, cached: 5_000 })), 100 * 1.25 / 1e6);
});

Deno.test("cost() is nothing on this machine, unless a price is configured", async () => {
  assert.equal(await catalog.cost("ollama", "llama3:8b", usage({ input: 1e6, output: 1e6 })), 0);
  assert.deepEqual(await catalog.info("ollama", "llama3:8b"), {
    id: "llama3:8b",
    contextWindow: 8192,
    price: { input: 0, output: 0, cached: 0 },
  });
});

Deno.test("cost() is not known for a model that is not priced by tokens", async () => {
  assert.equal(await catalog.cost("openai", "whisper-1", usage({ input: 10 })), null);
});

Deno.test("cost() follows prices that depend on the length of the prompt", async () => {
  const tiered = createCatalog({
    providers: {
      google: config("https://generativelanguage.googleapis.com/v1beta/openai", { local: false }),
    },
  });
  const short = await tiered.cost("google", "gemini-2.5-pro", usage({ input: 100_000 }));
  const long = await tiered.cost("google", "gemini-2.5-pro", usage({ input: 1_000_000 }));
  near(short, 0.125);
  near(long, 2.5);
});

Deno.test("cost() remembers models in a file, for a day", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const cacheFile = `${folder}/not/yet/there/prices.json`;
    const providers = { openai: config("https://api.openai.com/v1", { name: "openai", local: false }) };
    let time = Date.UTC(2026, 0, 1);
    const open = () => createCatalog({ providers, cacheFile, now: () => new Date(time) });
    await open().cost("openai", "gpt-4o", usage({ input: 1 }));
    await open().cost("openai", "no-such-model", usage({ input: 1 }));
    // What the file says is believed: so it was read, and the table was not.
    const kept = await Deno.readTextFile(cacheFile);
    await Deno.writeTextFile(
      cacheFile,
      kept.replaceAll("128000", "4242").replaceAll('"input":2.5', '"input":7'),
    );
    const again = open();
    assert.equal((await again.info("openai", "gpt-4o"))?.contextWindow, 4242);
    near(await again.cost("openai", "gpt-4o", usage({ input: 1_000_000 })), 7);
    assert.equal(await again.info("openai", "no-such-model"), undefined);
    time += 25 * 3_600_000;
    assert.equal((await open().info("openai", "gpt-4o"))?.contextWindow, 128_000);
    await Deno.writeTextFile(cacheFile, "{half");
    near(await open().cost("openai", "gpt-4o", usage({ input: 1_000_000 })), 2.5);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("cost() does without its file when there is no place for it", async () => {
  const homeless = createCatalog({
    providers: { openai: config("https://api.openai.com/v1", { name: "openai", local: false }) },
    cacheFile: "/dev/null/prices.json",
  });
  near(await homeless.cost("openai", "gpt-4o", usage({ input: 1_000_000 })), 2.5);
});
