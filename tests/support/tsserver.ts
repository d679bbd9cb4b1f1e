import { dirname, join } from "node:path";
import ts from "typescript";

/** The server that editors talk to about TypeScript: a process of its own, over its pipes. */
export interface TypeScriptServer extends AsyncDisposable {
  open(file: string): void;
  /** What it marks in an open file: `8:7 TS2322: …`, errors and warnings. */
  diagnostics(file: string): Promise<readonly string[]>;
  /** Names that it offers at a place. Line and column from 1. */
  completions(file: string, line: number, offset: number): Promise<readonly string[]>;
  /** What it shows over a place: the type, and the documentation. */
  hover(file: string, line: number, offset: number): Promise<{ type: string; documentation: string }>;
  /** The configuration that it found for a file. */
  configuration(file: string): Promise<string>;
}

interface Message {
  readonly type: "response" | "event";
  readonly request_seq?: number;
  readonly success?: boolean;
  readonly message?: string;
  readonly body?: unknown;
}

interface Diagnostic {
  readonly start: { readonly line: number; readonly offset: number };
  readonly text: string;
  readonly code: number;
  readonly category: string;
}

/** Starts the one of npm's `typescript`, run by this Deno. */
export function startTypeScriptServer(cwd: string): TypeScriptServer {
  const program = join(dirname(ts.sys.getExecutingFilePath()), "tsserver.js");
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--quiet",
      program,
      "--disableAutomaticTypingAcquisition",
      "--suppressDiagnosticEvents",
    ],
    cwd,
    env: { NO_COLOR: "1", TSS_LOG: "" },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  const waiting = new Map<number, (message: Message) => void>();
  const reading = readMessages(child.stdout, (message) => {
    if (message.type !== "response" || message.request_seq === undefined) return;
    waiting.get(message.request_seq)?.(message);
    waiting.delete(message.request_seq);
  });
  let seq = 0;
  const send = (command: string, args: unknown): number => {
    const line = JSON.stringify({ seq: ++seq, type: "request", command, arguments: args });
    void writer.write(new TextEncoder().encode(`${line}\n`));
    return seq;
  };
  const request = async <T>(command: string, args: unknown): Promise<T> => {
    const { promise, resolve } = Promise.withResolvers<Message>();
    waiting.set(send(command, args), resolve);
    const ended = reading.then(() => ({ success: false, message: "the server ended" }) as Message);
    const { success, message, body } = await Promise.race([promise, ended]);
    if (!success) throw new Error(`${command}: ${message}`);
    return body as T;
  };
  return {
    open: (file) => void send("open", { file }),
    async diagnostics(file) {
      const parts = ["syntacticDiagnosticsSync", "semanticDiagnosticsSync"];
      const found = await Promise.all(parts.map((command) => request<Diagnostic[]>(command, { file })));
      return found.flat().map(({ start, code, text }) => `${start.line}:${start.offset} TS${code}: ${text}`);
    },
    async completions(file, line, offset) {
      const { entries } = await request<{ entries: { name: string }[] }>("completionInfo", {
        file,
        line,
        offset,
      });
      return entries.map(({ name }) => name);
    },
    async hover(file, line, offset) {
      const { displayString, documentation } = await request<
        { displayString: string; documentation: string }
      >(
        "quickinfo",
        { file, line, offset },
      );
      return { type: displayString, documentation };
    },
    async configuration(file) {
      const { configFileName } = await request<{ configFileName: string }>("projectInfo", {
        file,
        needFileNameList: false,
      });
      return configFileName;
    },
    async [Symbol.asyncDispose]() {
      send("exit", {});
      await writer.close().catch(() => {});
      await Promise.all([child.status, reading]);
    },
  };
}

/** `Content-Length: N`, an empty line, N bytes of JSON. */
async function readMessages(
  stream: ReadableStream<Uint8Array>,
  on: (message: Message) => void,
): Promise<void> {
  let held = new Uint8Array();
  for await (const piece of stream) {
    const joined = new Uint8Array(held.length + piece.length);
    joined.set(held);
    joined.set(piece, held.length);
    held = joined;
    for (;;) {
      const head = /^\s*Content-Length: (\d+)\r?\n\r?\n/.exec(
        new TextDecoder("latin1").decode(held.subarray(0, 100)),
      );
      if (!head) break;
      const end = head[0].length + Number(head[1]);
      if (held.length < end) break;
      on(JSON.parse(new TextDecoder().decode(held.subarray(head[0].length, end))));
      held = held.slice(end);
    }
  }
}
