import assert from "node:assert/strict";
import vm from "node:vm";
import { sourceFrames } from "../../core/automation/_source_frames.ts";
import type { LinkedGraph } from "../../core/domain/automation.ts";
import { project } from "./_project.ts";

const JOB = `import { fail } from "./lib/f ü.ts";
const x: number = 1; [x].map((one: number) => fail<number>(one));
`;
const LIB = `#!/usr/bin/env -S pryx run
interface Unused { a: string }
export function fail<T>(value: T): never { throw new Error("no " + (value as string)); }
`;

/** Frames of what the modules of a graph throw, as a cell would tell them. */
function thrownBy(graph: LinkedGraph): string[] {
  const loaded = new Map<string, Record<string, unknown>>();
  for (const { id, code, links } of graph.modules) {
    const exports: Record<string, unknown> = {};
    loaded.set(id, exports);
    const body = vm.compileFunction(code, ["exports", "require", "module"], { filename: id });
    try {
      body(exports, (name: string) => loaded.get(links[name] ?? ""), { exports });
    } catch (error) {
      const lines = (error as Error).stack?.split("\n") ?? [];
      return lines.filter((line) => graph.modules.some(({ id }) => line.includes(`${id}:`)));
    }
  }
  throw new Error("nothing was thrown");
}

Deno.test("sourceFrames() names the columns of the text as it was written, and touches nothing else", async () => {
  await using at = await project({ "job.pryx.ts": JOB, "lib/f ü.ts": LIB });
  const graph = await at.graph();
  const raw = thrownBy(graph);
  const frames = await sourceFrames([...raw, "    at elsewhere (other.ts:1:2)", "no frame:1:2"], graph);
  const places = frames.map((frame) =>
    /((?:lib\/f ü|job\.pryx|other)\.?t?s?:\d+:\d+|no frame.*)/.exec(frame)?.[1]
  );
  const column = (text: string, piece: string) => text.indexOf(piece) + 1;
  const [line = ""] = LIB.split("\n").slice(2);
  const call = JOB.split("\n")[1] ?? "";
  assert.deepEqual(places, [
    `lib/f ü.ts:3:${column(line, "new Error")}`,
    `job.pryx.ts:2:${column(call, "fail")}`,
    `job.pryx.ts:2:${column(call, "map")}`,
    "other.ts:1:2",
    "no frame:1:2",
  ]);
  assert.notDeepEqual(frames.slice(0, raw.length), raw);
});

Deno.test("sourceFrames() leaves frames of a text as they are that is not what ran", async () => {
  await using at = await project({ "job.pryx.ts": JOB, "lib/f ü.ts": LIB });
  const graph = await at.graph();
  const raw = thrownBy(graph);
  await at.write("job.pryx.ts", `/* before */ ${JOB}`);
  await at.write("lib/f ü.ts", "export function fail( {");
  assert.deepEqual(await sourceFrames(raw, graph), raw);
  await Deno.remove(at.path("job.pryx.ts"));
  assert.deepEqual(await sourceFrames(raw, graph), raw);
  const piped = await at.graph({ text: 'const a: number = 1; throw new Error("x" + a);', folder: at.root });
  assert.deepEqual(await sourceFrames(["    at <stdin>:1:40"], piped), ["    at <stdin>:1:40"]);
});
