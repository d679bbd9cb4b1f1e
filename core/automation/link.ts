import { dirname, resolve } from "node:path";
import {
  type AutomationProblem,
  type LinkedGraph,
  type LinkedModule,
  TEST_SUFFIX,
} from "../domain/automation.ts";
import { PryxError } from "../domain/error.ts";
import type { NeedKind } from "../domain/need.ts";
import { hashGraph, sha256 } from "./_graph_hash.ts";
import { jsonModule } from "./_json_module.ts";
import { createLinkCache } from "./_link_cache.ts";
import { findRoot, idOf, locate } from "./_locate.ts";
import { type Finding, type ImportSite, type Module, type ModuleKind, moduleKind } from "./_module.ts";
import { decodeSource, MAX_MODULE_BYTES, readSource } from "./_read_source.ts";
import type { AutomationSource, Linking } from "./automation.ts";

/** What a linker needs of others. */
export interface LinkerOptions {
  /** Decides about a file before it is read: absolute, links resolved. Rejects with `denied`. */
  may(path: string): Promise<void>;
  /** What is wrong with a pattern of a manifest; undefined when nothing is. */
  patternProblem(kind: NeedKind, pattern: string): string | undefined;
  /** Folder for what was linked before, pryx's own; it is made when needed. Absent: nothing is kept. */
  readonly cacheFolder?: string;
  /** The bytes of a file, `maxBytes + 1` at most. Called once for each file. Default: from disk. */
  readFile?(path: string, maxBytes: number): Promise<Uint8Array>;
}

export type Linker = (source: AutomationSource) => Promise<Linking>;

const MAX_MODULES = 2_000;
const MAX_GRAPH_BYTES = 32 * 1024 * 1024;
const MAX_PROBLEMS = 50;
/** Name of what was piped in. No file that can be imported ends like this. */
const STDIN = "<stdin>";

/**
 * Links automations: reads the file and what it imports, each once and inside its project alone, and makes function
 * bodies of them. What was hashed is what runs. Rejects with `not_found` or `io` for the file itself, and with what
 * `may` rejects with.
 */
export function createLinker(options: LinkerOptions): Linker {
  return async (source) => await new Link(options).run(source);
}

/** A module on its way into the graph. */
interface Node {
  readonly id: string;
  /** Absolute; `<stdin>`. */
  readonly file: string;
  /** What its imports are relative to. */
  readonly folder: string;
  readonly kind: ModuleKind;
  readonly bytes: Uint8Array;
  readonly links: Record<string, string>;
  module: Module;
}

/** One graph being linked. */
class Link {
  readonly #options: LinkerOptions;
  readonly #problems: AutomationProblem[] = [];
  readonly #nodes = new Map<string, Node>();
  /** What was remembered, and what will be. */
  #kept: ReadonlyMap<string, Module> = new Map();
  readonly #used = new Map<string, Module>();
  #bytes = 0;
  #full = false;

  constructor(options: LinkerOptions) {
    this.#options = options;
  }

