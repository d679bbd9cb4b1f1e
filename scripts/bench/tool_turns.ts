import type { Bench, Measurement } from "./_measure.ts";
import { median, round } from "./_measure.ts";
import { environment, type Finished, run, startModel } from "./_process.ts";

const TURNS = 20;

/** Different commands, because the same one over and over asks. */
const SCRIPT = {
  answers: [
    ...Array.from(
      { length: TURNS },
      (_, i) => ({ calls: [{ name: "shell", args: { command: `echo ${i}` } }] }),
    ),
    { text: "done" },
  ],
  options: { repeat: true },
};
const ARGS = ["run", "--json", "--preset", "dangerously-full", "--max-turns", "50", "go"];

interface Line {
  readonly type: string;
  readonly data: { readonly ms?: number; readonly confineMs?: number; readonly status?: string };
}

/**
 * What pryx itself takes for a turn with one tool call: all of its time but the tool's and the kernel sandbox's, which has
 * budgets of its own. The model answers at once.
 */
export async function toolTurns(bench: Bench): Promise<Measurement> {
  const folder = await bench.folder();
  await using model = await startModel(folder, SCRIPT);
  const options = { cwd: folder, env: environment(folder, model.url) };
  const own: number[] = [];
  const tools: number[] = [];
  const confined: number[] = [];
  for (let round = 0; round < 6; round++) {
    const before = model.seen.length;
    const finished = await run(bench.pryx, ARGS, options);
    const [first, last] = [model.seen[before], model.seen[before + TURNS]];
    if (first === undefined || last === undefined) throw new Error(`Not ${TURNS + 1} requests`);
    const { tool, confine } = timesOf(finished);
    if (round === 0) continue;
    own.push((last - first - tool - confine) / TURNS);
    tools.push(tool / TURNS);
    confined.push(confine / TURNS);
  }
  return {
    name: `Own time per tool turn, over ${TURNS} \`echo\` turns`,
    value: median(own),
    unit: "ms",
    limit: { most: 5 },
    detail: `from request to request, the loopback model included; the tool's own ${
      round(median(tools))
    } ms and the ${round(median(confined))} ms for its confinement apart`,
  };
}

/** Milliseconds that the tools themselves ran, and that it took to find out what they may touch. */
function timesOf(finished: Finished): { tool: number; confine: number } {
  const lines = finished.stdout.trimEnd().split("\n").map((line) => JSON.parse(line) as Line);
  const calls = lines.filter((line) => line.type === "tool.finished");
  if (calls.length !== TURNS || calls.some((call) => call.data.status !== "done")) {
    throw new Error(`Not ${TURNS} tool calls that were done:\n${finished.stdout.slice(-2000)}`);
  }
  const sum = (of: "ms" | "confineMs") => calls.reduce((total, { data }) => total + (data[of] ?? 0), 0);
  return { tool: sum("ms"), confine: sum("confineMs") };
}

/** Most memory that a run with tool turns holds. */
export async function memory(bench: Bench): Promise<Measurement | undefined> {
  if (Deno.build.os !== "linux") return undefined;
  const folder = await bench.folder();
  await using model = await startModel(folder, SCRIPT);
  const options = { cwd: folder, env: environment(folder, model.url), watchMemory: true };
  const peaks: number[] = [];
  for (let round = 0; round < 3; round++) {
    peaks.push((await run(bench.pryx, ARGS, options)).peakMb ?? Infinity);
  }
  return {
    name: "Resident memory of a run",
    value: median(peaks),
    unit: "MB",
    limit: { most: 90 },
    detail: `high-water mark over ${TURNS} tool turns`,
  };
}
