import { basename, dirname, join, resolve } from "node:path";
import { COMMANDS } from "./command_index.ts";
import type { CommandContext, CommandSurface, Overrides } from "./commands/command.ts";
import type { Config } from "./config/config.ts";
import { findPaths } from "./config/paths.ts";
import type { Recording } from "./domain/cassette.ts";
import { PryxError } from "./domain/error.ts";
import type { Places } from "./domain/places.ts";
import { secretMark } from "./domain/secret_mark.ts";
import type { Policy } from "./policy/policy.ts";
import type { Provider } from "./providers/provider.ts";
import type { CellProcess } from "./sandbox/cell_process.ts";
import type { Sandbox } from "./sandbox/sandbox.ts";
import type { Store } from "./store/store.ts";
import { PROVIDER_PRESETS } from "./providers/presets.ts";

export { COMMANDS };

/** Makes what commands work with. */
type CreateContext = (
  surface: CommandSurface,
  signal: AbortSignal,
  overrides: Overrides,
) => CommandContext;

/**
 * Begins to read what a run will need, all of it at once: its modules load while the command line is understood and the
 * settings are read, instead of one after another. Fails in silence: who needs a module imports it again.
 */
export function preloadRun({ automation }: { readonly automation: boolean }): void {
  const wanted: Promise<unknown>[] = [
    import("./commands/run.ts"),
    import("./config/load_config.ts"),
    import("./pryx.ts"),
    import("./store/sqlite.ts"),
    import("./builtins.ts"),
  ];
  if (automation) {
    wanted.push(
      import("./automation/create_automations.ts"),
      import("./automation/run_automation.ts"),
      import("./policy/rules.ts"),
      import("./agent/policy_view.ts"),
      import("./sandbox/create_sandbox.ts"),
      import("./sandbox/cell.ts"),
    );
  } else {
    // Loads the runtime's own HTTP client; nothing leaves the machine.
    wanted.push(fetch("data:,").then((response) => response.body?.cancel()));
  }
  for (const one of wanted) one.catch(() => {});
}

/** A value made on first use and kept. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => made ??= make();
}

export interface ProgramOptions {
  /** How this very program is started; arguments follow. */
  readonly self: readonly [string, ...string[]];
  /** A process for automations that runs already. */
  readonly cell?: CellProcess | undefined;
}

/**
 * From the environment to what commands work with: settings, parts, Pryx. Nothing is opened before it is asked for;
 * what was opened is closed with `opened`, in reverse.
 */
