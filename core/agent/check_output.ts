import { PryxError } from "../domain/error.ts";
import type { ProcessResult, ProcessSpec } from "../sandbox/sandbox.ts";

/** What a model's answer is worth against a JSON Schema: the JSON alone, or what is wrong with it. */
type CheckedOutput = { readonly json: string } | { readonly problems: string };

type JsonSchema = Readonly<Record<string, unknown>>;

interface CheckRequest {
  readonly schema: JsonSchema;
  readonly value: unknown;
}

interface CheckOptions {
  /** Starts a part of this program as a process of its own. */
  readonly run: (spec: ProcessSpec) => Promise<ProcessResult>;
  readonly signal: AbortSignal;
}

/** Problems that are told at most. */
const MAX_PROBLEMS = 10;
const TIME_LIMIT_MS = 5_000;
const MAX_REPLY_BYTES = 1024 * 1024;

/**
 * Checks an answer. JSON in a code fence, or with prose around it, counts: people want the JSON. Rejects with
 * `input_invalid` where the patterns of the schema take too long.
 */
export async function checkOutput(
  schema: JsonSchema,
  answer: string,
  options: CheckOptions,
): Promise<CheckedOutput> {
  const found = findJson(answer);
  if (found === undefined) return { problems: "it is not JSON" };
  const request = { schema, value: found.value };
  const problems = hasPatterns(schema)
    ? await problemsElsewhere(request, options)
    : await problemsOf(request);
  return problems.length === 0 ? { json: found.text } : { problems: problems.join("; ") };
}

/** Whether regular expressions of the author's are run: their time is not bounded by the length of the text. */
function hasPatterns(schema: unknown): boolean {
  if (typeof schema !== "object" || schema === null) return false;
  return Object.entries(schema).some(([key, one]) =>
    (key === "pattern" && typeof one === "string") || key === "patternProperties" || hasPatterns(one)
  );
}

async function problemsOf({ schema, value }: CheckRequest): Promise<string[]> {
  const { z } = await import("zod");
  const result = z.fromJSONSchema(schema).safeParse(value);
  if (result.success) return [];
  return result.error.issues.slice(0, MAX_PROBLEMS).map((issue) =>
    `${issue.path.join(".") || "the value"}: ${issue.message}`
  );
}

/** In a process that can be killed: an expression that hangs must not hold this one up. */
async function problemsElsewhere(request: CheckRequest, { run, signal }: CheckOptions): Promise<string[]> {
  const { code, timedOut, stdout, stderr } = await run({
    argv: ["__check"],
    self: true,
    cwd: "/",
    stdin: new TextEncoder().encode(JSON.stringify(request)),
    timeoutMs: TIME_LIMIT_MS,
    maxOutputBytes: MAX_REPLY_BYTES,
    signal,
  });
  if (timedOut) {
    throw new PryxError(
      "input_invalid",
      `Cannot check the answer against its schema: a pattern in it takes longer than ${
        TIME_LIMIT_MS / 1000
      } s`,
      { fix: "write the pattern without repetitions inside repetitions" },
    );
  }
  const text = new TextDecoder();
  if (code !== 0) {
    const why = text.decode(stderr.head).trim().split("\n").at(-1);
    throw new PryxError(
      "input_invalid",
      `Cannot check the answer against its schema: ${why || `code ${code}`}`,
    );
  }
  return JSON.parse(text.decode(stdout.head)) as string[];
}

/** `pryx __check`: a schema and a value as JSON on stdin, the problems as JSON on stdout. */
export async function runCheck(): Promise<number> {
  for (const name of ["write", "net", "run", "env", "sys", "ffi"] as const) {
    Deno.permissions.revokeSync({ name });
  }
  const request = await new Response(Deno.stdin.readable).json() as CheckRequest;
  let reply: Uint8Array;
  try {
    reply = new TextEncoder().encode(JSON.stringify(await problemsOf(request)));
  } catch (error) {
    Deno.stderr.writeSync(new TextEncoder().encode(`${error instanceof Error ? error.message : error}\n`));
    return 1;
  }
  for (let rest = reply; rest.length > 0;) rest = rest.subarray(await Deno.stdout.write(rest));
  return 0;
}

function findJson(answer: string): { value: unknown; text: string } | undefined {
  const trimmed = answer.trim();
  const fenced = /^```(?:json)?\s*\n([\s\S]*?)\n```/m.exec(trimmed)?.[1];
  const outer = /[[{][\s\S]*[\]}]/.exec(trimmed)?.[0];
  for (const text of [trimmed, fenced, outer]) {
    if (text === undefined) continue;
    try {
      return { value: JSON.parse(text), text: text.trim() };
    } catch {
      // The next form may be the one.
    }
  }
  return undefined;
}
