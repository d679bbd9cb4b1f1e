import assert from "node:assert/strict";
import { join } from "node:path";
import { PROGRAM } from "../support/built_pryx.ts";
import type { Mode } from "./_case.ts";
import { faultyProgram } from "./_faulty_build.ts";
import { type Finished, type Machine, openMachine, put } from "./_machine.ts";
import type { Script, ScriptCase } from "./_script.ts";
import { missing, testCase } from "./_suite.ts";

/** The program of a mode. */
export const programOf = async (mode: Mode): Promise<string> =>
  mode === "bubblewrap" ? PROGRAM : await faultyProgram();

/** A variable of the host that no script may see: it holds the secret of the machine. */
export const CANARY = "PRYX_CANARY";

/** Of one run of a script, which takes less than a second but where it says so. */
const DEADLINE_MS = 45_000;

/** Declares a test for every case: what is hostile, nothing that it got, and the benign twin. */
export function declareScripts(cases: readonly ScriptCase[]): void {
  for (const one of cases) {
    for (const [mode, refusal] of Object.entries(one.refused)) {
      testCase(
        `${one.id} ${mode}: ${one.title}: refused by ${refusal.layer}`,
        missing(mode as Mode),
        () => runCase(one, mode as Mode),
      );
    }
  }
}

async function runCase(one: ScriptCase, mode: Mode): Promise<void> {
  await using machine = await openMachine();
  const { place } = machine;
  const program = await programOf(mode);
  await one.setup?.(place);
  const said: string[] = [];
  const attacks = one.attacks(place);
  for (const [index, attack] of attacks.entries()) {
    const { code, told } = await runScript(machine, program, attack);
    said.push(told);
    const about = `${one.id}, ${index + 1} of ${attacks.length}: ${told.slice(0, 4_000)}`;
    assert.ok([attack.code ?? 0].flat().includes(code), about);
    assert.ok(attack.prints.test(told), `${about}\nhas no ${attack.prints}`);
  }
  const through = said.join("\n").split("\n").filter((line) => /\bFELL\b/.test(line));
  assert.deepEqual(through, [], `${one.id} got through`);
  const harm = await one.harm?.({ place, intruders: machine.intruders, knocks: machine.knocks });
  assert.equal(harm, undefined, `harm was done: ${said.join("\n")}`);
  await assertKept(machine, said.join("\n"));

  const works = one.works(place);
  const { code, told } = await runScript(machine, program, works);
  assert.equal(code, works.code ?? 0, `the twin of ${one.id}: ${told}`);
  assert.match(told, works.prints, `the twin of ${one.id}`);
  await assertKept(machine, told);
}

/** Runs `job.pryx.ts` in the workspace of the machine. */
export async function runScript(
  machine: Machine,
  program: string,
  { text, files = {}, flags = [], args = [], env = {}, through }: Script,
): Promise<Finished & { readonly told: string }> {
  const { place } = machine;
  // The root of the project, whatever is above it.
  await Deno.mkdir(place.at(".pryx"), { recursive: true });
  for (const [path, content] of Object.entries({ ...files, "job.pryx.ts": text })) {
    await put(place.at(path), content);
  }
  const finished = await machine.pryx(["run", ...flags, "job.pryx.ts", ...args], {
    program,
    env: { [CANARY]: place.secret, ...env },
    ...(through ? { through } : {}),
    deadline: DEADLINE_MS,
  });
  return { ...finished, told: `exit ${finished.code}\n${finished.stdout}\n${finished.stderr}` };
}

/** Neither what was printed, nor what was sent, nor what is stored holds the secret; nobody came where nobody may. */
export async function assertKept(machine: Machine, told = ""): Promise<void> {
  const { secret, home } = machine.place;
  const forms = [secret, [...secret].reverse().join(""), btoa(secret).slice(4, -8)];
  for (const form of forms) assert.ok(!machine.sent().includes(form), `the secret got out: ${told}`);
  assert.deepEqual(machine.intruders, [], `a server was reached that nobody may reach: ${told}`);
  assert.deepEqual(machine.knocks, [], `a socket was reached that nobody may reach: ${told}`);
  const stored = join(home, ".local/share/pryx");
  for await (const file of filesBelow(stored)) {
    const bytes = new TextDecoder("latin1").decode(await Deno.readFile(file));
    for (const form of forms) assert.ok(!bytes.includes(form), `the secret is stored in ${file}: ${told}`);
  }
}

async function* filesBelow(folder: string): AsyncGenerator<string> {
  // A run that never began stores nothing.
  if (!await Deno.stat(folder).then(() => true, () => false)) return;
  for await (const entry of Deno.readDir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory) yield* filesBelow(path);
    else if (entry.isFile) yield path;
  }
}
