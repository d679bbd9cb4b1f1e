import { createSocket } from "node:dgram";
import { once } from "node:events";
import { join } from "node:path";
import { type SearchPath, withoutBubblewrap } from "../support/without_bubblewrap.ts";
import type { Call, Place } from "./_case.ts";
import { type ModelServer, startModelServer } from "../support/model_server.ts";
import { type Event, readEvents } from "./_events.ts";

/** Where system programs are, whatever else the person who runs the tests has on PATH. */
export const SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** {@link SYSTEM_PATH} without bubblewrap. */
export async function landlockPath(): Promise<SearchPath> {
  return await withoutBubblewrap(SYSTEM_PATH);
}

const DEADLINE_MS = 90_000;

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly events: readonly Event[];
}

/** A fresh machine: a home folder with secrets in it, a workspace, a web server that counts, and a scripted model. */
export interface Machine extends AsyncDisposable {
  readonly place: Place;
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly model: ModelServer;
  /** Paths that the web server that nobody may reach was asked for. */
  readonly intruders: readonly string[];
  /** What came to the Unix socket and the UDP port of this machine. */
  readonly knocks: readonly string[];
  /** One run with `calls` as the first answer of the model, `then` as the second; headless. */
  run(calls: readonly Asked[], options: RunOptions): Promise<Finished>;
  pryx(args: readonly string[], options: Omit<RunOptions, "flags">): Promise<Finished>;
  /** Every byte that left the program: what it printed and what it sent to the model. */
  readonly sent: () => string;
}

/** A call with an id by which its events are found. */
export type Asked = Call & { readonly id: string };

export interface RunOptions {
  readonly then?: readonly Asked[];
  readonly program: string;
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Words in front of the program: a wrapper that gives it another view of the machine. */
  readonly through?: readonly string[];
  /** Milliseconds after which it is ended. */
  readonly deadline?: number;
}

/** What a person has in the home folder, and nobody may see. */
const SECRET_FILES = [
  ".ssh/id_ed25519",
  ".aws/credentials",
  ".config/gh/hosts.yml",
  "private/notes.txt",
  ".netrc",
];

