import { join } from "node:path";
import type { Cassette, Recording } from "../domain/cassette.ts";
import { messageOf, PryxError } from "../domain/error.ts";
import type { NeedKind } from "../domain/need.ts";
import type { PolicyView } from "../policy/policy.ts";
import { describeDrift } from "./capabilities.ts";
import { findRoot } from "./_locate.ts";
import type { Automations, AutomationSource } from "./automation.ts";
import { createLinker } from "./link.ts";
import type { RealFile } from "./overlay.ts";
import type { RunParts } from "./run_automation.ts";

export interface AutomationsOptions extends RunParts {
  readonly redact: (text: string) => string;
  /** Absolute path of the person's home. */
  readonly home: string;
  readCassette(file: string): Promise<Cassette>;
  /** A cassette to write. */
  record(file: string): Promise<Recording>;
  /** pryx's own, for what was linked before. */
  readonly cacheFolder: string;
  /** What is wrong with a pattern of a manifest; undefined when nothing is. */
  patternProblem(kind: NeedKind, pattern: string): string | undefined;
}

/** Automations of one folder, under its policy. Loads each part when it is first asked for. */
export function createAutomations(options: AutomationsOptions): Automations {
  const { policy, cacheFolder, patternProblem } = options;
  const link = (source: AutomationSource) => {
    const linker = createLinker({
      cacheFolder,
      patternProblem,
      may: async (path) => await mayImport(path, source, await policy()),
    });
    return linker(source);
  };
  return {
    rootOf: async (source) => await findRoot(await folderOf(source)),
    link,
    async find(folder, suffix) {
      const { findAutomations } = await import("./find.ts");
      return await findAutomations(folder, await options.sandbox(), suffix);
    },
    async check(files, { signal } = {}) {
      const { checkFiles } = await import("./check_files.ts");
      const view = await policy();
      return await checkFiles(files, {
        link,
        mayRead: async (path) => {
          const { verdict } = await view.explain([{ kind: "read", target: path }], "human");
          return verdict === "allow" || (verdict === "ask" && files.includes(path));
        },
        ...(signal === undefined ? {} : { signal }),
      });
    },
    declarations: async () => (await import("./_declarations.ts")).DECLARATIONS["pryx.d.ts"],
    typeFiles: async () => (await import("./_declarations.ts")).DECLARATIONS,
    readLock: async (file) => await (await import("./lock.ts")).readLock(file),
    writeLock: async (lock) => await (await import("./lock.ts")).writeLock(lock),
    describeDrift,
    run: async (run) => await (await import("./run_automation.ts")).runAutomation(run, options),
    async recorded(cassette) {
      const { holdsTape, readTape } = await import("./tape.ts");
      const read = await options.readCassette(cassette);
      if (!holdsTape(read)) return undefined;
      const { file, graph, args } = readTape(read, cassette).start;
      return { file, graph, args };
    },
    async replay(replay) {
      const { replayRun } = await import("./replay_run.ts");
      const real = async (path: string) => await readReal(join(replay.graph.root, path), await policy());
      return await replayRun(replay, { ...options, real });
    },
    rehearse: async (rehearsal) => await (await import("./rehearse.ts")).rehearse(rehearsal, options),
    evaluator: async (request) => await (await import("./evaluator.ts")).openEvaluator(request, options),
  } satisfies Automations;
}

async function folderOf(source: AutomationSource): Promise<string> {
  if ("folder" in source) return source.folder;
  try {
    const file = await Deno.realPath(source.file);
    return file.replace(/[/\\][^/\\]*$/u, "") || "/";
  } catch (cause) {
    throw new PryxError("not_found", `There is no file ${source.file}`, { fix: "check the path", cause });
  }
}

/**
 * A person named the file; what it imports, somebody else did: that must be allowed without asking, as nobody can be asked
 * in the middle of a file.
 */
async function mayImport(path: string, source: AutomationSource, policy: PolicyView): Promise<void> {
  const { verdict, judgements } = await policy.explain([{ kind: "read", target: path }], "human");
  const named = "file" in source && await Deno.realPath(source.file).catch(() => "") === path;
  if (verdict === "allow" || (named && verdict === "ask")) return;
  const why = judgements.map(({ reason }) => reason).join("; ");
  throw new PryxError("denied", `An automation may not import ${path}: ${why}`, {
    fix: `allow it with: --allow read=${path}`,
  });
}

/** Bytes of a file that is compared with what a replay would have written. */
const MAX_COMPARED = 4 * 1024 * 1024;

/** A file as it stands, where policy lets it be read without asking. */
async function readReal(path: string, policy: PolicyView): Promise<RealFile> {
  try {
    const real = await Deno.realPath(path);
    const { verdict } = await policy.explain([{ kind: "read", target: real }], "human");
    if (verdict !== "allow") return { unknown: "not compared with what is there: it may not be read" };
    const info = await Deno.stat(real);
    if (!info.isFile) return { unknown: "not compared with what is there: it is no file" };
    if (info.size > MAX_COMPARED) return { unknown: "not compared with what is there: it is too large" };
    return { bytes: await Deno.readFile(real) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return { bytes: null };
    }
    return { unknown: `not compared with what is there: ${messageOf(error)}` };
  }
}
