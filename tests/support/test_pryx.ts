import { join } from "node:path";
import type { Pryx, Submission } from "../../core/api.ts";
import type { Revealer } from "../../core/agent/reveal.ts";
import type { Config } from "../../core/config/config.ts";
import type { EventOf, EventType, PryxEvent } from "../../core/domain/event.ts";
import type { SessionId } from "../../core/domain/id.ts";
import type { Rule } from "../../core/domain/policy.ts";
import { createPryx } from "../../core/pryx.ts";
import { parseRule } from "../../core/policy/rules.ts";
import type { ModelCatalog, Provider } from "../../core/providers/provider.ts";
import { createSandbox } from "../../core/sandbox/create_sandbox.ts";
import type { Sandbox } from "../../core/sandbox/sandbox.ts";
import { openBlobs } from "../../core/store/blobs.ts";
import { openStore } from "../../core/store/sqlite.ts";
import type { Store } from "../../core/store/store.ts";
import { PROGRAM_TOOLS, TOOLS } from "../../core/builtins.ts";
import type { Tool } from "../../core/tools/tool.ts";

export interface TestPryxOptions {
  readonly provider: Provider;
  /** Beside the built-in ones. */
  readonly tools?: readonly Tool[];
  readonly preset?: Config["preset"];
  /** `kind=target`, as after `--allow`. */
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
  readonly limits?: Partial<Config["limits"]>;
  /** US dollars a token; default: no known price. */
  readonly price?: number;
  readonly contextWindow?: number;
  readonly redact?: (text: string) => string;
  readonly revealer?: Revealer;
  /** Stands between pryx and its sandbox. */
  readonly sandbox?: (real: Sandbox) => Sandbox;
  /** How the program is started that an automation's process runs: absent, there are no cells. */
  readonly self?: readonly [string, ...string[]];
  /** Another test's folder: a second process on the same data. */
  readonly folder?: string;
}

/** The real core over real SQLite, files and processes, in a temporary folder; only the model is scripted. */
export interface TestPryx extends AsyncDisposable {
  readonly pryx: Pryx;
  readonly store: Store;
  readonly sandbox: Sandbox;
  readonly workspace: string;
  readonly folder: string;
  /** Submits, waits for the end, and returns it. */
  run(text: string, more?: Partial<Submission>): Promise<EventOf<"turn.ended">>;
  /** Stored events of a session, of one type. */
  events<T extends EventType>(session: SessionId, type: T): EventOf<T>[];
  /** Resolves with the first event of a type from now on. */
  next<T extends EventType>(type: T): Promise<EventOf<T>>;
}

export async function testPryx(options: TestPryxOptions): Promise<TestPryx> {
  const folder = options.folder ?? await Deno.realPath(await Deno.makeTempDir({ prefix: "pryx test " }));
  const workspace = join(folder, "work");
  const home = join(folder, "home");
  for (const path of [workspace, home]) await Deno.mkdir(path, { recursive: true });
  const paths = {
    home,
    config: join(folder, "config"),
    data: join(folder, "data"),
    state: join(folder, "state"),
    cache: join(folder, "cache"),
    configFile: join(folder, "config", "config.jsonc"),
    database: join(folder, "data", "pryx.db"),
    managed: join(folder, "managed"),
  };
  const opened = new AsyncDisposableStack();
  const store = opened.use(openStore({ path: paths.database }));
  const env = { PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin", HOME: home };
  const real = opened.use(
    createSandbox({ home, env, scopes: [workspace], ...(options.self ? { self: options.self } : {}) }),
  );
  const sandbox = options.sandbox?.(real) ?? real;
  const pryx = opened.use(createPryx({
    config: configOf(options),
    paths,
    home,
    searchPath: env.PATH,
    device: "test",
    now: () => new Date(),
    store,
    blobs: openBlobs(join(paths.state, "blobs")),
    tools: [...TOOLS, ...options.tools ?? []],
    programTools: PROGRAM_TOOLS,
    catalog: catalogOf(options),
    sandbox: () => Promise.resolve(sandbox),
    provider: () => Promise.resolve(options.provider),
    defaultModel: () => Promise.resolve("scripted/model"),
    program: [],
    commands: () => Promise.resolve([]),
    redact: options.redact ?? ((text) => text),
    ...(options.revealer ? { revealer: options.revealer } : {}),
  }));
  return {
    pryx,
    store,
    sandbox,
    workspace,
    folder,
    async run(text, more = {}) {
      const place = more.session === undefined ? { workspace } : {};
      const { session, turn } = await pryx.submit({
        text,
        surface: "test",
        attended: false,
        ...place,
        ...more,
      });
      return await pryx.ended(session, turn);
    },
    events: <T extends EventType>(session: SessionId, type: T) =>
      [...store.events(session)].filter((event): event is EventOf<T> => event.type === type),
    next: <T extends EventType>(type: T) =>
      new Promise<EventOf<T>>((resolve) => {
        const listening = pryx.listen((event: PryxEvent) => {
          if (event.type !== type) return;
          listening[Symbol.dispose]();
          resolve(event as EventOf<T>);
        });
      }),
    async [Symbol.asyncDispose]() {
      await opened[Symbol.asyncDispose]();
      if (options.folder === undefined) await Deno.remove(folder, { recursive: true });
    },
  };
}

function configOf(options: TestPryxOptions): Config {
  const rule = (verdict: "allow" | "deny") => (text: string): Rule => {
    const parsed = parseRule(text, { verdict, layer: "flag", source: `--${verdict}` });
    if (typeof parsed === "string") throw new Error(parsed);
    return parsed;
  };
  return {
    model: "scripted/model",
    profile: "default",
    preset: options.preset ?? "read-only",
    rules: [...(options.allow ?? []).map(rule("allow")), ...(options.deny ?? []).map(rule("deny"))],
    providers: {},
    limits: { turns: 20, cost: undefined, timeoutMs: undefined, approvalTimeoutMs: 0, ...options.limits },
    sandbox: "auto",
    contextWindow: options.contextWindow ?? 100_000,
    secretStore: "file",
    origins: {},
    files: [],
  };
}

function catalogOf({ price }: TestPryxOptions): ModelCatalog {
  return {
    info: () => Promise.resolve(undefined),
    cost: (_provider, _model, { input, output }) =>
      Promise.resolve(price === undefined ? null : (input + output) * price),
  };
}
