import assert from "node:assert/strict";
import { builtPryx, PROGRAM } from "../support/built_pryx.ts";
import { hasNamespaces } from "../support/namespaces.ts";

Deno.test("pryx tour fixes the sample project without key, network or terminal, and shows a real denial", async () => {
  await using pryx = await builtPryx();
  const { code, stdout, stderr } = await pryx.run(["tour"]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /The model's side is recorded/);
  assert.match(stderr, /--allow 'run=sh \.\/check\.sh'/);
  assert.match(stderr, /\.env.*denied/s);
  assert.match(stdout, /check passed: 670/);
  const project = /Project\s+(.+)/.exec(stderr)?.[1] ?? "";
  assert.match(await Deno.readTextFile(`${project}/total.sh`), /total=\$\(\(total \+ price\)\)/);

  const sessions = await pryx.json(["sessions", "list", "--all"]) as unknown;
  assert.match(JSON.stringify(sessions), /The check of this project fails/);
  const events = (await pryx.run(["tour", "--json"])).stdout.trim().split("\n").map((line) =>
    JSON.parse(line)
  );
  const verdicts = events.filter((event) => event.type === "decision").map((event) => event.data.verdict);
  for (const verdict of ["allow", "deny", "ask"]) assert.ok(verdicts.includes(verdict), verdict);
  assert.equal((await pryx.run(["audit", "verify"])).code, 0);
  await Deno.remove(project, { recursive: true });
});

Deno.test("pryx tour runs where there is no network at all", { ignore: !hasNamespaces }, async () => {
  await using pryx = await builtPryx();
  const output = await new Deno.Command("unshare", {
    args: ["--user", "--map-root-user", "--net", PROGRAM, "tour"],
    cwd: pryx.workspace,
    env: { ...pryx.env },
    clearEnv: true,
    stdin: "null",
  }).output();
  const stderr = new TextDecoder().decode(output.stderr);
  assert.equal(output.code, 0, stderr);
  const project = /Project\s+(.+)/.exec(stderr)?.[1] ?? "";
  await Deno.remove(project, { recursive: true });
});