  async run(source: AutomationSource): Promise<Linking> {
    const { cacheFolder } = this.#options;
    const cache = cacheFolder === undefined ? undefined : createLinkCache(cacheFolder);
    const name = "text" in source ? `${STDIN} ${resolve(source.folder)}` : resolve(source.file);
    const [{ file, folder, root, bytes }, kept] = await Promise.all([this.#open(source), cache?.load(name)]);
    if (kept) this.#kept = kept;
    const id = file === STDIN ? STDIN : idOf(root, file);
    const entry = await this.#add({ id, file, folder, bytes, kind: moduleKind(file) });
    if (entry) {
      for (const node of this.#nodes.values()) {
        if (this.#isFull()) break;
        await this.#follow(node, root);
      }
    }
    if (!entry || this.#problems.some(({ severity }) => severity === "error")) {
      return { problems: this.#inReadingOrder() };
    }
    const graph = await this.#graph(file, root, entry);
    const isNew = this.#used.size !== this.#kept.size ||
      [...this.#used.keys()].some((key) => !this.#kept.has(key));
    if (isNew) await cache?.store(name, this.#used);
    return { graph, warnings: this.#inReadingOrder() };
  }

  async #open(source: AutomationSource) {
    if ("text" in source) {
      const folder = await realPath(source.folder);
      const bytes = new TextEncoder().encode(source.text);
      if (bytes.length > MAX_MODULE_BYTES) {
        throw new PryxError("io", `Cannot link ${STDIN}: ${tooLong(MAX_MODULE_BYTES)}`);
      }
      return { file: STDIN, folder, root: await findRoot(folder), bytes };
    }
    const file = await realPath(source.file);
    if (file.endsWith(".json")) {
      throw new PryxError("io", `Cannot link "${source.file}": a JSON file does not run`);
    }
    const folder = dirname(file);
    const [root, bytes] = await Promise.all([findRoot(folder), this.#readEntry(file)]);
    if (bytes.length > MAX_MODULE_BYTES) {
      throw new PryxError("io", `Cannot link "${source.file}": ${tooLong(MAX_MODULE_BYTES)}`);
    }
    return { file, folder, root, bytes };
  }

  async #readEntry(file: string): Promise<Uint8Array> {
    await this.#options.may(file);
    try {
      return await this.#read(file);
    } catch (error) {
      if (error instanceof PryxError) throw error;
      throw new PryxError("io", `Cannot read "${file}"`, { cause: error });
    }
  }

  async #read(path: string): Promise<Uint8Array> {
    return await (this.#options.readFile ?? readSource)(path, MAX_MODULE_BYTES);
  }

  /** Takes a module into the graph; undefined when its bytes are no text. */
  async #add(read: Omit<Node, "links" | "module">): Promise<Node | undefined> {
    const module = await this.#understand(read, this.#nodes.size === 0);
    if (!module) return undefined;
    const node = { ...read, links: {}, module };
    this.#nodes.set(read.id, node);
    this.#bytes += read.bytes.length;
    for (const finding of module.findings) this.#report(read.file, finding);
    if (this.#nodes.size > 1 && module.manifestAt) {
      this.#report(read.file, {
        ...module.manifestAt,
        code: "manifest",
        severity: "warning",
        message: "This manifest does not count: only that of the file that is run does",
        fix: "move what it asks for there, or rename the export",
      });
    }
    return node;
  }

  async #understand(
    { file, kind, bytes }: Omit<Node, "links" | "module">,
    entry: boolean,
  ): Promise<Module | undefined> {
    const key = `${entry ? "entry" : kind} ${await sha256(bytes)}`;
    const kept = this.#kept.get(key);
    if (kept) {
      this.#used.set(key, kept);
      return kept;
    }
    const text = decodeSource(bytes);
    if (text === undefined) {
      const message = "The file is not text in UTF-8";
      this.#report(file, {
        line: 1,
        column: 1,
        code: "syntax",
        severity: "error",
        message,
        fix: "save it as UTF-8",
      });
      return undefined;
    }
    if (kind === "json") return await jsonModule(text);
    // Loaded for what is new alone: the transformer takes longer than everything else here.
    const { analyse } = await import("./_analyse.ts");
    const module = analyse(text, kind, entry ? this.#options.patternProblem.bind(this.#options) : undefined);
    if (module.findings.length === 0) this.#used.set(key, module);
    return module;
  }

  async #follow(node: Node, root: string): Promise<void> {
    for (const site of node.module.imports) {
      if (this.#isFull()) return;
      if (site.specifier === "pryx") continue;
      const found = await locate(site.specifier, node.folder, root);
      if (!("path" in found)) {
        this.#report(node.file, { ...spotOf(site), severity: "error", ...found });
        continue;
      }
      const id = idOf(root, found.path);
      if (this.#nodes.has(id) || await this.#import(node, site, found.path, id)) {
        node.links[site.specifier] = id;
      }
    }
  }

  /** Reads what is imported for the first time; false when there is something wrong with it. */
  async #import(from: Node, site: ImportSite, path: string, id: string): Promise<boolean> {
    const refuse = (message: string, fix?: string) => {
      this.#report(from.file, {
        ...spotOf(site),
        code: "import",
        severity: "error",
        message: `"${site.specifier}" cannot be imported: ${message}`,
        ...(fix === undefined ? {} : { fix }),
      });
      return false;
    };
    if (this.#nodes.size >= MAX_MODULES) {
      this.#full = true;
      return refuse(`there are more than ${MAX_MODULES} modules already`);
    }
    await this.#options.may(path);
    let bytes: Uint8Array;
    try {
      bytes = await this.#read(path);
    } catch (error) {
      if (error instanceof PryxError && error.code !== "io") throw error;
      return refuse("it cannot be read", "check that it is a plain file, and who may read it");
    }
    if (bytes.length > MAX_MODULE_BYTES) return refuse(tooLong(MAX_MODULE_BYTES));
    if (this.#bytes + bytes.length > MAX_GRAPH_BYTES) {
      this.#full = true;
      return refuse(`with it, all files together are longer than ${MAX_GRAPH_BYTES / 1024 / 1024} MB`);
    }
    return await this.#add({ id, file: path, folder: dirname(path), bytes, kind: moduleKind(path) }) !==
      undefined;
  }

  #isFull(): boolean {
    return this.#full || this.#problems.length >= MAX_PROBLEMS;
  }

  #report(file: string, finding: Finding): void {
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push({ file, ...finding });
  }

  /** File by file as they were found, each from its top. */
  #inReadingOrder(): AutomationProblem[] {
    const files = [...new Set([...this.#nodes.values()].map(({ file }) => file))];
    const place = new Map(files.map((file, index) => [file, index]));
    const at = ({ file }: AutomationProblem) => place.get(file) ?? files.length;
    return this.#problems.toSorted((a, b) => at(a) - at(b) || a.line - b.line || a.column - b.column);
  }

  async #graph(file: string, root: string, entry: Node): Promise<LinkedGraph> {
    return {
      file,
      root,
      entry: entry.id,
      modules: inOrder(entry, this.#nodes).map(linked),
      hash: await hashGraph([...this.#nodes.values()]),
      permissions: entry.module.permissions,
      test: file.endsWith(TEST_SUFFIX),
    };
  }
}

function linked({ id, kind, links, module }: Node): LinkedModule {
  return { id, code: module.code, ...(kind === "json" ? { json: true } : {}), links };
}

/** What a module imports before itself, in the order of its imports; the entry last. */
function inOrder(entry: Node, nodes: ReadonlyMap<string, Node>): Node[] {
  const ordered: Node[] = [];
  const seen = new Set([entry.id]);
  const path = [{ node: entry, next: Object.values(entry.links).values() }];
  for (let top = path.at(-1); top; top = path.at(-1)) {
    const { done, value } = top.next.next();
    if (done) {
      ordered.push(top.node);
      path.pop();
      continue;
    }
    const node = nodes.get(value);
    if (!node || seen.has(value)) continue;
    seen.add(value);
    path.push({ node, next: Object.values(node.links).values() });
  }
  return ordered;
}

function spotOf({ line, column }: ImportSite) {
  return { line, column };
}

function tooLong(bytes: number): string {
  return `it is longer than ${bytes / 1024 / 1024} MB`;
}

async function realPath(path: string): Promise<string> {
  try {
    return await Deno.realPath(resolve(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      throw new PryxError("not_found", `There is no file "${path}"`, { cause: error });
    }
    throw new PryxError("io", `Cannot reach "${path}"`, { cause: error });
  }
}
