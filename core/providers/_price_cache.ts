import { VERSION } from "../domain/version.ts";
import { object } from "./_answer.ts";
import type { ModelInfo } from "./provider.ts";

/** What the price table says about a model, as far as that fits in a line. */
export interface Listed {
  readonly contextWindow?: number;
  readonly price?: NonNullable<ModelInfo["price"]>;
  /** True when `price` is all there is to it: it depends neither on the length of the prompt nor on the date. */
  readonly flat: boolean;
}

/** Remembers models in a small file, since the whole table takes longer to load than the rest of a start. */
interface PriceCache {
  /** Null: the table does not know the model. Undefined: not remembered. */
  get(key: string): Promise<Listed | null | undefined>;
  put(key: string, listed: Listed | null): Promise<void>;
}

const DAY_MS = 86_400_000;

type Entries = Record<string, { readonly until: number; readonly listed: Listed | null }>;

/** A file that cannot be read or written is as good as none. Entries hold for a day and for this version of pryx. */
export function createPriceCache(file: string, now: () => Date): PriceCache {
  let entries: Promise<Entries> | undefined;

  const load = () =>
    entries ??= (async (): Promise<Entries> => {
      try {
        const kept = object(JSON.parse(await Deno.readTextFile(file)));
        if (kept.version === VERSION) return object(kept.entries) as Entries;
      } catch {
        // None yet, or half of one.
      }
      return {};
    })();

  return {
    async get(key) {
      const known = await load();
      const entry = Object.hasOwn(known, key) ? known[key] : undefined;
      return entry && entry.until > now().getTime() ? entry.listed : undefined;
    },
    async put(key, listed) {
      const known = await load();
      known[key] = { until: now().getTime() + DAY_MS, listed };
      const temporary = `${file}.${Deno.pid}`;
      try {
        await Deno.mkdir(file.replace(/[/\\][^/\\]*$/, ""), { recursive: true, mode: 0o700 });
        await Deno.writeTextFile(temporary, JSON.stringify({ version: VERSION, entries: known }), {
          mode: 0o600,
        });
        await Deno.rename(temporary, file);
      } catch {
        // A full or read-only disk costs the next start a few milliseconds, no more.
      }
    },
  };
}
