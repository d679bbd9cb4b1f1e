import assert from "node:assert/strict";
import { join } from "node:path";
import { PROGRAM } from "../support/built_pryx.ts";
import { kernelLayers } from "../support/kernel_layers.ts";
import { hasProgram } from "../support/tmux.ts";
import type { Aftermath, CallCase, Mode, Refusal } from "./_case.ts";
import { outcomeOf } from "./_events.ts";
import { FAULT, type Fault, faultyProgram, WARM } from "./_faulty_build.ts";
import { type Finished, landlockPath, openMachine } from "./_machine.ts";
import { SESSIONS } from "./_sessions.ts";
import { FAMILIES } from "./families.ts";

/** What is the case in one mode, and what it needs of the machine. */
const MODE: Readonly<Record<Mode, { readonly bubblewrap: boolean; readonly fault?: Fault }>> = {
  "bubblewrap": { bubblewrap: true },
  "landlock": { bubblewrap: false },
  "stubbed": { bubblewrap: true, fault: "policy" },
  "stubbed-landlock": { bubblewrap: false, fault: "policy" },
  "planted": { bubblewrap: true, fault: "path" },
  "fallen": { bubblewrap: true, fault: "context" },
};

const ABOUT_ROOT = "it is about running as root";

/** Why a case cannot run here; undefined when it can. */
export function missing(mode: Mode, needed: Pick<CallCase, "programs" | "only"> = {}): string | undefined {
  if (needed.only === "root" && Deno.uid() !== 0) return ABOUT_ROOT;
  const program = needed.programs?.find((name) => !hasProgram(name));
  if (program !== undefined) return `there is no ${program}`;
  if (Deno.build.os !== "linux") return "there is no kernel layer on this system that was tried";
  if (MODE[mode].bubblewrap) return kernelLayers.bubblewrap ? undefined : "bubblewrap does not work here";
  return kernelLayers.landlock > 0 ? undefined : "the kernel has no Landlock";
}

/** In continuous integration no layer may be missing. */
const MUST_RUN = Deno.env.get("CI") === "true";

/** A test that is left out where the machine lacks something, and says what. */
export function testCase(name: string, lack: string | undefined, fn: () => Promise<void>): void {
  if (lack === undefined) Deno.test(name, fn);
  else if (MUST_RUN && lack !== ABOUT_ROOT) Deno.test(name, () => assert.fail(`not run: ${lack}`));
  else Deno.test({ name: `${name} (not run: ${lack})`, ignore: true, fn });
}

/** How a mode is run beside what it is. */
export interface SuiteOptions {
  /** Commands share confined shells wherever they may, with those of all other cases of the run. */
  readonly warm?: boolean;
}

/** Declares a test for every call case of a mode. Cases of one session share one run of the program. */
export function declareCalls(mode: Mode, options: SuiteOptions = {}): void {
  const where = options.warm === true ? `${mode}, in warm shells` : mode;
  const cases: readonly CallCase[] = FAMILIES.flatMap((family) => family.cases)
    .filter((one): one is CallCase => one.kind === "call" && one.refused[mode] !== undefined);
  const runs = new Map<string, Promise<Observation>>();
  const possible = (name: string) =>
    cases.filter((one) => one.session === name && missing(mode, one) === undefined);
  const observe = (name: string) => {
    const run = runs.get(name) ?? runSession(name, possible(name), mode, options);
    runs.set(name, run);
    return run;
  };
  for (const one of cases) {
    const refusal = one.refused[mode];
    if (!refusal) continue;
    testCase(
      `${one.id} ${where}: ${one.title}: refused by ${refusal.layer}`,
      missing(mode, one),
      async () => check(one, refusal, await observe(one.session)),
    );
  }
  for (const name of new Set(cases.map(({ session }) => session))) {
    const lack = possible(name).length === 0 ? missing(mode, cases[0]) : undefined;
    testCase(`${where}: nothing secret leaves the run "${name}"`, lack, async () => {
      const { secret, sent } = await observe(name);
      for (const form of formsOf(secret)) {
        assert.ok(!sent.includes(form), "the secret is in what left the program");
      }
    });
  }
}

