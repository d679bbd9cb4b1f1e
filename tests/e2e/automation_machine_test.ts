import assert from "node:assert/strict";
import { join } from "node:path";
import { type BuiltPryx, builtPryx, PROGRAM } from "../support/built_pryx.ts";
import { hasProgram } from "../support/tmux.ts";
import { withoutBubblewrap } from "../support/without_bubblewrap.ts";
import { withoutKernelLayers } from "../support/without_kernel_layers.ts";

const ECHO = `import { fs, sh } from "pryx";
export const permissions = { run: ["echo"], read: ["."], write: ["out"] };
console.log(await sh\`echo hi\`.text());
await fs.write("out/a.txt", "x");
`;

async function project(files: Readonly<Record<string, string>>): Promise<BuiltPryx> {
  const pryx = await builtPryx();
  for (const [name, text] of Object.entries({ "pryx.lock": "", ...files })) await pryx.write(name, text);
  return pryx;
}

/** Processes whose command line is this, or the cells of pryx processes that are no more. */
async function processes(pattern: RegExp): Promise<number[]> {
  const found: number[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const line = await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => "");
    if (pattern.test(line.replaceAll("\0", " "))) found.push(Number(name));
  }
  return found;
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`it never came that ${what}`);
}

Deno.test("kill -9 leaves no cell and no command, the next run works, and why tells of it", async () => {
  // A number that no other command on this machine has.
  const seconds = `300.${crypto.getRandomValues(new Uint32Array(1))[0]}`;
  await using pryx = await project({
    "job.pryx.ts": `import { sh } from "pryx";
export const permissions = { run: ["sleep"] };
await sh\`sleep ${seconds}\`;
`,
    "next.pryx.ts": 'console.log("works");\n',
  });
  await using started = pryx.start(["run", "--allow", "run=sleep", "job.pryx.ts"]);
  await until("the command runs", async () => (await processes(new RegExp(`^sleep ${seconds}`))).length > 0);
  const children = await childrenOf(started.pid);
  assert.ok(children.length > 0);
  started.kill("SIGKILL");
  await started.finished();
  await until(
    "the command is gone",
    async () => (await processes(new RegExp(`sleep ${seconds}`))).length === 0,
  );
  await until("the children are gone", async () => (await alive(children)).length === 0);
  const why = await pryx.run(["why"]);
  assert.match(why.stdout, /Asked: job\.pryx\.ts[^]*cut off[^]*sleep 300/);
  assert.match((await pryx.run(["sessions", "list"])).stdout, /interrupted +job\.pryx\.ts/);
  assert.match((await pryx.run(["sessions", "show"])).stdout, /sh sleep.*not finished/);
  const next = await pryx.run(["run", "next.pryx.ts"]);
  assert.deepEqual([next.code, next.stdout], [0, "works\n"]);
});

async function childrenOf(pid: number): Promise<number[]> {
  const found: number[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    const stat = await Deno.readTextFile(`/proc/${name}/stat`).catch(() => "");
    if (/^\d+$/.test(name) && stat.split(") ").at(-1)?.split(" ")[1] === String(pid)) {
      found.push(Number(name));
    }
  }
  return found;
}

async function alive(pids: readonly number[]): Promise<number[]> {
  const states = await Promise.all(pids.map((pid) => Deno.readTextFile(`/proc/${pid}/stat`).catch(() => "")));
  return pids.filter((_, at) => states[at] !== "" && !/\) Z /.test(states[at] ?? ""));
}

Deno.test("runs of one automation at the same time lose none of each other's changes of state", async () => {
  await using pryx = await project({
    "job.pryx.ts": `import { state } from "pryx";
for (let n = 0; n < 50; n++) await state.update<number>("n", (value = 0) => value + 1);
`,
    "read.pryx.ts": 'import { state } from "pryx";\nconsole.log(await state.get("n"));\n',
  });
  const ends = await Promise.all([1, 2, 3].map(() => pryx.run(["run", "job.pryx.ts"])));
  assert.deepEqual(ends.map(({ code }) => code), [0, 0, 0], ends.map(({ stderr }) => stderr).join());
  // Another file has a state of its own.
  assert.equal((await pryx.run(["run", "read.pryx.ts"])).stdout, "undefined\n");
  await pryx.write("job.pryx.ts", await pryx.read("read.pryx.ts"));
  assert.equal((await pryx.run(["run", "job.pryx.ts"])).stdout, "150\n");
});