export function openProgram(opened: AsyncDisposableStack, options: ProgramOptions): CreateContext {
  const shared = openShared(opened, options);
  const { env, paths, home, searchPath, now, store, readStore, blobs, redactor, secrets, tools } = shared;

  function create(surface: CommandSurface, signal: AbortSignal, overrides: Overrides): CommandContext {
    const cwd = realPathOr(resolve(Deno.cwd(), overrides.cwd ?? "."));
    if (!isFolder(cwd)) {
      throw new PryxError("usage", `There is no folder ${cwd}`, { fix: "check --cwd" });
    }
    const config = once(async () => {
      const { loadConfig } = await import("./config/load_config.ts");
      const { configFile = paths.configFile } = overrides;
      return await loadConfig({
        paths: { ...paths, configFile },
        env,
        cwd,
        flags: overrides,
        presets: PROVIDER_PRESETS,
      });
    });
    const sandbox = () => shared.sandbox(cwd);
    const catalog = once(async () => {
      const { createCatalog } = await import("./builtins.ts");
      return createCatalog({
        providers: (await config()).providers,
        cacheFile: join(paths.cache, "prices.json"),
      });
    });
    const places = { workspace: cwd, home };
    /** The one that all parts of a run write to. */
    const recording = once(async () =>
      overrides.record === undefined ? undefined : await record(overrides.record)
    );
    const record = async (file: string) => {
      const { createRecording } = await import("./providers/recording.ts");
      return createRecording({ ...places, file, redact: (await redactor()).redact });
    };
    const provider = openProviders(overrides, places, config, recording, shared);

    const pryx = once(async () => {
      const [{ createPryx }, loaded, opening, kept, known, programs, catalogue, redact] = await Promise.all([
        import("./pryx.ts"),
        config(),
        store(),
        blobs(),
        tools(),
        shared.programTools(),
        catalog(),
        redactor(),
      ]);
      return opened.use(createPryx({
        config: loaded,
        paths,
        home,
        searchPath,
        device: Deno.hostname(),
        now,
        store: opening,
        blobs: kept,
        tools: known,
        programTools: programs,
        catalog: catalogue,
        sandbox,
        provider,
        defaultModel: () => defaultModel(loaded, overrides, signal),
        program: ownPaths(),
        compiled: (workspace) => workspace === cwd ? compiled() : undefined,
        revealer: {
          async reveal({ name, nonce }) {
            return nonce === shared.nonce ? await shared.namedSecret(name, loaded.secretStore) : undefined;
          },
        },
        commands: async () => (await Promise.all(COMMANDS.map((entry) => entry.load()))).flat(),
        redact: (text) => redact.redact(text),
      }));
    });

    // Compiled once, for commands and for the sessions of this folder.
    const compile = async () => {
      const [{ policyOf }, { temp }, loaded] = await Promise.all([
        import("./pryx.ts"),
        sandbox().then((made) => made.baseline()),
        config(),
      ]);
      return await policyOf({ config: loaded, paths, home, program: ownPaths(), temp }, cwd);
    };
    let compiling: Promise<Policy> | undefined;
    const compiled = () =>
      compiling ??= compile().catch((error) => {
        // What was in the way may be gone at the next try.
        compiling = undefined;
        throw error;
      });
    const policy = once(async () => {
      const { createPolicyView } = await import("./agent/policy_view.ts");
      return createPolicyView({
        policy: await compiled(),
        workspace: cwd,
        home,
        searchPath,
        tools: await tools(),
        store: await shared.knownStore(),
        now,
        sandbox,
      });
    });

    return {
      signal,
      paths,
      cwd,
      config,
      configFile: async () => (await import("./config/config_file.ts")).openConfigFile(paths.configFile),
      pryx,
      store: (options) => options?.reading ? readStore() : store(),
      blobs,
      policy,
      secrets,
      provider,
      catalog,
      sandbox,
      tools,
      automations: once(async () => {
        const [{ createAutomations }, { patternProblem }, known] = await Promise.all([
          import("./automation/create_automations.ts"),
          import("./policy/rules.ts"),
          redactor(),
        ]);
        return createAutomations({
          cacheFolder: join(paths.cache, "links"),
          patternProblem: (kind, pattern) => patternProblem({ verdict: "allow", kind, pattern }),
          pryx,
          store,
          sandbox,
          policy,
          toolNames: async () => (await tools()).map(({ name }) => name),
          variable: (name) => env[name],
          secret: async (name) => await shared.namedSecret(name, (await config()).secretStore),
          secretMark: (name) => secretMark(name, shared.nonce),
          now,
          redact: known.redact,
          home,
          recording,
          record,
          readCassette: async (file) => await (await import("./providers/cassette.ts")).readCassette(file),
        });
      }),
      surface,
      with: (more) => create(surface, signal, { ...overrides, ...more }),
    };
  }
  return create;
}

