import type { KeyPath } from "./_document.ts";
import type { SourceProblem } from "./_problems.ts";
import { namedSource, type Source } from "./_sources.ts";
import type { ConfigValues } from "./schema.ts";

/** Variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Variables that set one setting each. Documented in docs/configuration.md, which a test compares with this list. */
export const VARIABLES = [
  { name: "PRYX_MODEL", key: "model", type: "text" },
  { name: "PRYX_PROFILE", key: "profile", type: "text" },
  { name: "PRYX_PRESET", key: "preset", type: "text" },
  { name: "PRYX_ALLOW", key: "policy.allow", type: "list" },
  { name: "PRYX_DENY", key: "policy.deny", type: "list" },
  { name: "PRYX_ASK", key: "policy.ask", type: "list" },
  { name: "PRYX_MAX_TURNS", key: "limits.turns", type: "number" },
  { name: "PRYX_MAX_COST", key: "limits.cost", type: "number" },
  { name: "PRYX_TIMEOUT", key: "limits.timeout", type: "text" },
  { name: "PRYX_APPROVAL_TIMEOUT", key: "limits.approvalTimeout", type: "text" },
  { name: "PRYX_SANDBOX", key: "sandbox", type: "text" },
  { name: "PRYX_CONTEXT_WINDOW", key: "contextWindow", type: "number" },
  { name: "PRYX_SECRET_STORE", key: "secretStore", type: "text" },
] as const;

/** The settings that variables make. An empty variable is one that is not set. */
export function readEnvironment(env: Environment): { source: Source; problems: SourceProblem[] } {
  const values: Record<string, unknown> = {};
  const names = new Map<string, string>();
  const put = (key: string, name: string, value: unknown) => {
    const path = key.split(".");
    let here = values;
    for (const step of path.slice(0, -1)) here = (here[step] ??= {}) as Record<string, unknown>;
    here[path.at(-1) ?? ""] = value;
    names.set(key, name);
  };
  for (const { name, key, type } of VARIABLES) {
    const text = env[name]?.trim();
    if (!text) continue;
    put(key, name, type === "text" ? text : type === "list" ? listOf(text) : numberOr(text));
  }
  // The two variables that every OpenAI-compatible program reads.
  if (env.OPENAI_BASE_URL?.trim()) {
    put("providers.openai.baseUrl", "OPENAI_BASE_URL", env.OPENAI_BASE_URL.trim());
  }
  if (env.OPENAI_API_KEY?.trim()) put("providers.openai.key", "OPENAI_API_KEY", "env:OPENAI_API_KEY");
  return namedSource("environment", values as ConfigValues, (path) => nameOf(names, path));
}

function nameOf(names: ReadonlyMap<string, string>, path: KeyPath): string {
  const key = path.filter((step) => typeof step === "string").join(".");
  return names.get(key) ?? "the environment";
}

/** One rule a line, or several with semicolons between. */
function listOf(text: string): string[] {
  return text.split(/[\n;]/).map((one) => one.trim()).filter((one) => one !== "");
}

/** The number, or the text as it is: the check of the schema then says that it is none. */
function numberOr(text: string): number | string {
  const number = Number(text);
  return Number.isFinite(number) ? number : text;
}
