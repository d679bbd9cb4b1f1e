import assert from "node:assert/strict";
import type { Provider } from "../../core/providers/provider.ts";
import { PryxError } from "../../core/domain/error.ts";
import type { Message } from "../../core/domain/message.ts";
import type { ModelAnswer } from "../support/model_server.ts";

/** A provider whose model gives these answers, one per request. */
export type ProviderUnderTest = (
  answers: readonly ModelAnswer[],
  use: (provider: Provider) => Promise<void>,
) => Promise<void>;

interface Heard {
  readonly deltas: [string, string][];
  readonly signal: AbortSignal;
  readonly onDelta: (text: string, kind: "text" | "reasoning") => void;
  readonly onRetry: () => void;
}

/** Listens to an answer and keeps what it hears. */
export function listener(signal: AbortSignal = new AbortController().signal): Heard {
  const deltas: [string, string][] = [];
  return { deltas, signal, onDelta: (text, kind) => deltas.push([kind, text]), onRetry: () => {} };
}

const heard = ({ deltas }: Heard, kind: string) =>
  deltas.filter(([of]) => of === kind).map(([, text]) => text).join("");

const asking = (...messages: Message[]) => ({ model: "test", messages, tools: [] });
const hello: Message = { role: "user", text: "hello" };

/** What every provider must do, whatever is behind it. */
export function providerContract(name: string, having: ProviderUnderTest): void {
  const test = (
    what: string,
    answers: readonly ModelAnswer[],
    use: (provider: Provider) => Promise<void>,
  ) => Deno.test(`${name}: ${what}`, () => having(answers, use));

  test("complete() streams the text it returns", [{ text: ["Hel", "lo ", "wörld 🌍"] }], async (provider) => {
    const ear = listener();
    const answer = await provider.complete(asking(hello), ear);
    assert.equal(answer.text, "Hello wörld 🌍");
    assert.equal(heard(ear, "text"), answer.text);
    assert.equal(answer.finish, "stop");
    assert.deepEqual(answer.calls, []);
  });

  test(
    "complete() keeps reasoning apart from text",
    [{ reasoning: ["think", "ing"], text: "done" }],
    async (provider) => {
      const ear = listener();
      const answer = await provider.complete(asking(hello), ear);
      assert.equal(answer.reasoning, "thinking");
      assert.equal(answer.text, "done");
      assert.equal(heard(ear, "reasoning"), "thinking");
      assert.equal(heard(ear, "text"), "done");
      assert.equal(ear.deltas[0]?.[0], "reasoning");
    },
  );

  test("complete() returns tool calls in order, each with its own id", [{
    text: "Two things.",
    calls: [
      { name: "read_file", args: { path: "a.txt" }, pieces: 4 },
      { name: "grep", args: { pattern: "ä", path: "." }, pieces: 3 },
    ],
  }], async (provider) => {
    const answer = await provider.complete(asking(hello), listener());
    assert.equal(answer.finish, "tool_calls");
    assert.deepEqual(answer.calls.map(({ name, args }) => [name, JSON.parse(args)]), [
      ["read_file", { path: "a.txt" }],
      ["grep", { pattern: "ä", path: "." }],
    ]);
    assert.equal(new Set(answer.calls.map(({ id }) => id)).size, 2);
    assert.ok(answer.calls.every(({ id }) => id !== ""));
  });

  test(
    "complete() goes on after tool results",
    [{ calls: [{ name: "list_dir", args: { path: "." } }] }, { text: "one file" }],
    async (provider) => {
      const first = await provider.complete(asking(hello), listener());
      const call = first.calls[0];
      assert.ok(call);
      const second = await provider.complete(
        asking(
          hello,
          {
            role: "assistant",
            text: first.text,
            calls: first.calls,
            ...(first.opaque ? { opaque: first.opaque } : {}),
          },
          { role: "tool", call: call.id, name: call.name, text: "a.txt" },
        ),
        listener(),
      );
      assert.equal(second.text, "one file");
    },
  );

  test("complete() tells how many tokens were used", [
    { text: "x", usage: { input: 100, output: 20, cached: 64, reasoning: 5 } },
  ], async (provider) => {
    const { usage } = await provider.complete(asking(hello), listener());
    assert.deepEqual(usage, { input: 100, output: 20, cached: 64, reasoning: 5 });
  });

  test(
    "complete() has no usage when the provider sends none",
    [{ text: "x", usage: null }],
    async (provider) => {
      assert.equal((await provider.complete(asking(hello), listener())).usage, null);
    },
  );

  test(
    "complete() says when the answer was cut short",
    [{ text: "abc", finish: "length" }],
    async (provider) => {
      assert.equal((await provider.complete(asking(hello), listener())).finish, "length");
    },
  );

  test(
    "complete() says when the answer was filtered",
    [{ text: "", finish: "content_filter" }],
    async (provider) => {
      assert.equal((await provider.complete(asking(hello), listener())).finish, "content_filter");
    },
  );

  test(
    "complete() rejects with the reason of a signal that was aborted before",
    [{ text: "never" }],
    async (provider) => {
      const reason = new Error("not wanted");
      const ear = listener(AbortSignal.abort(reason));
      await assert.rejects(provider.complete(asking(hello), ear), (error) => error === reason);
      assert.deepEqual(ear.deltas, []);
    },
  );

  test(
    "complete() rejects with the signal's reason when it aborts in mid-stream",
    // Chunk 0 opens the message; what is behind chunk 2 never comes.
    [{ text: ["first", "second", "third"], gates: { 3: new Promise(() => {}), 4: new Promise(() => {}) } }],
    async (provider) => {
      const controller = new AbortController();
      const reason = new Error("stop");
      const ear = listener(controller.signal);
      const answer = provider.complete(asking(hello), {
        ...ear,
        onDelta(text, kind) {
          ear.onDelta(text, kind);
          controller.abort(reason);
        },
      });
      await assert.rejects(answer, (error) => error === reason);
      assert.ok(heard(ear, "text").startsWith("first"));
      assert.ok(!heard(ear, "text").includes("third"));
    },
  );

  test(
    "complete() rejects with provider_auth when the key is refused",
    [{ status: 401 }],
    async (provider) => {
      await assert.rejects(
        provider.complete(asking(hello), listener()),
        (error) => error instanceof PryxError && error.code === "provider_auth" && error.exitCode === 5,
      );
    },
  );

  test("models() lists models by id", [{ text: "x" }], async (provider) => {
    await provider.complete(asking(hello), listener());
    const models = await provider.models(new AbortController().signal);
    assert.deepEqual(models.map(({ id }) => id), ["test"]);
  });

  test("has a name", [], (provider) => {
    assert.ok(provider.name.length > 0);
    return Promise.resolve();
  });
}
