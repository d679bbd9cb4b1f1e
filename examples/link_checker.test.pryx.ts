import { assert, test } from "pryx";
import { anchorsOf, linksOf, resolvePath } from "./_markdown_links.ts";

const targets = (text: string) => linksOf(text).map(({ target }) => target);

test("linksOf() finds links of all forms, where they stand", () => {
  assert.equal(linksOf("a\n[b](c.md#d) ![e](<f g.png>)"), [
    { target: "c.md#d", line: 2, column: 5 },
    { target: "f g.png", line: 2, column: 19 },
  ]);
  assert.equal(targets('[a](b_(c) "title") <https://d.org>\n[e]: f'), ["b_(c)", "https://d.org", "f"]);
});

test("linksOf() leaves code and comments alone", () => {
  assert.equal(targets("`[a](b)` <!-- [c](d) -->\n```md\n[e](f)\n```\n[g](h)"), ["h"]);
});

test("anchorsOf() spells headings as GitHub does", () => {
  const anchors = anchorsOf('# What\'s `new`?\n## A\n## A\nTitle\n=====\n<a id="Own"></a>\n```\n# no\n```\n');
  assert.equal([...anchors], ["whats-new", "a", "a-1", "title", "own"]);
});

test("resolvePath() stays in the project", () => {
  assert.equal(resolvePath("docs/a.md", "../b%20c.md"), "b c.md");
  assert.equal(resolvePath("docs/a.md", "/b.md"), "b.md");
  assert.equal(resolvePath("docs/a.md", "../../b.md"), undefined);
});