/** What all commands of this process share, whatever their folder and flags. */
function openShared(opened: AsyncDisposableStack, { self, cell }: ProgramOptions) {
  const env = Deno.env.toObject();
  const paths = findPaths({ env, platform: Deno.build.os });
  const home = realPathOr(paths.home);
  const searchPath = env.PATH ?? "/usr/local/bin:/usr/bin:/bin";
  const now = () => new Date();

  const madeStore = Promise.withResolvers<Store>();
  const store = once(async () => {
    const made = opened.use((await import("./store/sqlite.ts")).openStore({ path: paths.database }));
    madeStore.resolve(made);
    return made;
  });
  const readStore = once(async () => {
    try {
      return await store();
    } catch (error) {
      if (!(error instanceof PryxError) || error.code !== "read_only" || !isThere(paths.database)) {
        throw error;
      }
      const { openStore } = await import("./store/sqlite.ts");
      return opened.use(openStore({ path: paths.database, readOnly: true }));
    }
  });
  /** What was granted and trusted until now: nothing where there is no database yet, and none is made for that. */
  const knownStore = async (): Promise<Pick<Store, "grants" | "trustedHash">> => {
    if (isThere(paths.database)) return await readStore();
    let made: Store | undefined;
    // Somebody may make one later, and then it counts.
    void madeStore.promise.then((store) => made = store);
    return {
      grants: (query) => made?.grants(query) ?? [],
      trustedHash: (folder) => made?.trustedHash(folder),
    };
  };
  const blobs = once(async () => (await import("./builtins.ts")).openBlobs(join(paths.state, "blobs")));
  const redactor = once(async () => (await import("./builtins.ts")).createRedactor());
  // Only a compiled program's files are out of the system's reach.
  const embedded = Deno.build.standalone && import.meta.dirname !== undefined
    ? { root: import.meta.dirname, folder: join(paths.cache, "programs") }
    : undefined;
  const secrets = once(async () => {
    const { createSecrets } = await import("./builtins.ts");
    if (embedded === undefined) return createSecrets({ env, paths });
    const { createEmbedded } = await import("./sandbox/embedded.ts");
    return createSecrets({ env, paths, embedded: { root: embedded.root, locate: createEmbedded(embedded) } });
  });
  const sandboxes = new Map<string, Promise<Sandbox>>();
  const openSandbox = async (scope: string) => {
    const { createSandbox } = await import("./sandbox/create_sandbox.ts");
    return opened.use(createSandbox({
      home,
      env,
      scopes: [scope],
      own: [paths.config, paths.data, paths.state, paths.cache],
      self,
      ...(embedded && { embedded }),
      ...(cell && { cell }),
    }));
  };
  const builtins = once(() => import("./builtins.ts"));
  const tools = once(async () => (await builtins()).TOOLS);
  const programTools = once(async () => (await builtins()).PROGRAM_TOOLS);

  /** The value behind a reference, known to the redactor from then on. */
  const secret = async (reference: string) => {
    const value = await (await secrets()).resolve(reference);
    (await redactor()).add(value);
    return value;
  };

  /** The value of a secret by its name alone, wherever it is kept; the environment comes last. */
  const namedSecret = async (name: string, preferred: string) => {
    const { stores } = await secrets();
    const rank = ({ scheme }: { scheme: string }) => scheme === preferred ? 0 : scheme === "env" ? 2 : 1;
    // A keychain that cannot be reached, as on a server, does not hide what another store has.
    let failure: unknown;
    for (const one of [...stores].sort((a, b) => rank(a) - rank(b))) {
      const value = await one.get(name).catch((error) => {
        if (one.scheme === preferred) failure = error;
        return undefined;
      });
      if (value === undefined) continue;
      (await redactor()).add(value);
      return value;
    }
    if (failure !== undefined) throw failure;
    throw new PryxError("secret_missing", `There is no secret "${name}"`, {
      fix: `set it with: pryx secrets set ${name}, or as a variable of that name`,
    });
  };

  return {
    /** What tells marks of this process from any other text of their form. */
    nonce: crypto.randomUUID().replaceAll("-", ""),
    namedSecret,
    env,
    paths,
    home,
    searchPath,
    now,
    store,
    readStore,
    knownStore,
    blobs,
    redactor,
    secrets,
    secret,
    tools,
    programTools,
    /** One for each folder, its files shared by one worker. */
    sandbox(folder: string): Promise<Sandbox> {
      const known = sandboxes.get(folder) ?? openSandbox(folder);
      sandboxes.set(folder, known);
      return known;
    },
  };
}