export async function openMachine(): Promise<Machine> {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "pryx security " }));
  // Words, not a key by its shape: masking known secrets must not be what keeps it in.
  const secret = `tangerine-${crypto.randomUUID().slice(0, 8)}-harbour`;
  const [home, workspace, outside] = ["home", "work", "outside"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const path of [home, workspace, outside, join(folder, "tmp")]) await Deno.mkdir(path);
  for (const path of SECRET_FILES) await put(join(home, path), `${secret}\n`);
  await put(join(home, ".bashrc"), "# mine\n");
  await put(join(home, ".gitconfig"), "[user]\n\tname = Tester\n\temail = tester@example.org\n");
  await put(join(outside, "plan.txt"), `${secret}\n`);
  await put(join(workspace, "readme.txt"), "a readme that anybody may read\n");

  const intruders: string[] = [];
  const knocks: string[] = [];
  await using parts = new AsyncDisposableStack();
  const inner = serve((request) => {
    intruders.push(new URL(request.url).pathname);
    return new Response(`${secret}\n`);
  });
  parts.defer(() => inner.shutdown());
  const web = serve((request) => pageOf(request, `127.0.0.1:${inner.addr.port}`));
  parts.defer(() => web.shutdown());
  const doors = await openDoors(workspace, knocks);
  parts.use(doors);
  const answers: { calls: readonly Asked[] }[] = [];
  const model = parts.use(
    await startModelServer(() => {
      const next = answers.shift();
      return next
        ? { calls: next.calls.map(({ id, tool, args }) => ({ id, name: tool, args })) }
        : { text: "That is all." };
    }),
  );
  const env = {
    PATH: SYSTEM_PATH,
    HOME: home,
    TMPDIR: join(folder, "tmp"),
    NO_COLOR: "1",
    PRYX_MODEL: "test/model",
    TEST_KEY: "sk-test-key-0123456789",
  };
  const config = { providers: { test: { baseUrl: model.url, key: "env:TEST_KEY", local: true } } };
  await put(join(home, ".config/pryx/config.jsonc"), JSON.stringify(config));

  const place: Place = {
    workspace,
    home,
    outside,
    at: (path) => join(workspace, path),
    web: `127.0.0.1:${web.addr.port}`,
    inner: `127.0.0.1:${inner.addr.port}`,
    udp: `127.0.0.1:${doors.port}`,
    secret,
  };
  let printed = "";

  const pryx: Machine["pryx"] = async (args, options) => {
    const [program = "", ...words] = [...options.through ?? [], options.program, ...args];
    const { code, stdout, stderr } = await new Deno.Command(program, {
      args: words,
      cwd: workspace,
      env: { ...env, ...options.env },
      clearEnv: true,
      stdin: "null",
      signal: AbortSignal.timeout(options.deadline ?? DEADLINE_MS),
    }).output();
    const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)) as [string, string];
    printed += out + err;
    return { code, stdout: out, stderr: err, events: readEvents(out) };
  };

  const open = parts.move();
  return {
    place,
    folder,
    env,
    model,
    intruders,
    knocks,
    pryx,
    async run(calls, options) {
      answers.length = 0;
      answers.push({ calls }, ...(options.then ? [{ calls: options.then }] : []));
      return await pryx(["run", "Do the work.", "--json", ...options.flags ?? []], options);
    },
    sent: () => printed + model.requests.map((request) => JSON.stringify(request.body)).join("\n"),
    async [Symbol.asyncDispose]() {
      await open.disposeAsync();
      // What a killed program left may be closed to everybody.
      await new Deno.Command("chmod", { args: ["-R", "u+rwx", folder], stderr: "null" }).output();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** Writes a file and the folders that it stands in. */
export async function put(path: string, content: string): Promise<void> {
  await Deno.mkdir(join(path, ".."), { recursive: true });
  await Deno.writeTextFile(path, content);
}

function serve(handler: (request: Request) => Response) {
  return Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, handler);
}

/** The web server that runs may be allowed to reach; some of its pages are hostile. */
function pageOf(request: Request, inner: string): Response {
  const { pathname } = new URL(request.url);
  const plain = { "content-type": "text/plain" };
  switch (pathname) {
    case "/to-inner":
      return Response.redirect(`http://${inner}/redirected`);
    case "/again":
      return new Response(null, { status: 302, headers: { location: "/page" } });
    case "/zip-bomb":
      return new Response(endless().pipeThrough(new CompressionStream("gzip")), {
        headers: { ...plain, "content-encoding": "gzip" },
      });
    case "/zip": {
      const text = new Blob(["a small page, compressed\n"]).stream();
      return new Response(text.pipeThrough(new CompressionStream("gzip")), {
        headers: { ...plain, "content-encoding": "gzip" },
      });
    }
    case "/endless":
      return new Response(endless(), { headers: plain });
    default:
      return new Response("a page of this machine\n", { headers: plain });
  }
}

/** A gigabyte of zeros, made as it is taken. */
function endless(): ReadableStream<Uint8Array<ArrayBuffer>> {
  const piece = new Uint8Array(1 << 20);
  let left = 1024;
  return new ReadableStream({
    pull(controller) {
      if (left-- > 0) controller.enqueue(piece.slice());
      else controller.close();
    },
  });
}

/** A Unix socket in the workspace and a UDP port that nobody may reach: who comes is written down. */
async function openDoors(folder: string, knocks: string[]): Promise<AsyncDisposable & { port: number }> {
  const socket = Deno.listen({ transport: "unix", path: join(folder, "service.sock") });
  const udp = createSocket("udp4");
  udp.on("message", (bytes) => knocks.push(`udp ${bytes}`));
  udp.bind(0, "127.0.0.1");
  await once(udp, "listening");
  const accepting = (async () => {
    for await (const connection of socket) {
      knocks.push("unix socket");
      connection.close();
    }
  })();
  return {
    port: udp.address().port,
    async [Symbol.asyncDispose]() {
      socket.close();
      udp.close();
      await Promise.allSettled([accepting, once(udp, "close")]);
      await Deno.remove(join(folder, "service.sock")).catch(() => {});
    },
  };
}
