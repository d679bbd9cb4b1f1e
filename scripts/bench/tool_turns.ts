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
  readonly data: { readonly ms?: number; readonly status?: string };
}

/** What pryx itself takes for a turn with one tool call: all of its time but the tool's. The model answers at once. */
export async function toolTurns(bench: Bench): Promise<Measurement> {
  const folder = await bench.folder();
  await using model = await startModel(folder, SCRIPT);
  const options = { cwd: folder, env: environment(folder, model.url) };
  const own: number[] = [];
  const tools: number[] = [];
  for (let round = 0; round < 6; round++) {
    const before = model.seen.length;
    const finished = await run(bench.pryx, ARGS, options);
    const [first, last] = [model.seen[before], model.seen[before + TURNS]];
    if (first === undefined || last === undefined) throw new Error(`Not ${TURNS + 1} requests`);
    const tool = toolTime(finished);
    if (round === 0) continue;
    own.push((last - first - tool) / TURNS);
    tools.push(tool / TURNS);
  }
  return {
    name: `Own time per tool turn, over ${TURNS} \`echo\` turns`,
    value: median(own),
    unit: "ms",
    limit: { most: 5 },
    detail: `from request to request, the loopback model included; the tool's own ${
      round(median(tools))
    } ms apart`,
  };
}

/** Milliseconds that the tools themselves ran. */
function toolTime(finished: Finished): number {
  const lines = finished.stdout.trimEnd().split("\n").map((line) => JSON.parse(line) as Line);
  const calls = lines.filter((line) => line.type === "tool.finished");
  if (calls.length !== TURNS || calls.some((call) => call.data.status !== "done")) {
    throw new Error(`Not ${TURNS} tool calls that were done:\n${finished.stdout.slice(-2000)}`);
  }
  return calls.reduce((sum, call) => sum + (call.data.ms ?? 0), 0);
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
