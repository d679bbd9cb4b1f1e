import type { Config } from "../config/config.ts";
import { PryxError } from "../domain/error.ts";
import type { SecretStore } from "../secrets/secret_store.ts";
import { type Command, type CommandContext, defineCommand } from "./command.ts";

const name = {
  type: "string",
  minLength: 1,
  description: "Name of the secret: letters, digits, dots, hyphens, underscores",
} as const;
const storeFlag = {
  type: "string",
  enum: ["keychain", "file"],
  description: "Where it is kept; config's secretStore when not given",
} as const;

const set = defineCommand({
  name: "secrets set",
  summary: "Store a secret",
  description:
    "Asks for the value without showing it, or reads it from standard input (one newline at its end is " +
    "dropped). It is never taken from the command line, where other programs and the shell's history would see it.",
  input: {
    type: "object",
    properties: {
      name,
      store: storeFlag,
      provider: {
        type: "string",
        minLength: 1,
        description: "Make it the key of this provider; without it, of the provider of that name",
      },
    },
    required: ["name"],
  },
  positionals: ["name"],
  examples: [
    { line: "pryx secrets set openai", note: "Asks for the key and uses it for OpenAI" },
    { line: "pryx secrets set work-key --provider openai", note: "Under another name" },
    {
      line: "pryx secrets set groq --store file < key.txt",
      note: "From a file, on a machine without a keychain",
    },
  ],
  async run(input, ctx) {
    const secrets = await ctx.secrets();
    const config = await ctx.config();
    const store = secrets.store(input.store ?? config.secretStore);
    const reference = `${store.scheme}:${input.name}`;
    const provider = input.provider ?? (Object.hasOwn(config.providers, input.name) ? input.name : undefined);
    const key = `providers.${provider}.key`;
    const file = provider === undefined ? undefined : await ctx.configFile();
    // A config file that cannot be changed is found before the secret is stored.
    const before = await file?.get(key);
    // A key that somebody chose gives way only when the provider was named.
    const use = file !== undefined &&
      (input.provider !== undefined || before === undefined || before === reference);
    // Opened before anything changes: a change that cannot be recorded is not made.
    const log = await ctx.store();
    const value = await valueOf(input.name, ctx);
    await store.set(input.name, value);
    log.audit("secret", { action: "set", name: input.name, store: store.scheme });
    if (store.warning !== undefined) ctx.surface.note(store.warning);
    if (use) {
      await file.set(key, reference);
      log.audit("config", { action: "set", key, value: reference, file: file.path });
    }
    return {
      data: { name: input.name, store: store.scheme, reference, provider: use ? provider ?? null : null },
      text: `Stored as ${reference}` +
        (use
          ? `, the key of ${provider}`
          : `. Use it: pryx config set providers.${provider ?? "NAME"}.key ${reference}`),
    };
  },
});

const list = defineCommand({
  name: "secrets list",
  summary: "Show which secrets there are, never their values",
  input: { type: "object", properties: {} },
  examples: [{ line: "pryx secrets list", note: "Names, where they are kept, and who uses them" }],
  async run(_input, ctx) {
    const [secrets, config] = await Promise.all([ctx.secrets(), ctx.config()]);
    const users = usersOf(config);
    const rows: { reference: string; name: string; store: string; present: boolean; providers: string[] }[] =
      [];
    for (const store of secrets.stores) {
      const names = await namesIn(store, users, config);
      for (const [one, present] of [...names].sort(([a], [b]) => a < b ? -1 : 1)) {
        const reference = `${store.scheme}:${one}`;
        rows.push({
          reference,
          name: one,
          store: store.scheme,
          present,
          providers: users.get(reference) ?? [],
        });
      }
    }
    const width = Math.max(0, ...rows.map((row) => row.reference.length));
    const text = rows.map((row) => {
      const use = row.providers.length > 0 ? `used by ${row.providers.join(", ")}` : "not used by a provider";
      return `${row.reference.padEnd(width)}  ${row.present ? use : `MISSING, ${use}`}`;
    }).join("\n");
    return { data: rows, text: text || "There are no secrets. Store one: pryx secrets set NAME" };
  },
});

