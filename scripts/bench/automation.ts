import { dirname, join } from "node:path";
import type { Bench, Measurement, Skipped } from "./_measure.ts";
import { interleave, median, round } from "./_measure.ts";
import { environment, run } from "./_process.ts";

const ROUNDS = 25;
const CALLS = 2_000;
const WRITES = 10_000;
const MODULES = 200;
const LINKS = 5;
const COMMANDS = 100;
const SHELL_ROUNDS = 7;
/** What pryx is compared with for commands; of the benchmark alone. */
const ZX = "8.8.5";

/** An automation that does nothing, with nothing remembered of it. */
export async function automationCold(bench: Bench): Promise<Measurement> {
  return await emptyAutomation(bench, {
    name: "An empty automation, end to end, linked anew, against an empty program",
    most: 4,
    prepare: (env) =>
      Deno.remove(join(env.PRYX_HOME ?? "", "cache/links"), { recursive: true }).catch(() => {}),
  });
}

/** The same, remembered. */
export async function automationCached(bench: Bench): Promise<Measurement> {
  return await emptyAutomation(bench, {
    name: "An empty automation, end to end, linked before, against an empty program",
    most: 3,
    prepare: () => Promise.resolve(),
  });
}

async function emptyAutomation(
  bench: Bench,
  { name, most, prepare }: {
    name: string;
    most: number;
    prepare(env: Record<string, string>): Promise<void>;
  },
): Promise<Measurement> {
  const { folder, file, options } = await project(bench, "");
  const { a, b } = await interleave(
    ROUNDS,
    async () => (await run(bench.empty, [], { ...options, cwd: folder })).ms,
    async () => {
      await prepare(options.env);
      return (await run(bench.pryx, ["run", file], options)).ms;
    },
  );
  return { name, value: b / a, unit: "×", limit: { most }, detail: `${round(b)} ms against ${round(a)} ms` };
}

/** The cheapest call there is, from the automation to the host and back. */
export async function call(bench: Bench): Promise<Measurement> {
  const { file, options } = await project(
    bench,
    `import { state } from "pryx";
    const times: number[] = [];
    for (let at = 0; at < ${CALLS}; at++) {
      const started = performance.now();
      await state.get("nothing");
      times.push(performance.now() - started);
    }
    times.sort((a, b) => a - b);
    console.log(JSON.stringify([times[${CALLS / 2}], times[${CALLS * 0.95}]]));`,
  );
  const [value = 0, late = 0] = JSON.parse(
    (await run(bench.pryx, ["run", file], options)).stdout,
  ) as number[];
  return {
    name: "A call of an automation, median",
    value,
    unit: "ms",
    limit: { most: 0.3 },
    detail: `\`state.get\`, awaited, ${CALLS} times; 95 of 100 within ${late.toFixed(2)} ms`,
  };
}

/** Values that last, each acknowledged before the next. */
export async function stateWrites(bench: Bench): Promise<Measurement> {
  const { file, options } = await project(
    bench,
    `import { state } from "pryx";
    const started = performance.now();
    for (let at = 0; at < ${WRITES}; at++) await state.set("count", at);
    console.log(performance.now() - started);`,
  );
  return {
    name: `${WRITES.toLocaleString("en-US")} writes of \`state\``,
    value: Number((await run(bench.pryx, ["run", file], options)).stdout),
    unit: "ms",
    limit: { most: 1_000 },
    detail: "one after the other, each a transaction of its own",
  };
}

/** A graph of many files that was never linked, run to its end. */
export async function largeGraph(bench: Bench): Promise<Measurement> {
  const times: number[] = [];
  for (let attempt = 0; attempt < LINKS; attempt++) {
    const imports = Array.from({ length: MODULES - 1 }, (_, at) => `import { v${at} } from "./m${at}.ts";`);
    const { folder, file, options } = await project(bench, `${imports.join("\n")}\nconsole.log(v0);\n`);
    for (let at = 0; at < MODULES - 1; at++) {
      const next = at % 10 < 9 && at < MODULES - 2
        ? `import { v${at + 1} } from "./m${at + 1}.ts";`
        : "const v = 0;";
      await Deno.writeTextFile(join(folder, `m${at}.ts`), moduleText(at, next));
    }
    times.push((await run(bench.pryx, ["run", file], options)).ms);
  }
  return {
    name: `An automation of ${MODULES} files, linked anew`,
    value: median(times),
    unit: "ms",
    limit: { most: 1_000 },
    detail: `the whole process, ${round(moduleText(0, "").length * MODULES / 1024)} KB; at best ${
      round(Math.min(...times))
    } ms`,
  };
}

