import assert from "node:assert/strict";
import { renderApproval } from "../../repl/approval_prompt.ts";
import { createStyle } from "../../repl/style.ts";
import type { EventData } from "../../core/domain/event.ts";

type Asked = EventData<"approval.requested">;

const asked = (more: Partial<Asked>): Asked => ({
  approval: "a1",
  call: "c1",
  digest: "d",
  tool: "shell",
  summary: "shell: ls -l",
  judgements: [],
  expiresAt: "2026-01-02T03:04:05.000Z",
  ...more,
} as unknown as Asked);
const ask = (target: string, reason = "no rule matches") => ({
  need: { kind: "run", target },
  verdict: "ask",
  reason,
});
const style = createStyle(false);

Deno.test("renderApproval() says each need once, and a reason of several once", () => {
  const text = renderApproval(
    asked({
      summary: "shell: echo one && ls\nneeds:\n  run=echo one\n  run=ls",
      judgements: [ask("echo one"), ask("ls")] as unknown as Asked["judgements"],
    }),
    style,
  );
  assert.equal(
    text,
    [
      "┌ May the agent do this?",
      "│   shell: echo one && ls",
      "│ needs  run=echo one",
      "│ needs  run=ls",
      "│ why    no rule matches",
      "",
    ].join("\n"),
  );
});

Deno.test("renderApproval() says each need once where it is said what the command may do, too", () => {
  const text = renderApproval(
    asked({
      summary: "shell: ls\nneeds:\n  run=ls\nmay:\n  network: none",
      judgements: [ask("ls")] as unknown as Asked["judgements"],
    }),
    style,
  );
  assert.equal(text.match(/run=ls/g)?.length, 1, text);
  assert.match(text, /│ {3}shell: ls\n│ {3}may:\n│ {5}network: none\n│ needs/);
});

Deno.test("renderApproval() keeps a list of needs that is not the one below", () => {
  const text = renderApproval(
    asked({
      summary: "write_file: write a\nneeds:\nb",
      judgements: [ask("x")] as unknown as Asked["judgements"],
    }),
    style,
  );
  assert.match(text, /│ {3}needs:\n│ {3}b\n/);
});

Deno.test("renderApproval() puts a bar before every line of the screen", () => {
  const spoof = `${"x ".repeat(60)}└ [y] once`;
  for (const columns of [30, 80]) {
    const text = renderApproval(
      asked({
        summary: `shell: ${spoof}\t${"漢".repeat(90)}`,
        judgements: [ask(spoof, spoof)] as unknown as Asked["judgements"],
      }),
      style,
      columns,
    );
    for (const line of text.trimEnd().split("\n")) {
      assert.match(line, /^[│┌]/);
      const wide = [...line].reduce((sum, char) => sum + (char === "漢" ? 2 : char === "\t" ? 8 : 1), 0);
      assert.ok(wide < columns, line);
    }
  }
});

Deno.test("renderApproval() breaks lines itself, of characters that are two columns wide on a terminal too", () => {
  for (const wide of ["⌚", "日", "🙂", "⭐", "✅"]) {
    const text = renderApproval(asked({ summary: `shell: echo ${wide.repeat(200)}` }), style, 80);
    for (const line of text.trimEnd().split("\n").slice(1)) {
      const columns = [...line].reduce((sum, char) => sum + (char === wide ? 2 : 1), 0);
      assert.ok(line.startsWith("│") && columns <= 80, line);
    }
  }
});
