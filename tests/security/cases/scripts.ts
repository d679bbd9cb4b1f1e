import type { Family } from "../_case.ts";
import { linking } from "./scripts/linking.ts";
import { pipe } from "./scripts/pipe.ts";
import { powers } from "./scripts/powers.ts";
import { realm } from "./scripts/realm.ts";
import { sealed } from "./scripts/sealed.ts";
import { wholeRuns } from "./scripts/whole.ts";

/** Run by scripts_*_test.ts. */
export const scripts: Family = {
  name: "script",
  title: "Hostile automations",
  cases: [...realm, ...linking, ...powers, ...wholeRuns, ...pipe, ...sealed].sort((a, b) =>
    a.id < b.id ? -1 : 1
  ),
};