/** Providers by name, each made once: the configured ones or a recording, recorded when that was asked for. */
function openProviders(
  { replayModel }: Overrides,
  places: Places,
  config: () => Promise<Config>,
  recording: () => Promise<Recording | undefined>,
  { redactor, secret }: Pick<ReturnType<typeof openShared>, "redactor" | "secret">,
): (name: string) => Promise<Provider> {
  const providers = new Map<string, Promise<Provider>>();
  const recorder = once(async () => {
    const kept = await recording();
    return kept && (await import("./providers/record.ts")).createModelRecorder(kept);
  });
  const answering = async (name: string) => {
    if (replayModel === undefined) return await configuredProvider(name, await config(), secret);
    const { createReplayProvider } = await import("./providers/replay.ts");
    return createReplayProvider(replayModel, { ...places, name, redact: (await redactor()).redact });
  };
  const make = async (name: string) => {
    const made = await answering(name);
    return (await recorder())?.(made) ?? made;
  };
  return (name) => {
    const made = providers.get(name) ?? make(name);
    providers.set(name, made);
    return made;
  };
}

async function configuredProvider(
  name: string,
  config: Config,
  secret: (reference: string) => Promise<string>,
): Promise<Provider> {
  const found = config.providers[name];
  if (!found) {
    const known = Object.keys(config.providers).join(", ");
    throw new PryxError("model_unknown", `There is no provider "${name}"`, {
      fix: `the providers are ${known}; add one with: pryx config set providers.${name}.baseUrl URL`,
    });
  }
  const { key } = found;
  const { createProvider } = await import("./builtins.ts");
  const made = createProvider(
    found,
    () => key === undefined ? Promise.resolve(undefined) : secret(key),
  );
  made.warm?.();
  return made;
}

/** What to use when no model is set: a server found on this machine, else an error that says how to set one. */
async function defaultModel(config: Config, overrides: Overrides, signal: AbortSignal): Promise<string> {
  if (overrides.replayModel !== undefined) return "recorded/model";
  const { discoverLocal } = await import("./providers/discover.ts");
  const found = await discoverLocal(config.providers, signal);
  for (const { name, models } of found) if (models[0]) return `${name}/${models[0].id}`;
  throw new PryxError("model_unknown", "No model is set, and no model server runs on this machine", {
    fix: "set one: pryx config set model PROVIDER/MODEL, or PRYX_MODEL, or --model (see: pryx models). " +
      "Without a key or a network: pryx tour",
  });
}

/** What this process runs: as a value, so that every way of running can be tested. */
interface Running {
  /** True for a compiled program. */
  readonly standalone: boolean;
  /** The compiled program, or Deno. Absolute, after symlinks. */
  readonly execPath: string;
  /** This module's own file; undefined when it came from elsewhere. */
  readonly module: string | undefined;
}

/**
 * This program's own files and folders, which nothing may change: the compiled binary, or the bundle and its launcher.
 * Where install.sh put it, all of the installation: other versions, the Deno that runs them, the command. None when it
 * runs from source.
 */
export function programPaths(running: Running): readonly string[] {
  const { standalone, execPath, module } = running;
  if (!standalone && (module === undefined || module.endsWith(".ts"))) return [];
  const bundle = standalone || module === undefined ? undefined : dirname(module);
  const folder = dirname(bundle ?? execPath);
  const versions = dirname(folder);
  const installation = dirname(versions);
  if (basename(versions) === "versions" && basename(installation) === "pryx") {
    return [installation, join(installation, "..", "..", "bin", "pryx")];
  }
  return bundle === undefined ? [execPath] : [bundle, join(folder, "pryx")];
}

function ownPaths(): readonly string[] {
  return programPaths({
    standalone: Deno.build.standalone,
    execPath: realPathOr(Deno.execPath()),
    module: import.meta.filename,
  });
}

function realPathOr(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    return path;
  }
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
