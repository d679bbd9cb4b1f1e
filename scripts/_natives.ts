import { dirname, join } from "node:path";

interface Package {
  readonly version: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
}

/** What of a package is copied, where that is not all: paths in it. Licenses always are. */
const PARTS: Readonly<Record<string, RegExp>> = {
  // The compiler as a library, and the declarations of the language; not those of browsers, no editor's server.
  typescript:
    /^(package\.json|LICENSE\.txt|ThirdPartyNoticeText\.txt|lib\/typescript\.js|lib\/lib\.(es|decorators).*\.ts)$/,
};

/**
 * Copies packages that cannot be bundled into `folder/node_modules`, with what they need on this platform, and writes
 * the package.json that makes bare imports of them resolve there. They come from Deno's own package cache, at the
 * versions that the import map pins.
 */
export async function vendorNatives(
  root: string,
  folder: string,
  names: readonly string[],
  imports: Readonly<Record<string, string>>,
): Promise<void> {
  const specifiers = names.map((name) => {
    const specifier = imports[name];
    if (!specifier?.startsWith("npm:")) throw new Error(`deno.json pins no version of ${name}`);
    return specifier;
  });
  await deno(root, ["cache", "--quiet", ...specifiers]);
  const info = JSON.parse(await deno(root, ["info", "--json"])) as { npmCache: string };
  const dependencies: Record<string, string> = {};
  for (const [index, name] of names.entries()) {
    const version = (specifiers[index] ?? "").slice(`npm:${name}@`.length);
    await copyPackage(info.npmCache, folder, name, version);
    dependencies[name] = version;
  }
  const manifest = { name: "pryx-bundle", private: true, type: "module", dependencies };
  await Deno.writeTextFile(join(folder, "package.json"), JSON.stringify(manifest, null, 2) + "\n");
}

async function copyPackage(cache: string, folder: string, name: string, version: string): Promise<void> {
  const source = await cached(cache, name, version);
  if (!source) throw new Error(`${name} ${version} is not in Deno's cache (${cache})`);
  const manifest = await readPackage(source);
  await copy(source, join(folder, "node_modules", name), PARTS[name]);
  for (const [needed, range] of Object.entries(manifest.dependencies ?? {})) {
    await copyPackage(cache, folder, needed, range);
  }
  let copied = 0;
  const optional = Object.entries(manifest.optionalDependencies ?? {});
  for (const [needed, range] of optional) {
    const found = await cached(cache, needed, range);
    if (!found || !runsHere(await readPackage(found))) continue;
    await copy(found, join(folder, "node_modules", needed));
    copied++;
  }
  if (optional.length > 0 && copied === 0) {
    throw new Error(`${name} ${version} has nothing for this platform`);
  }
}

/** The folder of a package in the cache, whichever registry it came from. */
async function cached(cache: string, name: string, version: string): Promise<string | undefined> {
  for await (const registry of Deno.readDir(cache)) {
    const path = join(cache, registry.name, name, version);
    if (await Deno.stat(join(path, "package.json")).catch(() => null)) return path;
  }
}

async function readPackage(folder: string): Promise<Package> {
  return JSON.parse(await Deno.readTextFile(join(folder, "package.json"))) as Package;
}

function runsHere(manifest: Package): boolean {
  const platform = Deno.build.os === "windows" ? "win32" : Deno.build.os;
  const cpu = Deno.build.arch === "x86_64" ? "x64" : "arm64";
  // Deno itself needs glibc on Linux.
  return (manifest.os ?? [platform]).includes(platform) && (manifest.cpu ?? [cpu]).includes(cpu) &&
    (manifest.libc ?? ["glibc"]).includes("glibc");
}

/** @param parts which files, by their path below `from` */
async function copy(from: string, to: string, parts = /^/, path = ""): Promise<void> {
  const source = join(from, path);
  const info = await Deno.lstat(source);
  if (info.isDirectory) {
    for await (const { name } of Deno.readDir(source)) {
      await copy(from, to, parts, path === "" ? name : `${path}/${name}`);
    }
    return;
  }
  if (!info.isFile || !parts.test(path)) return;
  const target = join(to, path);
  await Deno.mkdir(dirname(target), { recursive: true });
  await Deno.copyFile(source, target);
}

async function deno(root: string, args: readonly string[]): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), { args: [...args], cwd: root, env: { NO_COLOR: "1" } });
  const { success, stdout, stderr } = await command.output();
  if (!success) throw new Error(`deno ${args[0]} failed\n${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}
