import { createReplayProvider } from "../../core/providers/replay.ts";
import { createModelRecorder } from "../../core/providers/record.ts";
import { createRecording } from "../../core/providers/recording.ts";
import type { Message } from "../../core/domain/message.ts";
import { listener, providerContract } from "../contract/provider_contract.ts";
import { startModelServer } from "../support/model_server.ts";
import { providerAt } from "./_provider.ts";

const places = { workspace: "/work/space", home: "/home/me" };

/** Records what a model server answers to the contract's conversation, then replays that. */
providerContract("replay", async (answers, use) => {
  const folder = await Deno.makeTempDir();
  try {
    const file = `${folder}/tape.jsonl`;
    await using server = await startModelServer(answers.map(({ gates: _, ...answer }) => answer));
    const recorder = createModelRecorder(createRecording({ file, ...places }))(providerAt(server.url));
    const messages: Message[] = [{ role: "user", text: "hello" }];
    for (const _ of answers) {
      const answer = await recorder.complete({ model: "test", messages, tools: [] }, listener()).catch(() =>
        null
      );
      if (!answer) continue;
      messages.push({ role: "assistant", text: answer.text, calls: answer.calls });
      for (const call of answer.calls) {
        messages.push({ role: "tool", call: call.id, name: call.name, text: "…" });
      }
    }
    await use(createReplayProvider(answers.length === 0 ? EMPTY : file, places));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

const EMPTY = {
  header: { v: 1, type: "cassette", createdAt: "2026-01-01T00:00:00.000Z", provider: "test" },
  entries: [],
} as const;