/** All that was seen of one run. */
interface Observation {
  readonly finished: Finished;
  readonly secret: string;
  /** What left the program. */
  readonly sent: string;
  readonly harm: ReadonlyMap<string, string | undefined>;
}

async function runSession(
  name: string,
  cases: readonly CallCase[],
  mode: Mode,
  { warm = false }: SuiteOptions,
): Promise<Observation> {
  const session = SESSIONS[name];
  if (!session) throw new Error(`There is no session "${name}"`);
  await using machine = await openMachine();
  await using path = MODE[mode].bubblewrap ? undefined : await landlockPath();
  const { place } = machine;
  await session.setup?.(place);
  for (const one of cases) {
    await Deno.mkdir(join(place.workspace, one.id), { recursive: true });
    await one.setup?.(place);
  }
  const { fault } = MODE[mode];
  const finished = await machine.run(
    cases.flatMap((one) => [
      { ...one.attack(place), id: `${one.id}.attack` },
      { ...one.twin(place), id: `${one.id}.twin` },
    ]),
    {
      program: fault === undefined && !warm ? PROGRAM : await faultyProgram(),
      flags: session.flags(place),
      env: {
        ...session.env?.(place),
        ...(path ? { PATH: path.path } : {}),
        ...(fault === undefined ? {} : { [FAULT]: fault }),
        ...(warm ? { [WARM]: "yes" } : {}),
      },
    },
  );
  const aftermath: Aftermath = { place, intruders: machine.intruders, knocks: machine.knocks };
  const harm = new Map<string, string | undefined>();
  for (const one of cases) harm.set(one.id, await one.harm?.(aftermath));
  return { finished, secret: place.secret, sent: machine.sent(), harm };
}

function check(one: CallCase, refusal: Refusal, { finished, secret, harm }: Observation): void {
  const all = () => `exit ${finished.code}\n${finished.stderr.slice(-2000)}`;
  const attack = outcomeOf(finished.events, `${one.id}.attack`);
  const twin = outcomeOf(finished.events, `${one.id}.twin`);
  assert.ok(attack && twin, `the program did not finish the calls: ${all()}`);
  const seen = `${attack.text}\n${attack.reasons}`;
  const told = `${one.id}: ${attack.verdicts.join(", ")} → ${attack.status}\n${seen.slice(0, 2000)}`;

  assert.equal(harm.get(one.id), undefined, `harm was done: ${told}`);
  for (const form of formsOf(secret)) assert.ok(!seen.includes(form), `the secret got out: ${told}`);
  assert.match(seen, refusal.sees, told);
  if (refusal.layer === "policy") assert.equal(attack.verdicts[0], "deny", told);
  else if (refusal.layer === "approval") assert.ok(attack.verdicts.includes("ask"), told);
  else assert.equal(attack.verdicts[0] ?? "allow", "allow", `it did not come to the layer below: ${told}`);
  if (refusal.done) assert.equal(attack.status, "done", told);
  else assert.notEqual(attack.status, "done", told);
  if (refusal.layer === "approval" || attack.verdicts.includes("ask")) {
    assert.equal(finished.code, 3, `somebody was missing, and the run did not say so: ${all()}`);
  }

  const twinTold = `the twin of ${one.id}: ${
    twin.verdicts.join(", ")
  } → ${twin.status}\n${twin.text}\n${twin.reasons}`;
  assert.equal(twin.status, "done", twinTold);
  assert.match(twin.text, one.gives, twinTold);
}

/** The secret as it is, and in disguises that a command might give it. */
function formsOf(secret: string): string[] {
  // Of base64, the middle: its ends depend on what stands beside it.
  return [
    secret,
    [...secret].reverse().join(""),
    btoa(secret).slice(4, -8),
    btoa(`xx${secret}`).slice(4, -8),
  ];
}