Deno.test("an automation runs without bubblewrap", async () => {
  await using pryx = await project({ "job.pryx.ts": ECHO });
  await using search = await withoutBubblewrap();
  const { code, stdout, stderr } = await pryx.run(
    ["run", "--preset", "workspace", "--allow", "run=echo", "job.pryx.ts"],
    { env: { PATH: search.path } },
  );
  assert.deepEqual([code, stdout], [0, "hi\n"], stderr);
});

Deno.test("where nothing holds a command, it asks for all that it could reach, and the rest of an automation works", async () => {
  await using pryx = await project({
    "job.pryx.ts": ECHO,
    "plain.pryx.ts":
      'import { fs } from "pryx";\nexport const permissions = { write: ["out"] };\nawait fs.write("out/a", "x");\nconsole.log("written");\n',
  });
  await using machine = await withoutKernelLayers();
  const options = { env: { PATH: machine.path }, through: machine.through };
  const plain = await pryx.run(["run", "--preset", "workspace", "plain.pryx.ts"], options);
  assert.deepEqual([plain.code, plain.stdout], [0, "written\n"], plain.stderr);
  const asked = await pryx.run(
    ["run", "--preset", "workspace", "--allow", "run=echo", "job.pryx.ts"],
    options,
  );
  assert.equal(asked.code, 3, asked.stderr);
  assert.match(asked.stderr, /read=\/|declare/);
});

Deno.test("without a home, or with a data folder that cannot be written, pryx says what to do", async () => {
  await using pryx = await project({ "job.pryx.ts": 'console.log("ran");\n' });
  const homeless = await pryx.run(["run", "job.pryx.ts"], { env: { HOME: "", PRYX_HOME: "" } });
  assert.deepEqual([homeless.code, homeless.stdout], [2, ""]);
  assert.match(homeless.stderr, /Set HOME or PRYX_HOME/);
  await Deno.writeTextFile(join(pryx.home, "file"), "");
  const { code, stdout, stderr } = await pryx.run(["run", "job.pryx.ts"], {
    env: { PRYX_HOME: join(pryx.home, "file") },
  });
  assert.deepEqual([code, stdout], [1, ""], stderr);
  assert.match(stderr, /^pryx: /);
  assert.doesNotMatch(stderr, /\n\s+at /);
});

Deno.test("output to a full disk fails the run, and says so", async () => {
  await using pryx = await project({
    "job.pryx.ts": "for (let n = 0; n < 20_000; n++) console.log(`line ${n}`);\n",
  });
  const { code, stderr } = await new Deno.Command("sh", {
    args: ["-c", '"$1" run job.pryx.ts >/dev/full', "sh", PROGRAM],
    cwd: pryx.workspace,
    env: pryx.env,
    clearEnv: true,
  }).output();
  assert.equal(code, 1);
  assert.match(new TextDecoder().decode(stderr), /Cannot write to standard output: No space left/);
});

const asOther = { ignore: Deno.uid() !== 0 || !hasProgram("setpriv") };

Deno.test("an automation runs as an ordinary user", asOther, async () => {
  await using pryx = await project({ "job.pryx.ts": ECHO });
  const folder = join(pryx.home, "..");
  await new Deno.Command("chown", { args: ["-R", "65534:65534", folder] }).output();
  const { code, stdout, stderr } = await pryx.run(
    ["run", "--preset", "workspace", "--allow", "run=echo", "job.pryx.ts"],
    { through: ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"] },
  );
  assert.deepEqual([code, stdout], [0, "hi\n"], stderr);
});
