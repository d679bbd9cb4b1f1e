import assert from "node:assert/strict";
import fc from "fast-check";
import { canonicalJson, parseCassette } from "../../core/domain/cassette.ts";
import { cutHidden, hidePlaces, showPlaces } from "../../core/domain/places.ts";
import { modelEntries, readCassette } from "../../core/providers/cassette.ts";
import type { ModelRequest, ModelResponse, Provider } from "../../core/providers/provider.ts";
import { createModelRecorder } from "../../core/providers/record.ts";
import { createRecording, type RecordingOptions } from "../../core/providers/recording.ts";
import { createReplayProvider } from "../../core/providers/replay.ts";
import { PryxError } from "../../core/domain/error.ts";
import type { Message } from "../../core/domain/message.ts";
import { listener } from "../contract/provider_contract.ts";
import { failureOf } from "./_provider.ts";

const here = { workspace: "/home/me/project", home: "/home/me" };
const there = { workspace: "/srv/other place", home: "/root" };

interface Scripted {
  readonly deltas?: readonly ["text" | "reasoning", string][];
  readonly response?: Partial<ModelResponse>;
  readonly error?: unknown;
}

/** A provider that gives these answers in order. */
function scripted(answers: readonly Scripted[]): Provider {
  let next = 0;
  return {
    name: "scripted",
    complete(_request, { onDelta }) {
      const { deltas = [], response, error } = answers[next++] ?? {};
      if (error !== undefined) return Promise.reject(error);
      for (const [kind, text] of deltas) onDelta(text, kind);
      const said = (kind: string) => deltas.filter(([of]) => of === kind).map(([, text]) => text).join("");
      return Promise.resolve({
        text: said("text"),
        reasoning: said("reasoning"),
        calls: [],
        finish: "stop",
        usage: null,
        ...response,
      });
    },
    models: () => Promise.resolve([]),
  };
}

const recordProvider = (inner: Provider, options: RecordingOptions) =>
  createModelRecorder(createRecording(options))(inner);
const request = (...messages: Message[]): ModelRequest => ({ model: "m", messages, tools: [] });
const user = (text: string): Message => ({ role: "user", text });

/** Records a conversation in `here`; gives the cassette's file. */
async function recording(
  answers: readonly Scripted[],
  requests: readonly ModelRequest[],
  use: (file: string) => Promise<void>,
  options: Partial<RecordingOptions> = {},
) {
  const folder = await Deno.makeTempDir();
  try {
    const file = `${folder}/tape.jsonl`;
    const recorder = recordProvider(scripted(answers), { file, ...here, ...options });
    for (const one of requests) await recorder.complete(one, listener()).catch(() => {});
    await use(file);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a cassette made in one folder replays in another", async () => {
  const call = { id: "c1", name: "read_file", args: '{"path": "/home/me/project/a b.txt"}' };
  const answers: Scripted[] = [
    {
      deltas: [["text", "I read /home/me/pro"], ["text", "ject/a b.txt"]],
      response: { calls: [call], finish: "tool_calls" },
    },
    { deltas: [["reasoning", "hm"], ["text", "It is in /home/me/notes."]] },
  ];
  const conversation = (places: typeof here, args: string, result: string) => {
    const first = [
      { role: "system", text: `cwd ${places.workspace}` } as const,
      user(`look in ${places.workspace}`),
    ];
    return [
      request(...first),
      request(
        ...first,
        { role: "assistant", text: `I read ${places.workspace}/a b.txt`, calls: [{ ...call, args }] },
        { role: "tool", call: "c1", name: "read_file", text: result },
      ),
    ];
  };
  await recording(answers, conversation(here, call.args, "as recorded"), async (file) => {
    const tape = await Deno.readTextFile(file);
    assert.ok(!tape.includes("/home/me"), tape);
    const replay = createReplayProvider(file, there);
    const [first, second] = conversation(
      there,
      '{"path":"/srv/other place/a b.txt"}',
      "what the tool says today",
    );
    assert.ok(first && second);
    const ear = listener();
    const answer = await replay.complete(first, ear);
    assert.equal(answer.text, "I read /srv/other place/a b.txt");
    assert.deepEqual(answer.calls, [{ ...call, args: '{"path": "/srv/other place/a b.txt"}' }]);
    assert.equal(answer.finish, "tool_calls");
    assert.deepEqual(ear.deltas, [["text", "I read /srv/other place"], ["text", "/a b.txt"]]);
    const ear2 = listener();
    assert.equal((await replay.complete(second, ear2)).text, "It is in /root/notes.");
    assert.deepEqual(ear2.deltas, [["reasoning", "hm"], ["text", "It is in /root/notes."]]);
  });
});

