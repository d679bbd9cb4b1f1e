import { assert, test } from "pryx";
import { addSection, hasSection, renderSection } from "./_changelog.ts";

const fixed = (text: string, ...commits: string[]) => ({ title: "Fixed", entries: [{ text, commits }] });

test("renderSection() makes one group of each title", () => {
  assert.equal(
    renderSection("1.2.0", new Date("2026-03-01"), [fixed("a\nb", "0123456789ab"), fixed("c")]),
    "## 1.2.0 (2026-03-01)\n\n### Fixed\n\n- a b (`012345678`)\n- c",
  );
});

test("addSection() puts it below Unreleased, above the newest version", () => {
  const before = "# Changelog\n\n## Unreleased\n\n- x\n\n## [1.0.0] - 2025-01-01\n";
  assert.equal(addSection(before, "## 1.1.0"), before.replace("## [1.0.0]", "## 1.1.0\n\n## [1.0.0]"));
  assert.equal(addSection("# Changelog\n", "## 1.1.0"), "# Changelog\n\n## 1.1.0\n");
});

test("hasSection() knows versions however they are written", () => {
  assert(hasSection("## [1.0.0] - 2025-01-01\n", "v1.0.0"));
  assert(hasSection("## v1.0.0 (2025-01-01)\n", "1.0.0"));
  assert(!hasSection("## 1.0.0-rc.1\n", "1.0.0"));
});
