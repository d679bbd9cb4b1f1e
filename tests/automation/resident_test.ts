import assert from "node:assert/strict";
import { createDispatch } from "../../core/automation/dispatch.ts";
import { converse } from "../../core/automation/conversation.ts";
import { createLinker } from "../../core/automation/link.ts";
import type { Methods } from "../../core/automation/methods.ts";
import { PryxError } from "../../core/domain/error.ts";
import { createSandbox } from "../../core/sandbox/create_sandbox.ts";
import { MCP_TOOLS, residentContract, type SentMessage } from "../contract/resident_contract.ts";
import { SELF } from "./_cell.ts";

/** A real cell, with channels and a server that answer in the test's own process. */
residentContract("a resident cell", async (text) => {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "pryx resident " }));
  const sandbox = createSandbox({ home: folder, env: {}, scopes: [folder], self: SELF });
  const link = createLinker({ may: () => Promise.resolve(), patternProblem: () => undefined });
  const linked = await link({ text, folder });
  if ("problems" in linked) throw new Error(linked.problems.map(({ message }) => message).join("; "));
  const { graph } = linked;
  const sent: SentMessage[] = [];
  const conversation = converse({
    cell: await sandbox.cell(),
    name: graph.entry,
    say: () => {},
    answer({ method, params }) {
      switch (method) {
        case "channel.send":
          sent.push(params as SentMessage);
          return Promise.resolve(null);
        case "mcp.tools":
          return Promise.resolve(MCP_TOOLS);
        case "mcp.call": {
          const { args } = params as Methods["mcp.call"]["params"];
          return Promise.resolve({ added: args.text });
        }
      }
      return Promise.reject(new PryxError("internal", `The test answers no ${method}`));
    },
  });
  await conversation.ready;
  conversation.load({ modules: graph.modules, entry: graph.entry, args: [], cwd: folder, workspace: folder });
  const registered = await conversation.loaded;
  return {
    registered,
    sent,
    bring: async (kind, name, data) => await conversation.call("trigger", { kind, name, data }),
    async [Symbol.asyncDispose]() {
      await sandbox[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
});

Deno.test("without pryx serve, what needs a connection says so", async () => {
  const answer = createDispatch({} as Parameters<typeof createDispatch>[0]);
  const call = (method: string, params: unknown) =>
    answer({ method, params, signal: new AbortController().signal, event: () => {} });
  const calls: readonly (readonly [string, unknown, RegExp])[] = [
    ["channel.send", { channel: "team", text: "hi" }, /the channel team: it needs `pryx serve`/],
    ["mcp.tools", { server: "notes" }, /the MCP server notes: it needs `pryx serve`/],
    ["mcp.call", { server: "notes", tool: "add", args: {} }, /the MCP server notes: it needs `pryx serve`/],
  ];
  for (const [method, params, message] of calls) {
    await assert.rejects(
      call(method, params),
      (error: PryxError) => error.code === "needs_serve" && message.test(error.message),
    );
  }
});
