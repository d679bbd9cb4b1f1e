import type { Need } from "../../core/domain/need.ts";
import type { Rule } from "../../core/domain/policy.ts";
import { createPolicy } from "../../core/policy/create_policy.ts";
import type { Measurement } from "./_measure.ts";
import { rate } from "./_measure.ts";

const RULES = 100;

/** Needs of the kinds that calls state most: files, a command, a host. */
const NEEDS: readonly (readonly Need[])[] = [
  [{ kind: "read", target: "/home/ann/project/src/deep/folder/file.ts" }],
  [{ kind: "write", target: "/home/ann/project/docs/page7.md" }],
  [{
    kind: "run",
    target: "git log --oneline",
    argv: ["git", "log", "--oneline"],
    executable: "/usr/bin/git",
  }],
  [{ kind: "net", target: "api42.example.org:443" }],
];

function rules(): Rule[] {
  const patterns = [
    ["read", (i: number) => `src/part${i}/**`],
    ["write", (i: number) => `docs/page${i}.md`],
    ["run", (i: number) => `git command${i}`],
    ["net", (i: number) => `api${i}.example.org`],
  ] as const;
  return Array.from({ length: RULES }, (_, i) => {
    const [kind, pattern] = patterns[i % patterns.length] ?? patterns[0];
    const verdict = i % 5 === 0 ? "deny" : i % 3 === 0 ? "ask" : "allow";
    return { verdict, kind, pattern: pattern(i), layer: "user", source: `config.jsonc:${i + 1}` };
  });
}

/** Decisions about one need each, with a hundred rules beside the preset's own. */
export function evaluate(): Measurement {
  const policy = createPolicy({
    preset: "workspace",
    workspace: "/home/ann/project",
    home: "/home/ann",
    rules: rules(),
    protectedPaths: ["/home/ann/.config/pryx"],
  });
  const context = { origin: "model", taint: [], grants: [] } as const;
  const value = rate(1000 * NEEDS.length, () => {
    for (let i = 0; i < 1000; i++) {
      for (const needs of NEEDS) policy.evaluate(needs, context);
    }
  });
  return {
    name: `Decisions, with ${RULES} rules`,
    value,
    unit: "/s",
    limit: { least: 200_000 },
    detail: "reads, writes, commands and hosts in turn",
  };
}
