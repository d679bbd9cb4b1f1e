import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { messageOf } from "../domain/error.ts";
import type { Config } from "../config/config.ts";
import { VERSION } from "../domain/version.ts";
import { type Check, findings } from "./_doctor_check.ts";
import { count } from "./_session_text.ts";
import type { CommandContext } from "./command.ts";

/** How long a secret store may take, milliseconds: a keychain may be waiting for somebody to unlock it. */
const STORE_MS = 2_000;
const MB = 1024 * 1024;

/** Which build this is, and on what it runs. */
export function checkProgram(): Check[] {
  const { ok } = findings("program");
  const kind = Deno.build.standalone
    ? "compiled"
    : import.meta.filename?.endsWith(".ts")
    ? "from source"
    : "bundle";
  return [ok(`pryx ${VERSION}, ${kind}, on Deno ${Deno.version.deno}, ${Deno.build.os} ${Deno.build.arch}`)];
}

export async function checkConfig(ctx: CommandContext): Promise<Check[]> {
  const { ok, warn, thrown } = findings("config");
  try {
    const { files, notices = [], preset } = await ctx.config();
    const from = files.length === 0 ? "no files: everything as it comes" : files.join(", ");
    return [ok(`valid; preset ${preset}; ${from}`), ...notices.map((notice) => warn(notice))];
  } catch (error) {
    return [thrown(error)];
  }
}

/** The data folder and the database in it. Makes neither. */
export async function checkData(ctx: CommandContext): Promise<Check[]> {
  const { ok, warn, thrown } = findings("data");
  const { data, database } = ctx.paths;
  const folder = await Deno.stat(data).catch(() => undefined);
  const file = await Deno.stat(database).catch(() => undefined);
  if (!folder || !file) return [ok(`${data}: nothing is kept yet; the first run makes the database`)];
  const checks: Check[] = [];
  for (const [path, info] of [[data, folder], [database, file]] as const) {
    if (info.mode === null || Deno.build.os === "windows" || (info.mode & 0o077) === 0) continue;
    const mode = (info.mode & 0o777).toString(8).padStart(4, "0");
    checks.push(warn(`${path} is open to others (${mode})`, `chmod go-rwx ${JSON.stringify(path)}`));
  }
  try {
    (await ctx.store({ reading: true })).sessions({ limit: 1 });
    checks.unshift(ok(`${database} opens, ${megabytes(file.size)}`));
  } catch (error) {
    checks.unshift(thrown(error));
  }
  return checks;
}

export async function checkSecrets(ctx: CommandContext): Promise<Check[]> {
  const { ok, warn, thrown } = findings("secrets");
  try {
    const [secrets, config] = await Promise.all([ctx.secrets(), ctx.config()]);
    const store = secrets.store(config.secretStore);
    // Any name does: what is not there is answered by a store that works.
    await soon(store.get("doctor"));
    const kept = count((await store.list()).length, "secret");
    const detail = `${config.secretStore} answers; ${kept} in it`;
    return [store.warning === undefined ? ok(detail) : warn(`${detail}. ${store.warning}`)];
  } catch (error) {
    return [thrown(error, "warn")];
  }
}

/** Whether a run would find its model and key. Asks no server. */
export async function checkModel(ctx: CommandContext): Promise<Check[]> {
  const { ok, warn, fail, thrown } = findings("model");
  let config: Config;
  try {
    config = await ctx.config();
  } catch {
    return [warn("not known: the configuration is not valid")];
  }
  const { model, providers } = config;
  if (model === undefined) {
    return [
      warn("none is set; a run looks for a server on this machine", "pryx config set model PROVIDER/MODEL"),
    ];
  }
  const name = model.slice(0, model.indexOf("/"));
  const provider = providers[name];
  if (!provider) return [fail(`${model}: there is no provider "${name}"`, "see them with: pryx models")];
  const { key, baseUrl } = provider;
  if (key === undefined) return [ok(`${model} at ${baseUrl}, without a key`)];
  const colon = key.indexOf(":");
  try {
    const value = await soon((await ctx.secrets()).store(key.slice(0, colon)).get(key.slice(colon + 1)));
    if (value !== undefined) return [ok(`${model} at ${baseUrl}; its key is in ${key}`)];
    return [fail(`${model}: its key is not there (${key})`, `pryx secrets set ${name} --provider ${name}`)];
  } catch (error) {
    return [thrown(error)];
  }
}

export async function checkDisk(ctx: CommandContext): Promise<Check[]> {
  const { ok, warn, fail } = findings("disk");
  for (let at = ctx.paths.data;; at = dirname(at)) {
    try {
      const { bavail, bsize } = await statfs(at);
      const free = bavail * bsize;
      const detail = `${megabytes(free)} free at ${at}`;
      if (free < 50 * MB) return [fail(detail, "make room: what the agent does cannot be kept")];
      return [free < 500 * MB ? warn(detail, "make room soon") : ok(detail)];
    } catch (error) {
      if (dirname(at) !== at) continue;
      return [warn(`not known: ${messageOf(error)}`)];
    }
  }
}

function megabytes(bytes: number): string {
  return bytes >= 1024 * MB ? `${(bytes / 1024 / MB).toFixed(1)} GB` : `${(bytes / MB).toFixed(1)} MB`;
}

/** Rejects when it takes too long. */
async function soon<T>(work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it did not answer within ${STORE_MS / 1000} s`)), STORE_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
