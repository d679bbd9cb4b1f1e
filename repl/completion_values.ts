import type { Command, CommandContext, CompletionSource } from "../core/commands/command.ts";
import type { FlagSpec } from "./_flags.ts";
import type { Value } from "./complete_words.ts";

type Dynamic = Exclude<CompletionSource, "files" | "folders" | "commands" | "none">;

const SESSIONS_SHOWN = 40;

/** What completes a property: what its command says, else what its name suggests. */
export function sourceOf(spec: FlagSpec, command: Command): CompletionSource {
  const said = command.complete?.[spec.key];
  if (said !== undefined) return said;
  const group = command.name.split(" ")[0];
  switch (spec.key) {
    case "session":
    case "resume":
      return "sessions";
    case "model":
      return "models";
    case "provider":
      return "providers";
    case "tool":
      return "tools";
    case "grant":
      return "grants";
    case "key":
      return group === "config" ? "settings" : "none";
    case "id":
      return group === "sessions" ? "sessions" : group === "grants" ? "grants" : "none";
    case "name":
      return group === "tools" ? "tools" : "none";
    case "cwd":
      return "folders";
    default:
      return spec.metavar === "FILE" ? "files" : spec.metavar === "DIR" ? "folders" : "none";
  }
}

/** Values that only pryx's own data can tell. What is not there yet is not made for this. */
export async function valuesFrom(source: Dynamic, ctx: CommandContext): Promise<readonly Value[]> {
  switch (source) {
    case "sessions":
      if (!await exists(ctx.paths.database)) return [];
      return (await ctx.store({ reading: true })).sessions({ limit: SESSIONS_SHOWN }).map((
        { id, title },
      ) => ({
        value: id,
        note: title,
      }));
    case "grants":
      if (!await exists(ctx.paths.database)) return [];
      return (await ctx.store({ reading: true })).grants({ now: new Date().toISOString() }).map((
        { id, needs },
      ) => ({
        value: id,
        note: needs.map(({ kind, pattern }) => `${kind}=${pattern}`).join(" "),
      }));
    case "tools":
      return (await ctx.tools()).map(({ name, description }) => ({
        value: name,
        note: description.split(/[.\n]/)[0] ?? "",
      }));
    case "settings":
      return settings((await ctx.configFile()).schema()).sort().map((value) => ({ value }));
    case "providers":
      return Object.values((await ctx.config()).providers).map(({ name, baseUrl }) => ({
        value: name,
        note: baseUrl,
      }));
    case "models":
      return await models(ctx);
  }
}

/** Dotted keys of a JSON schema's properties. */
function settings(schema: unknown, prefix = "", depth = 0): string[] {
  const properties = (schema as { properties?: Record<string, unknown> } | undefined)?.properties;
  if (!properties || depth > 3) return prefix === "" ? [] : [prefix];
  return Object.entries(properties).filter(([key]) => !key.startsWith("$"))
    .flatMap(([key, inner]) => settings(inner, prefix === "" ? key : `${prefix}.${key}`, depth + 1));
}

/** Models that the configuration names, and every provider's name with its slash: no network is asked. */
async function models(ctx: CommandContext): Promise<readonly Value[]> {
  const { model, providers } = await ctx.config();
  const named = Object.values(providers).flatMap(({ name, contextWindows, prices }) =>
    [...new Set([...Object.keys(contextWindows), ...Object.keys(prices)])].map((one) => `${name}/${one}`)
  );
  const values = new Set([...(model === undefined ? [] : [model]), ...named]);
  return [
    ...[...values].map((value) => ({ value, ...(value === model ? { note: "the configured one" } : {}) })),
    ...Object.keys(providers).map((name) => ({ value: `${name}/`, note: "provider" })),
  ];
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    return false;
  }
}