const remove = defineCommand({
  name: "secrets remove",
  summary: "Remove a secret",
  input: { type: "object", properties: { name, store: storeFlag }, required: ["name"] },
  positionals: ["name"],
  examples: [{ line: "pryx secrets remove openai", note: "From the store that has it" }],
  async run(input, ctx) {
    const secrets = await ctx.secrets();
    const store = input.store === undefined
      ? await storeWith(input.name, secrets.stores)
      : secrets.store(input.store);
    const log = await ctx.store();
    const reference = `${store.scheme}:${input.name}`;
    if (!await store.remove(input.name)) {
      throw new PryxError("not_found", `There is no secret ${reference}`, {
        fix: "`pryx secrets list` shows which there are",
      });
    }
    log.audit("secret", { action: "remove", name: input.name, store: store.scheme });
    const providers = await ctx.config().then((config) => usersOf(config).get(reference) ?? [], () => []);
    if (providers.length > 0) {
      ctx.surface.note(
        `${providers.join(", ")} still refers to ${reference}: pryx config unset providers.NAME.key`,
      );
    }
    return {
      data: { name: input.name, store: store.scheme, removed: true, providers },
      text: `Removed ${reference}`,
    };
  },
});

/** Storing and removing secrets. No value ever leaves them. */
export const commands: readonly Command[] = [set, list, remove];

/** The value from standard input, else from a person. Never in a message, also not in one about what is wrong with it. */
async function valueOf(secret: string, ctx: CommandContext): Promise<string> {
  const bytes = await ctx.surface.input();
  if (bytes === undefined) {
    if (!ctx.surface.attended) {
      throw new PryxError("usage", `There is no value for the secret "${secret}"`, {
        fix: `Give it on standard input: pryx secrets set ${secret} < FILE`,
      });
    }
    return (await ctx.surface.prompt(`Value of ${secret} (not shown): `, { secret: true })).trim();
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes).replace(/\r?\n$/, "");
  } catch {
    throw new PryxError(
      "input_invalid",
      `Cannot store the secret "${secret}": standard input is not valid UTF-8`,
    );
  }
}

/** Providers by the reference of their key. */
function usersOf(config: Config): Map<string, string[]> {
  const users = new Map<string, string[]>();
  for (const { name: provider, key } of Object.values(config.providers)) {
    if (key !== undefined) users.set(key, [...users.get(key) ?? [], provider]);
  }
  return users;
}

/**
 * Names in a store, and whether there is a value behind each. Of the environment only what a provider refers to: the
 * rest is not pryx's. What a provider was told to use and is not there is shown as missing; what it would use by custom
 * is not.
 */
async function namesIn(
  store: SecretStore,
  users: ReadonlyMap<string, readonly string[]>,
  config: Config,
): Promise<Map<string, boolean>> {
  const names = new Map<string, boolean>();
  if (store.writable) { for (const one of await store.list()) names.set(one, true); }
  for (const [reference, providers] of users) {
    if (!reference.startsWith(`${store.scheme}:`)) continue;
    const one = reference.slice(store.scheme.length + 1);
    if (names.has(one)) continue;
    const present = await store.get(one).then((value) => value !== undefined, () => false);
    const chosen = providers.some((provider) => config.origins[`providers.${provider}.key`] !== undefined);
    if (present || chosen) names.set(one, present);
  }
  return names;
}

async function storeWith(secret: string, stores: readonly SecretStore[]): Promise<SecretStore> {
  const found: SecretStore[] = [];
  for (const store of stores) {
    if (store.writable && (await store.list()).includes(secret)) found.push(store);
  }
  const [only, another] = found;
  if (only === undefined) {
    throw new PryxError("not_found", `There is no secret "${secret}"`, {
      fix: "`pryx secrets list` shows which there are",
    });
  }
  if (another === undefined) return only;
  throw new PryxError("usage", `"${secret}" is in more than one store`, {
    fix: `Say which: ${found.map((store) => `--store ${store.scheme}`).join(" or ")}`,
  });
}
