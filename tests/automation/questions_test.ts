import assert from "node:assert/strict";
import { createQuestions } from "../../core/automation/_questions.ts";
import type { Methods } from "../../core/automation/methods.ts";
import { PryxError } from "../../core/domain/error.ts";
import { fakeTurn } from "./_fake_turn.ts";

type Question = Methods["question"]["params"];

const CONFIRM: Question = { name: "go", kind: "confirm", text: "Go on?" };
const INPUT: Question = { name: "who", kind: "input", text: "Who?" };
const SELECT: Question = { name: "size", kind: "select", text: "Size?", choices: ["small", "large"] };
const MANY: Question = { name: "parts", kind: "multiselect", text: "Parts?", choices: ["a", "b", "c"] };

const answered = (question: Question, answer: string) =>
  createQuestions(fakeTurn(undefined), { [question.name]: answer }).ask(question);

Deno.test("ask() takes what --answer says, for every kind of question", async () => {
  for (const yes of ["y", "YES", "true", "1", "on", " yes "]) {
    assert.equal(await answered(CONFIRM, yes), "yes");
  }
  for (const no of ["n", "No", "false", "0", "off"]) assert.equal(await answered(CONFIRM, no), "no");
  assert.equal(await answered(INPUT, ""), "");
  assert.equal(await answered(INPUT, " as typed=1 "), " as typed=1 ");
  assert.equal(await answered(SELECT, "large"), "large");
  assert.equal(await answered(MANY, "c, a"), '["c","a"]');
  assert.equal(await answered(MANY, ""), "[]");
});

Deno.test("ask() refuses an --answer that does not fit, and says what would", async () => {
  const refused = async (question: Question, answer: string, message: RegExp) =>
    await assert.rejects(answered(question, answer), (error) => {
      assert.ok(error instanceof PryxError);
      assert.equal(error.code, "input_invalid");
      assert.match(error.message, message);
      assert.match(error.fix ?? "", /--answer/);
      return true;
    });
  await refused(CONFIRM, "maybe", /^--answer go=maybe: it is neither yes nor no$/);
  await refused({ ...CONFIRM, default: "yes" }, "", /neither yes nor no/);
  await refused(SELECT, "medium", /^--answer size=medium: it is none of small, large$/);
  await refused(SELECT, "small,large", /none of/);
  await refused(MANY, "a,x", /"x" is none of a, b, c/);
});

Deno.test("ask() does not take what an object inherits for an answer", async () => {
  const questions = createQuestions(fakeTurn(undefined), {});
  for (const name of ["toString", "__proto__", "constructor"]) {
    await assert.rejects(questions.ask({ ...INPUT, name }), { code: "denied" });
  }
});

Deno.test("ask() takes the default where nobody is there, and else names the missing flag", async () => {
  const questions = createQuestions(fakeTurn(undefined), {});
  assert.equal(await questions.ask({ ...CONFIRM, default: "no" }), "no");
  assert.equal(await questions.ask({ ...INPUT, default: "" }), "");
  assert.equal(await questions.ask({ ...MANY, default: '["a"]' }), '["a"]');
  const missing = async (question: Question) =>
    await questions.ask(question).then(() => "", (error: PryxError) => `${error.code}: ${error.fix}`);
  assert.equal(await missing(CONFIRM), "denied: answer it with --answer go=yes");
  assert.equal(await missing(INPUT), "denied: answer it with --answer who=VALUE");
  assert.equal(await missing(SELECT), "denied: answer it with --answer size=small");
});

Deno.test("ask() asks a person who is there, until the answer fits", async () => {
  const turn = fakeTurn(["maybe", "yes"]);
  assert.equal(await createQuestions(turn, {}).ask(CONFIRM), "yes");
  assert.match(turn.asked[0]?.text ?? "", /^Go on\?/);
  assert.match(turn.asked[1]?.text ?? "", /neither yes nor no.*Go on\?/s);

  const choosing = fakeTurn(["small"]);
  assert.equal(await createQuestions(choosing, {}).ask(SELECT), "small");
  assert.deepEqual(choosing.asked[0]?.options, ["small", "large"]);

  const several = fakeTurn(["a, b"]);
  assert.equal(await createQuestions(several, {}).ask(MANY), '["a","b"]');
});

Deno.test("ask() takes an empty answer for the default", async () => {
  for (
    const question of [{ ...CONFIRM, default: "no" }, { ...SELECT, default: "large" }, {
      ...INPUT,
      default: "me",
    }]
  ) {
    assert.equal(await createQuestions(fakeTurn([""]), {}).ask(question), question.default);
  }
});

Deno.test("ask() gives up after three answers that do not fit, and does not say that nobody was there", async () => {
  const turn = fakeTurn(["?", "?", "?"]);
  await assert.rejects(createQuestions(turn, {}).ask(CONFIRM), (error) => {
    assert.ok(error instanceof PryxError);
    assert.equal(error.code, "input_invalid");
    assert.equal(error.message, 'No answer to "go" (Go on?) fitted');
    return true;
  });
  assert.equal(turn.asked.length, 3);
});

Deno.test("ask() goes by --answer also where a person is there", async () => {
  assert.equal(await createQuestions(fakeTurn([]), { go: "no" }).ask(CONFIRM), "no");
});