/** About sixty lines of ordinary TypeScript. */
function moduleText(at: number, first: string): string {
  const functions = Array.from(
    { length: 12 },
    (_, index) =>
      `export function f${at}_${index}(list: readonly Item${at}[], least: number): string[] {
  const found: string[] = [];
  for (const { name, size } of list) if (size >= least) found.push(\`\${name}: \${size as number}\`);
  return found;
}`,
  );
  return `${first}\ninterface Item${at} { readonly name: string; readonly size: number }\n${
    functions.join("\n")
  }\nexport const v${at} = ${at};\n`;
}

/** The script that zx and pryx run, but for its first lines. */
const commandsOf = (shell: string) =>
  `const seen = [];
for (let at = 0; at < ${COMMANDS}; at++) seen.push((await ${shell}\`echo \${at}\`).stdout.trim());
if (seen.join() !== [...Array(${COMMANDS}).keys()].join()) throw new Error(seen.join());
`;

/** For the page: what was run. */
export const ZX_SCRIPT =
  `import { $ } from "zx"; // zx ${ZX}; for pryx: sh from "pryx", and what it declares\n${commandsOf("$")}`;

/** The same script for pryx and for zx: shell commands, one after the other. */
export async function againstZx(bench: Bench): Promise<Measurement | Skipped> {
  const name = `${COMMANDS} shell commands, against zx`;
  const script = (shell: string, from: string, manifest: string) =>
    `import { ${shell} } from "${from}";\n${manifest}\n${commandsOf(shell)}`;
  const permissions = 'export const permissions = { read: ["."], run: ["echo"] };';
  const { folder, file, options } = await project(bench, script("sh", "pryx", permissions));
  await Deno.writeTextFile(join(folder, "job.mjs"), script("$", "zx", ""));
  const zx = await installZx(folder);
  if (typeof zx === "string") return { name, skipped: zx };
  const [program, ...args] = zx;
  const { a, b } = await interleave(
    SHELL_ROUNDS,
    async () => (await run(program, [...args, "job.mjs"], { ...options, cwd: folder })).ms,
    async () => (await run(bench.pryx, ["run", "--allow", "run=echo", file], options)).ms,
  );
  return {
    name,
    value: b / a,
    unit: "×",
    limit: { most: 1 },
    detail:
      `\`echo\` with a number, its output read, whole processes: ${
        round(b)
      } ms, decided, recorded and confined, ` +
      `against ${round(a)} ms of zx ${ZX} under ${program.replace(/^.*\//, "")}`,
  };
}

/** The command line that runs a script with zx; or why there is none. */
async function installZx(folder: string): Promise<readonly [string, ...string[]] | string> {
  await Deno.writeTextFile(join(folder, "package.json"), '{"private":true}');
  try {
    const args = ["install", "--no-audit", "--no-fund", "--ignore-scripts", `zx@${ZX}`];
    const { success } = await new Deno.Command("npm", { args, cwd: folder, stdout: "null", stderr: "null" })
      .output();
    if (!success) return `npm cannot install zx ${ZX} here`;
  } catch {
    return "there is no npm here, which zx is installed with";
  }
  const cli = join(folder, "node_modules/zx/build/cli.js");
  const node = await nodeHere();
  return node === undefined ? [Deno.execPath(), "run", "-A", "--no-lock", "--quiet", cli] : [node, cli];
}

async function nodeHere(): Promise<string | undefined> {
  try {
    const { stdout } = await new Deno.Command("node", { args: ["-p", "process.execPath"] }).output();
    return new TextDecoder().decode(stdout).trim();
  } catch {
    return undefined;
  }
}

/** A folder with one automation, and a home beside it: what pryx keeps is no part of the project. */
async function project(bench: Bench, text: string) {
  const folder = await bench.folder();
  const home = await bench.folder();
  const file = join(folder, "job.pryx.ts");
  await Deno.writeTextFile(file, text);
  const env = environment(home);
  return { folder, file, options: { cwd: dirname(file), env } };
}
