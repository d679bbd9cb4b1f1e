import { join } from "node:path";
import type { Bench, Measurement } from "./_measure.ts";
import { interleave, median, round } from "./_measure.ts";
import { environment, run, startModel } from "./_process.ts";

const ROUNDS = 25;
const CHECKS = 5;

/** `pryx --version` against a program that does nothing. */
export async function version(bench: Bench): Promise<Measurement> {
  const folder = await bench.folder();
  const options = { cwd: folder, env: environment(folder) };
  const { a, b } = await interleave(
    ROUNDS,
    async () => (await run(bench.empty, [], options)).ms,
    async () => (await run(bench.pryx, ["--version"], options)).ms,
  );
  return {
    name: "`pryx --version`, against an empty program",
    value: b / a,
    unit: "×",
    limit: { most: 1.5 },
    detail: `${round(b)} ms against ${round(a)} ms`,
  };
}

/** From the start of `pryx run` to the moment that the provider sees its first request. */
export async function firstRequest(bench: Bench): Promise<Measurement> {
  const folder = await bench.folder();
  await using model = await startModel(folder, { answers: [{ text: "ok" }], options: { repeat: true } });
  const options = { cwd: folder, env: environment(folder, model.url) };
  const { a, b } = await interleave(
    ROUNDS,
    async () => (await run(bench.empty, [], options)).ms,
    async () => {
      const before = model.seen.length;
      const { started } = await run(bench.pryx, ["run", "hello"], options);
      const seen = model.seen[before];
      if (seen === undefined) throw new Error("pryx run made no request");
      return seen - started;
    },
  );
  return {
    name: "`pryx run` to the provider's first request, against an empty program",
    value: b / a,
    unit: "×",
    limit: { most: 4 },
    detail: `${round(b)} ms against ${round(a)} ms`,
  };
}

/** `pryx check` of a small file, with nothing in any cache: each time in a home of its own. */
export async function check(bench: Bench): Promise<Measurement> {
  const times: number[] = [];
  for (let round = 0; round < CHECKS; round++) {
    const folder = await bench.folder();
    const text = 'import { sh } from "pryx";\nconsole.log((await sh`ls`.lines()).length);\n';
    await Deno.writeTextFile(join(folder, "job.pryx.ts"), text);
    times.push((await run(bench.pryx, ["check"], { cwd: folder, env: environment(folder) })).ms);
  }
  return {
    name: "`pryx check` of a small automation, cold",
    value: median(times),
    unit: "ms",
    limit: { most: 2_500 },
    detail: `the whole process, nothing cached; at best ${round(Math.min(...times))} ms`,
  };
}