Deno.test("a replay fails loudly on the first request that differs, and shows how", async () => {
  await recording([{ deltas: [["text", "hi"]] }], [request(user("count the apples"))], async (file) => {
    const replay = createReplayProvider(file, here);
    const error = await failureOf(replay.complete(request(user("count the pears")), listener()));
    assert.equal(error.code, "input_invalid");
    assert.match(error.message, /Request 1 to the model differs/);
    assert.match(error.message, /- recorded: user: "count the apples"/);
    assert.match(error.message, /\+ now: +user: "count the pears"/);
    assert.match(error.fix ?? "", /--record/);
  });
});

Deno.test("a replay compares what the model had called, not how the arguments were written", async () => {
  const asked = (args: string) =>
    request(user("go"), { role: "assistant", text: "", calls: [{ id: "x", name: "f", args }] }, {
      role: "tool",
      call: "x",
      name: "f",
      text: "r",
    });
  await recording([{ deltas: [["text", "ok"]] }], [asked('{"a":1,"b":[2]}')], async (file) => {
    const same = createReplayProvider(file, here);
    assert.equal((await same.complete(asked('{ "b": [2], "a": 1 }'), listener())).text, "ok");
    const other = createReplayProvider(file, here);
    const error = await failureOf(other.complete(asked('{"a":1,"b":[3]}'), listener()));
    assert.match(error.message, /message 2[\s\S]*f \{"a":1,"b":\[2\]\}[\s\S]*f \{"a":1,"b":\[3\]\}/);
  });
});

Deno.test("a replay says when the recording is over", async () => {
  await recording([{ deltas: [["text", "hi"]] }], [request(user("a"))], async (file) => {
    const replay = createReplayProvider(file, here);
    await replay.complete(request(user("a")), listener());
    const error = await failureOf(replay.complete(request(user("a"), user("and b")), listener()));
    assert.equal(error.code, "input_invalid");
    assert.match(error.message, /ends after 1 requests[\s\S]*and b/);
  });
});

Deno.test("a replay that is not strict answers in order whatever is asked", async () => {
  await recording([{ deltas: [["text", "hi"]] }], [request(user("a"))], async (file) => {
    const replay = createReplayProvider(file, { ...here, strict: false });
    assert.equal(replay.recorded, true);
    assert.equal((await replay.complete(request(user("other")), listener())).text, "hi");
  });
});

Deno.test("a replay fails where the recorded request failed", async () => {
  const error = new PryxError("provider_interrupted", "broke off in /home/me/project", { fix: "go on" });
  await recording([{ error }], [request(user("a"))], async (file) => {
    const replayed = await failureOf(
      createReplayProvider(file, there).complete(request(user("a")), listener()),
    );
    assert.deepEqual(replayed.toJSON(), {
      code: "provider_interrupted",
      message: "broke off in /srv/other place",
      fix: "go on",
    });
  });
});

Deno.test("a recording holds no secret, not even one that came in two pieces", async () => {
  const secret = "hunter2hunter2";
  const answers: Scripted[] = [{
    deltas: [["text", "the key is hunter2"], ["text", "hunter2, keep it"]],
    response: { calls: [{ id: "c", name: "shell", args: `{"command":"curl -H ${secret}"}` }] },
  }];
  const redact = (text: string) => text.replaceAll(secret, "[secret]");
  const asked = request(user(`my key: ${secret}`));
  await recording(answers, [asked], async (file) => {
    assert.ok(!(await Deno.readTextFile(file)).includes("hunter2"));
    const answer = await createReplayProvider(file, { ...here, redact }).complete(asked, listener());
    assert.equal(answer.text, "the key is [secret], keep it");
  }, { redact });
});

Deno.test("a recording can be read by its owner alone, and leaves opaque items out", {
  ignore: Deno.build.os === "windows",
}, async () => {
  const opaque = { provider: "scripted", items: ["gAAAA"] };
  await recording([{ deltas: [["text", "x"]], response: { opaque } }], [request(user("a"))], async (file) => {
    assert.equal(((await Deno.stat(file)).mode ?? 0) & 0o777, 0o600);
    assert.ok(!(await Deno.readTextFile(file)).includes("gAAAA"));
  });
});

Deno.test("a recording writes each message once, however long the conversation", async () => {
  const turns = ["first words", "second words", "third words"];
  const requests = turns.map((_, index) => request(...turns.slice(0, index + 1).map(user)));
  await recording(turns.map(() => ({ deltas: [["text", "k"]] })), requests, async (file) => {
    const tape = await Deno.readTextFile(file);
    assert.equal(tape.split("first words").length - 1, 1);
    const replay = createReplayProvider(file, here);
    for (const one of requests) assert.equal((await replay.complete(one, listener())).text, "k");
  });
});

