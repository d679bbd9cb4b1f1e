import { list, object, string } from "./_answer.ts";
import { listedModel } from "./_models.ts";
import type { ModelInfo } from "./provider.ts";

/** A model server that runs on this machine. */
interface LocalProvider {
  readonly name: string;
  readonly baseUrl: string;
  readonly models: readonly ModelInfo[];
}

/** Longest wait for one server. They are on this machine: one that runs answers in a few milliseconds. */
const PROBE_MS = 300;

/**
 * Asks every local preset's address for its models, all at once, and returns those that answer, in the order of
 * `presets`. Never rejects but with the signal's reason. Asks nothing beyond the loopback interface.
 */
export async function discoverLocal(
  presets: Readonly<Record<string, { readonly baseUrl: string; readonly local: boolean }>>,
  signal: AbortSignal,
  ask: typeof fetch = fetch,
): Promise<readonly LocalProvider[]> {
  signal.throwIfAborted();
  const found = await Promise.all(
    Object.entries(presets).filter(([, preset]) => preset.local).map(async ([name, { baseUrl }]) => {
      const models = await probe(baseUrl, AbortSignal.any([signal, AbortSignal.timeout(PROBE_MS)]), ask);
      return models ? { name, baseUrl, models } : undefined;
    }),
  );
  signal.throwIfAborted();
  return found.filter((one) => one !== undefined);
}

async function probe(
  baseUrl: string,
  signal: AbortSignal,
  ask: typeof fetch,
): Promise<ModelInfo[] | undefined> {
  const base = baseUrl.replace(/\/$/, "");
  const listed = await get(`${base}/models`, signal, ask);
  if (Array.isArray(listed?.data)) return named(listed.data);
  // Older versions of Ollama have only their own list.
  const tags = await get(new URL("/api/tags", base).href, signal, ask);
  if (!Array.isArray(tags?.models)) return undefined;
  return named(tags.models.map((model) => ({ id: string(object(model).name) })));
}

function named(entries: unknown): ModelInfo[] {
  return list(entries).map(listedModel).filter((model) => model !== undefined);
}

async function get(url: string, signal: AbortSignal, ask: typeof fetch) {
  try {
    const response = await ask(url, { signal, redirect: "manual" });
    if (response.ok) return object(await response.json());
    await response.body?.cancel();
  } catch {
    // Nothing there, or something else than a model server.
  }
  return undefined;
}
