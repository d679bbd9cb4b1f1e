/**
 * `deno task layers`: checks the dependency rule over every source file of the tree, not only over what main.ts reaches.
 * Type-only imports count: a type is a dependency too.
 */
import { dirname, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { checkLayers, formatViolation, type Import, type SourceFile } from "./layer_rules.ts";

const FOLDERS = ["core", "repl", "web", "workers", "scripts", "tests"];

interface InfoModule {
  readonly specifier: string;
  readonly dependencies?: readonly InfoDependency[];
}

interface InfoDependency {
  readonly specifier: string;
  readonly code?: InfoTarget;
  readonly type?: InfoTarget;
  readonly isDynamic?: boolean;
}

interface InfoTarget {
  readonly specifier?: string;
  readonly span?: { readonly start: { readonly line: number } };
}

/** Paths of all source files of the tree at `root`, from there, sorted. */
export async function sourceFiles(root: string): Promise<string[]> {
  const found: string[] = [];
  const walk = async (folder: string) => {
    for await (const entry of Deno.readDir(join(root, folder))) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory && entry.name !== "node_modules") await walk(path);
      else if (entry.isFile && /\.(ts|tsx|mts|js|mjs)$/.test(entry.name)) found.push(path);
    }
  };
  for (const folder of FOLDERS) {
    if (await isFolder(join(root, folder))) await walk(folder);
  }
  if (await isFile(join(root, "main.ts"))) found.push("main.ts");
  return found.sort();
}

/** Every source file with what it imports, as Deno resolves it. */
export async function readTree(root: string): Promise<SourceFile[]> {
  const paths = await sourceFiles(root);
  const modules = await denoInfo(root, paths);
  const files: SourceFile[] = [];
  for (const path of paths) {
    const info = modules.get(pathToFileURL(join(root, path)).href);
    const imports = (info?.dependencies ?? []).map((one) => importOf(root, one));
    files.push({ path, source: await Deno.readTextFile(join(root, path)), imports });
  }
  return files;
}

function importOf(root: string, one: InfoDependency): Import {
  const target = one.code ?? one.type;
  const url = target?.specifier ?? one.specifier;
  const path = url.startsWith("file:") ? relative(root, fileURLToPath(url)) : one.specifier;
  return {
    target: path,
    line: (target?.span?.start.line ?? 0) + 1,
    typeOnly: one.code === undefined,
    dynamic: one.isDynamic === true,
  };
}

/** `deno info` over all files at once: through a root module that imports each of them. Loads nothing from a network. */
async function denoInfo(root: string, paths: readonly string[]): Promise<Map<string, InfoModule>> {
  const folder = await Deno.makeTempDir({ prefix: "pryx-layers-" });
  try {
    const entry = join(folder, "all.ts");
    const urls = paths.map((path) => `import ${JSON.stringify(pathToFileURL(join(root, path)).href)};`);
    await Deno.writeTextFile(entry, urls.join("\n"));
    const config = join(root, "deno.json");
    const args = ["info", "--json", "--no-lock", "--no-npm", "--no-remote"];
    if (await isFile(config)) args.push("--config", config);
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args: [...args, entry] })
      .output();
    if (!success) throw new Error(`deno info failed: ${new TextDecoder().decode(stderr)}`);
    const info = JSON.parse(new TextDecoder().decode(stdout)) as { modules: readonly InfoModule[] };
    return new Map(info.modules.map((module) => [module.specifier, module]));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await Deno.stat(path).catch(() => null))?.isDirectory === true;
}

async function isFile(path: string): Promise<boolean> {
  return (await Deno.stat(path).catch(() => null))?.isFile === true;
}

if (import.meta.main) {
  const root = await Deno.realPath(Deno.args[0] ?? dirname(dirname(fileURLToPath(import.meta.url))));
  const files = await readTree(root);
  const violations = checkLayers(files);
  const lines = violations.map(formatViolation);
  lines.push(
    violations.length === 0
      ? `layers: ${files.length} files keep the dependency rule`
      : `layers: ${violations.length} violations`,
  );
  await Deno.stdout.write(new TextEncoder().encode(lines.join("\n") + "\n"));
  if (violations.length > 0) Deno.exit(1);
}
