/**
 * `deno task bench`: measures what the budgets for speed are about and writes docs/performance.md. With `--check` it
 * writes nothing and exits 1 over budget. A measurement over its budget is repeated twice and the best one counts: a
 * busy machine makes things slower, never faster.
 *
 *   deno task bench [--check] [--only PART]
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "../build.ts";
import { append } from "./append.ts";
import {
  againstZx,
  automationCached,
  automationCold,
  call,
  largeGraph,
  stateWrites,
  ZX_SCRIPT,
} from "./automation.ts";
import { bubblewrap, fileCall, landlock, warmCommand } from "./confined.ts";
import { evaluate } from "./evaluate.ts";
import { type Bench, type Measurement, round, type Skipped, within } from "./_measure.ts";
import { check, firstRequest, version } from "./start_up.ts";
import { streaming } from "./streaming.ts";
import { memory, toolTurns } from "./tool_turns.ts";

/** Undefined: there is nothing of the kind here. */
type Measure = (bench: Bench) => Outcome | undefined | Promise<Outcome | undefined>;
type Outcome = Measurement | Skipped;

const BENCHES: Readonly<Record<string, Measure>> = {
  version,
  "first-request": firstRequest,
  check,
  "automation-cold": automationCold,
  "automation-cached": automationCached,
  call,
  "state-writes": stateWrites,
  "large-graph": largeGraph,
  zx: againstZx,
  "tool-turns": toolTurns,
  streaming,
  append,
  evaluate,
  "file-call": fileCall,
  landlock,
  bubblewrap,
  "warm-command": warmCommand,
  memory,
};

const ATTEMPTS = 3;
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const say = (text: string) => Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));

async function measure(bench: Bench, take: Measure): Promise<Outcome | undefined> {
  let best: Measurement | undefined;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const one = await take(bench);
    if (!one || "skipped" in one) return one;
    const better = !best || ("most" in one.limit ? one.value < best.value : one.value > best.value);
    if (better) best = one;
    if (within(one)) return one;
  }
  return best;
}

/** Builds pryx, and beside it a program that does nothing and starts the same way. */
async function prepare(folder: string): Promise<{ pryx: string; empty: string }> {
  await build({ root, out: join(folder, "pryx"), kind: "launcher" }, say);
  const source = join(folder, "empty.js");
  await Deno.writeTextFile(source, "");
  await Deno.mkdir(join(folder, "empty/bundle"), { recursive: true });
  const args = ["bundle", "--quiet", "--platform", "deno", "--output"];
  const bundled = await new Deno.Command(Deno.execPath(), {
    args: [...args, join(folder, "empty/bundle/main.js"), source],
    cwd: folder,
  }).output();
  if (!bundled.success) throw new Error(new TextDecoder().decode(bundled.stderr));
  await Deno.copyFile(join(folder, "pryx/bundle/deno.json"), join(folder, "empty/bundle/deno.json"));
  await Deno.copyFile(join(folder, "pryx/pryx"), join(folder, "empty/pryx"));
  return { pryx: join(folder, "pryx/pryx"), empty: join(folder, "empty/pryx") };
}

function limitOf({ limit, unit }: Measurement): string {
  return "most" in limit ? `≤ ${round(limit.most)} ${unit}` : `≥ ${round(limit.least)} ${unit}`;
}

function row(one: Outcome): string {
  if ("skipped" in one) return `| ${one.name} | – | | not measured: ${one.skipped} |`;
  const mark = within(one) ? "" : " **over budget**";
  return `| ${one.name} | ${round(one.value)} ${one.unit} | ${limitOf(one)} | ${one.detail}${mark} |`;
}

function page(results: readonly Outcome[]): string {
  const { os, arch } = Deno.build;
  const machine = `${os} ${arch}, ${navigator.hardwareConcurrency} cores, Deno ${Deno.version.deno}`;
  return [
    "<!-- Written by `deno task bench`. -->",
    "# Performance",
    "",
    `Measured on ${machine}, on the bundled build, on ${
      new Date().toISOString().slice(0, 10)
    }. Medians; what is compared`,
    "ran in turns in the same minutes. `deno task bench --check` measures again and fails over budget.",
    "",
    "| | measured | budget | |",
    "|---|---:|---:|---|",
    ...results.map(row),
    "",
    "What zx and pryx run, as whole processes in turns:",
    "",
    "```js",
    ZX_SCRIPT.trimEnd(),
    "```",
    "",
  ].join("\n");
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: Deno.args,
    options: { check: { type: "boolean" }, only: { type: "string", multiple: true } },
  });
  const unknown = values.only?.find((name) => !Object.hasOwn(BENCHES, name));
  if (unknown !== undefined) {
    say(`bench: there is no "${unknown}": it is one of ${Object.keys(BENCHES).join(", ")}`);
    Deno.exit(2);
  }
  const folder = await Deno.makeTempDir({ prefix: "pryx-bench-" });
  const results: Outcome[] = [];
  try {
    let count = 0;
    const programs = await prepare(folder);
    const bench: Bench = {
      ...programs,
      async folder() {
        const path = join(folder, `run-${++count}`);
        await Deno.mkdir(path);
        return path;
      },
    };
    for (const [name, take] of Object.entries(BENCHES)) {
      if (values.only && !values.only.includes(name)) continue;
      const one = await measure(bench, take);
      if (!one) continue;
      results.push(one);
      if ("skipped" in one) {
        say(`--   ${one.name}: not measured: ${one.skipped}`);
        continue;
      }
      const mark = within(one) ? "ok  " : "OVER";
      say(`${mark} ${one.name}: ${round(one.value)} ${one.unit} (${limitOf(one)}; ${one.detail})`);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  if (!values.check && !values.only) {
    await Deno.writeTextFile(join(root, "docs/performance.md"), page(results));
    say("bench: wrote docs/performance.md");
  }
  const over = results.filter((one) => !("skipped" in one) && !within(one));
  if (values.check && over.length > 0) {
    say(`bench: ${over.length} of ${results.length} over budget`);
    Deno.exit(1);
  }
}
