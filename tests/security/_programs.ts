import assert from "node:assert/strict";
import type { Family, Mode } from "./_case.ts";
import { missing, testCase } from "./_suite.ts";

/** How one case that drives the program itself is run: the attack, what must be seen, and the twin. */
export type Drive = (mode: Mode) => Promise<void>;

/** Declares a test for every program case of a family in every mode it names; each must have its drive, and no other. */
export function declarePrograms(
  family: Family,
  drives: Readonly<Record<string, Drive>>,
  programs: readonly string[] = [],
): void {
  Deno.test(`every case of ${family.name} is driven`, () => {
    const ids = family.cases.filter(({ kind }) => kind === "program").map(({ id }) => id);
    assert.deepEqual(Object.keys(drives).sort(), ids.toSorted());
  });
  for (const one of family.cases) {
    if (one.kind !== "program") continue;
    for (const [mode, refusal] of Object.entries(one.refused)) {
      const drive = drives[one.id];
      testCase(
        `${one.id} ${mode}: ${one.title}: refused by ${refusal.layer}`,
        missing(mode as Mode, { programs }),
        async () => await drive?.(mode as Mode),
      );
    }
  }
}
