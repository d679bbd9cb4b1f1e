import type { Bench, Measurement } from "./_measure.ts";
import { median, round } from "./_measure.ts";
import { environment, run, startModel } from "./_process.ts";

const TOKENS = 300_000;

/** Tokens a second through `pryx run`, from the request to the end of the process: read, shown, stored. */
export async function streaming(bench: Bench): Promise<Measurement> {
  const folder = await bench.folder();
  const usage = { input: 10, output: TOKENS };
  await using model = await startModel(folder, {
    answers: [{ flood: TOKENS, usage }],
    options: { repeat: true },
  });
  const options = { cwd: folder, env: environment(folder, model.url) };
  const times: number[] = [];
  for (let index = 0; index < 4; index++) {
    const before = model.seen.length;
    const finished = await run(bench.pryx, ["run", "talk"], options);
    const seen = model.seen[before];
    if (seen === undefined) throw new Error("pryx run made no request");
    const pieces = finished.stdout.split("token").length - 1;
    if (pieces !== TOKENS) throw new Error(`${pieces} of ${TOKENS} tokens came out`);
    if (index > 0) times.push(finished.ended - seen);
  }
  const ms = median(times);
  return {
    name: "Streaming, end to end",
    value: TOKENS * 1000 / ms,
    unit: "tokens/s",
    limit: { least: 100_000 },
    detail: `${TOKENS.toLocaleString("en-US")} one-token pieces in ${round(ms)} ms`,
  };
}
