import assert from "node:assert/strict";
import { hashGraph } from "../../core/automation/_graph_hash.ts";

const source = (id: string, text: string) => ({ id, bytes: new TextEncoder().encode(text) });

Deno.test("hashGraph() has one hash for each graph, however names and texts could be cut", async () => {
  const graphs = [
    [source("a", "bc")],
    [source("ab", "c")],
    [source("a", ""), source("bc", "")],
    [source("a", "b"), source("c", "")],
    [source("a", "b\n"), source("c", "")],
    [],
  ];
  const hashes = await Promise.all(graphs.map(hashGraph));
  assert.equal(new Set(hashes).size, graphs.length);
});

Deno.test("hashGraph() does not depend on the order in which modules were found", async () => {
  const [a, b] = [source("a.ts", "1"), source("b.ts", "2")];
  assert.equal(await hashGraph([a, b]), await hashGraph([b, a]));
});
