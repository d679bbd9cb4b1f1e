import { join } from "node:path";
import { decode, type SourceMapSegment } from "@jridgewell/sourcemap-codec";
import type { LinkedGraph, LinkedModule } from "../domain/automation.ts";
import { stripTypes } from "./_analyse.ts";
import { moduleKind } from "./_module.ts";
import { decodeSource, MAX_MODULE_BYTES, readSource } from "./_read_source.ts";

/** Segments of each line of a module's code, by their column in it. */
type Lines = readonly (readonly SourceMapSegment[])[];

/**
 * Frames of a trace with the columns of the text as it was written: what strips the types keeps lines, and moves what
 * stands in them. Only once something failed is the text read again; where it is not what ran, frames stay as they are.
 */
export async function sourceFrames(frames: readonly string[], graph: LinkedGraph): Promise<string[]> {
  const known = new Map<string, Promise<Lines | undefined>>();
  return await Promise.all(frames.map(async (frame) => {
    const { before, line, column, after } = FRAME.exec(frame)?.groups ?? {};
    const module = before === undefined ? undefined : moduleAt(before, graph);
    if (!module) return frame;
    const lines = known.get(module.id) ?? linesOf(module, graph.root);
    known.set(module.id, lines);
    const at = columnIn((await lines)?.[Number(line) - 1], Number(column) - 1);
    return at === undefined ? frame : `${before}:${line}:${at + 1}${after}`;
  }));
}

const FRAME = /^(?<before>\s+at .*?):(?<line>\d+):(?<column>\d+)(?<after>\)?)$/u;

/** `    at f (lib/a.ts` names the module `lib/a.ts`. */
function moduleAt(before: string, { modules }: LinkedGraph): LinkedModule | undefined {
  return modules.find(({ id }) => before.endsWith(` ${id}`) || before.endsWith(`(${id}`));
}

async function linesOf({ id, code, json }: LinkedModule, root: string): Promise<Lines | undefined> {
  const kind = moduleKind(id);
  if (json || kind === "json") return undefined;
  try {
    const text = decodeSource(await readSource(join(root, id), MAX_MODULE_BYTES));
    if (text === undefined) return undefined;
    const stripped = stripTypes(text, kind, id);
    return stripped.code === code ? decode(stripped.mappings) : undefined;
  } catch {
    // It was piped in, or is not there any more.
    return undefined;
  }
}

/** Where the piece of code begins that stands at a column, both from 0. */
function columnIn(line: Lines[number] = [], column: number): number | undefined {
  return line.findLast(([at]) => at <= column)?.[3];
}