Deno.test("recordProvider() begins a cassette anew and touches no other file", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = `${folder}/tape.jsonl`;
    for (const text of ["old", "new"]) {
      const recorder = recordProvider(scripted([{ deltas: [["text", text]] }]), { file, ...here });
      await recorder.complete(request(user("a")), listener());
    }
    assert.deepEqual(
      (await readCassette(file)).entries.map((entry) =>
        (entry as { response?: ModelResponse }).response?.text
      ),
      ["new"],
    );
    const precious = `${folder}/notes.txt`;
    await Deno.writeTextFile(precious, "mine\n");
    const error = await failureOf(
      recordProvider(scripted([{}]), { file: precious, ...here }).complete(request(user("a")), listener()),
    );
    assert.equal(error.code, "conflict");
    assert.equal(await Deno.readTextFile(precious), "mine\n");
    const nowhere = recordProvider(scripted([{}]), { file: `${folder}/no/such/tape`, ...here });
    assert.match(
      (await failureOf(nowhere.complete(request(user("a")), listener()))).message,
      /folder does not exist/,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

const HEADER = '{"v":1,"type":"cassette","createdAt":"2026-01-01T00:00:00Z","provider":"p"}';

Deno.test("parseCassette() says what is wrong and where", () => {
  const problem = (text: string) => {
    try {
      modelEntries(parseCassette(text, "tape"), "tape");
    } catch (error) {
      if (error instanceof PryxError && error.code === "input_invalid") return error.message;
    }
    return "no problem";
  };
  assert.match(problem(""), /not a cassette/);
  assert.match(problem("hello\n"), /line 1 is not JSON/);
  assert.match(problem('{"a":1}\n'), /not a cassette/);
  assert.match(problem(HEADER.replace('"v":1', '"v":2')), /version 2/);
  assert.match(problem(`${HEADER}\n{"kind":\n{}\n`), /line 2 is not JSON/);
  assert.match(problem(`${HEADER}\n{"a":1}\n`), /entry 1 has no kind/);
  assert.match(problem(`${HEADER}\n{"kind":"model","key":"","request":{}}\n`), /neither/);
});

Deno.test("parseCassette() keeps what came before a line that was cut off, and kinds it does not know", () => {
  const { entries } = parseCassette(`${HEADER}\n{"kind":"clock","at":1}\n{"kind":"mod`, "tape");
  assert.deepEqual(entries, [{ kind: "clock", at: 1 }]);
});

Deno.test("readCassette() says that there is no such file", async () => {
  assert.equal((await failureOf(readCassette("/no/such/tape.jsonl"))).code, "not_found");
});

Deno.test("canonicalJson() is the same for the same value", () => {
  assert.equal(
    canonicalJson('{"b":{"d":1,"c":[{"z":1,"y":2}]},"a":null}'),
    '{"a":null,"b":{"c":[{"y":2,"z":1}],"d":1}}',
  );
  assert.equal(canonicalJson("{broken"), "{broken");
});

Deno.test("hidePlaces() hides whole paths only, the longest first", () => {
  const cases: [string, string][] = [
    ["/home/me/project/a.ts", "${workspace}/a.ts"],
    ["cd /home/me/project && ls /home/me", "cd ${workspace} && ls ${home}"],
    ["In /home/me/project. And", "In ${workspace}. And"],
    ["/home/me/project2 /home/meow /private/home/me", "${home}/project2 /home/meow /private/home/me"],
    ["file:///home/me/project/a", "file://${workspace}/a"],
    ["already ${workspace} and $${home}", "already $${workspace} and $$${home}"],
  ];
  for (const [plain, hidden] of cases) {
    assert.equal(hidePlaces(plain, here), hidden);
    assert.equal(showPlaces(hidden, here), plain);
  }
});

Deno.test("hidePlaces() knows paths of Windows in text and in JSON", () => {
  const places = { workspace: "C:\\Users\\me\\p", home: "C:\\Users\\me" };
  const args = JSON.stringify({ path: "C:\\Users\\me\\p\\a.ts" });
  assert.equal(hidePlaces(args, places), '{"path":"${workspace}\\\\a.ts"}');
  assert.equal(showPlaces('{"path":"${workspace}\\\\a.ts"}', places, "json"), args);
  assert.equal(hidePlaces("C:\\Users\\me\\p\\a.ts", places), "${workspace}\\a.ts");
});

Deno.test("showPlaces() undoes hidePlaces(), for any text in any pieces", () => {
  const part = fc.oneof(
    fc.constantFrom(
      "/home/me/project",
      "/home/me",
      "${workspace}",
      "$${home}",
      "$",
      "/",
      "{",
      "a",
      "-",
      ".",
      " ",
    ),
    fc.string({ maxLength: 4 }),
  );
  fc.assert(fc.property(fc.array(part), fc.array(fc.nat(60)), (parts, at) => {
    const text = parts.join("");
    const cuts = at.filter((cut) => cut < text.length).sort((a, b) => a - b);
    assert.equal(showPlaces(hidePlaces(text, here), here), text);
    const pieces = cutHidden(text, here, cuts);
    assert.equal(pieces.join(""), hidePlaces(text, here));
    assert.equal(pieces.map((piece) => showPlaces(piece, here)).join(""), text);
    assert.equal(pieces.length, cuts.length + 1);
  }));
});
