import assert from "node:assert/strict";
import ts from "typescript";
import { DECLARATIONS } from "../../core/automation/_declarations.ts";
import { problemsOf } from "./_check.ts";

/** A few lines over the API. What is wrong in them is said at the end of the line: `// TS2322`. */
interface Snippet {
  readonly of: string;
  readonly code: string;
}

const SNIPPETS: readonly Snippet[] = [
  {
    of: "apiVersion",
    code: `
      const version: 1 = apiVersion;
      const other: 2 = apiVersion; // TS2322
      apiVersion = 1; // TS2632
      console.log(version, other);`,
  },
  {
    of: "Permissions",
    code: `
      export const permissions = { read: ["."], use: ["agent"] } satisfies Permissions;
      export const unknown = { reed: ["."] } satisfies Permissions; // TS2353
      export const kind = { ui: ["x"] } satisfies Permissions; // TS2353
      export const text = { read: "." } satisfies Permissions; // TS2322
      export const number = { net: [80] } satisfies Permissions; // TS2322
      const first: string | undefined = permissions.read[0];
      console.log(first);`,
  },
  {
    of: "Json",
    code: `
      const json: Json = { a: [1, "b", null, { c: true }] };
      const date: Json = { at: new Date() }; // TS2322
      const missing: Json = undefined; // TS2322
      const call: Json = () => 1; // TS2322
      console.log(json, date, missing, call);`,
  },
  {
    of: "PryxError",
    code: `
      try {
        throw new PryxError("it went wrong", { code: "tool_failed", fix: "try again" });
      } catch (error) {
        error.code; // TS18046
        if (error instanceof PryxError) {
          const code: string = error.code;
          const fix: string = error.fix; // TS2322
          console.log(code, fix, error.message);
        }
      }
      new PryxError(); // TS2554
      new PryxError("text", { kode: "x" }); // TS2353`,
  },
  {
    of: "ShellError",
    code: `
      const e: unknown = 0;
      if (e instanceof ShellError) {
        const code: number = e.exitCode;
        const said: string = e.stderr + e.stdout + e.command + e.code;
        const wrong: string = e.exitCode; // TS2322
        console.log(code, said, wrong);
      }`,
  },
  {
    of: "sh ShellCommand ShellResult ShellValue",
    code: `
      const list = ["a", "b"];
      const version: string = await sh\`git describe \${"--tags"} \${list} \${1} \${2n} \${true}\`.text();
      const { code, ok, stdout }: ShellResult = await sh\`ls\`;
      const lines: string[] = await sh\`ls\`.quiet().cwd("src").env({ A: 1 }).timeout("5s").lines();
      const parsed = await sh\`npm ls --json\`.json<{ version: string }>();
      const up: string = parsed.version.toUpperCase();
      const command: ShellCommand = sh\`cat\`.stdin(new Uint8Array(2)).pipe(sh\`wc\`).pipe\`head -n \${3}\`;
      for await (const line of sh\`ls\`) console.log(line.trim());
      const value: ShellValue = [command, "x", ["y"]];
      const bytes: Uint8Array = await sh\`cat\`.bytes();
      const fine: boolean = await sh\`true\`.ok();
      sh("ls"); // TS2345
      sh\`cat \${undefined}\`; // TS2345
      sh\`cat \${{ file: "x" }}\`; // TS2353
      const text: string = await sh\`ls\`; // TS2322
      const json: string = await sh\`ls\`.json(); 
      const n: number = await sh\`ls\`.json<string>(); // TS2322
      sh\`ls\`.timeout(true); // TS2345
      sh\`ls\`.cwd(); // TS2554
      sh\`ls\`.trim(); // TS2339
      console.log(version, code, ok, stdout, lines, up, value, bytes, fine, text, json, n);`,
  },
  {
    of: "fs FileInfo FolderEntry GrepMatch FileChange",
    code: `
      const text: string = await fs.read("a.txt");
      const bytes: Uint8Array = await fs.readBytes("a.txt");
      const json = await fs.readJson<{ name: string }>("package.json");
      await fs.write("b", json.name, { mode: 0o755 });
      await fs.write("b", bytes);
      await fs.writeJson("c.json", { any: [1] });
      await fs.append("log", text);
      await fs.edit("b", "old", "new", { all: true });
      const entries: FolderEntry[] = await fs.list(".", { recursive: true });
      const matches: GrepMatch[] = await fs.grep("TODO", { glob: "*.ts", ignoreCase: true, limit: 5 });
      const info: FileInfo | null = await fs.stat("x");
      const size: number | undefined = info?.size;
      for await (const { kind, path } of fs.watch("src")) console.log(kind === "create", path.trim());
      const change: FileChange = { kind: "remove", path: "x" };
      await fs.copy("a", "b");
      await fs.move("a", "b");
      await fs.remove("a", { recursive: true });
      await fs.mkdir("d");
      const folder: string = await fs.temp("x");
      const there: boolean = await fs.exists("x");
      const paths: string[] = await fs.glob("**/*.ts", { cwd: "src", limit: 3 });
      fs.read(); // TS2554
      fs.read(1); // TS2345
      fs.write("b", 1); // TS2345
      fs.write("b", "x", { mod: 1 }); // TS2561
      (await fs.stat("x")).size; // TS2531
      fs.list("x", { recursiv: true }); // TS2561
      const link: "link" | undefined = entries[0]?.kind; // TS2322
      fs.readFile("x"); // TS2339
      console.log(matches, size, change, folder, there, paths, link);`,
  },
  {
    of: "http HttpOptions HttpResponse HttpText HttpError HttpEvent",
    code: `
      const options: HttpOptions = { headers: { authorization: secrets.use("gh").prefix("Bearer ") }, retries: 2 };
      const response: HttpResponse = await http.get("https://example.org", options);
      const status: number = response.status;
      const body = await response.json<{ id: number }>();
      const data = await http.json<{ name: string }[]>("https://example.org", { query: { page: 2 } });
      await http.post("https://example.org", { json: { a: 1 }, timeout: "5s", throws: false });
      await http.request("OPTIONS", "https://example.org");
      const text: HttpText = "x";
      for await (const piece of http.stream("https://example.org")) console.log(piece.byteLength);
      for await (const event of http.events("https://example.org", { method: "POST" })) {
        const all: HttpEvent = event;
        console.log(all.data.trim(), all.id, all.event);
      }
      const e: unknown = 0;
      if (e instanceof HttpError) console.log(e.status.toFixed(), e.response.ok, e.code);
      http.get("https://example.org", { method: "POST" }); // TS2353
      http.get(new URL("https://example.org")); // TS2345
      http.get("x", { redirect: "never" }); // TS2322
      http.get("x", { headers: { a: 1 } }); // TS2322
      const name: number = data[0]?.name; // TS2322
      response.header; // TS2551
      console.log(status, body.id, text, name);`,
  },
  {
    of: "git GitStatus GitCommit",
    code: `
      const status: GitStatus = await git.status();
      const changed: string[] = status.files.map(({ path }) => path);
      const commits: GitCommit[] = await git.log({ range: "a..b", limit: 3, paths: ["src"] });
      const diff: string = await git.diff({ staged: true });
      const branch: string | null = await git.branch();
      await git.createBranch("x", "main");
      const hash: string = await git.commit("text", { all: true });
      const size: number = await git.worktree("main", async (folder) => (await fs.list(folder)).length);
      git.log({ count: 3 }); // TS2353
      git.commit(); // TS2554
      const name: string = await git.branch(); // TS2322
      status.clean = true; // TS2540
      console.log(changed, commits[0]?.subject, diff, branch, hash, size, name);`,
  },
  {
    of: "agent AgentOptions AgentAnswer AgentSession SchemaOptions JsonSchema",
    code: `
      const answer: AgentAnswer = await agent.ask("q", { model: "a/b", tools: [], budget: 0.1, preset: "read-only" });
      const text: string = answer.text;
      const typed = await agent.ask("q", {
        schema: {
          type: "object",
          properties: {
            title: { type: "string" },
            kind: { enum: ["bug", "feature"] },
            tags: { type: "array", items: { type: "string" } },
            size: { type: ["integer", "null"] },
          },
          required: ["title", "kind", "tags", "size"],
        },
        timeout: "5m",
      });
      const kind: "bug" | "feature" = typed.kind;
      const tags: string[] = typed.tags;
      const size: number | null = typed.size;
      const list = await agent.ask("q", { schema: { type: "array", items: { type: "number" } } });
      const sum: number = list.reduce((a, b) => a + b, 0);
      const session: AgentSession = agent.session({ maxTurns: 3 });
      const more = await session.ask("q", { schema: { type: "object", properties: { a: { type: "boolean" } } } });
      const a: boolean | undefined = more.a;
      const id: string | undefined = session.id;
      for await (const piece of agent.stream("q")) console.log(piece.trim());
      const schema: JsonSchema = { type: "object", properties: { x: { type: "string" } } };
      const loose: Json = await agent.ask("q", { schema });
      const kept: AgentOptions = { context: "c" };
      const prepared = { schema: { type: "string" } as const } satisfies SchemaOptions<{ type: "string" }>;
      const said: string = await agent.ask("q", prepared);
      typed.titel; // TS2551
      const number: number = typed.title; // TS2322
      agent.ask("q", { modell: "x" }); // TS2769
      agent.ask(); // TS2554
      agent.ask("q", { preset: "dangerously-full" }); // TS2769
      answer.json; // TS2339
      more.a.valueOf(); // TS18048
      agent.ask("q", { schema: { type: "object", properties: [] as string[] , required: "x" } }); // TS2769
      console.log(text, kind, tags, size, sum, a, id, loose, kept, said, number);`,
  },
  {
    of: "FromSchema",
    code: `
      type S = FromSchema<{
        readonly type: "object";
        readonly properties: {
          readonly a: { readonly type: "integer" };
          readonly b: { readonly anyOf: readonly [{ readonly type: "null" }, { readonly const: "x" }] };
          readonly c: { readonly type: "object"; readonly additionalProperties: { readonly type: "boolean" } };
        };
        readonly required: readonly ["a", "b"];
      }>;
      const fits: S = { a: 1, b: null };
      const all: S = { a: 1, b: "x", c: { on: true } };
      const lacks: S = { a: 1 }; // TS2741
      const wrong: S = { a: "1", b: null }; // TS2322
      const other: S = { a: 1, b: "y" }; // TS2322
      const anything: FromSchema<{ readonly description: "x" }> = [1, { a: null }];
      console.log(fits, all, lacks, wrong, other, anything);`,
  },
  {
    of: "defineTool AgentTool",
    code: `
      const weather: AgentTool = defineTool({
        name: "weather",
        description: "Says the weather",
        parameters: { type: "object", properties: { city: { type: "string" }, days: { type: "integer" } }, required: ["city"] },
        run: ({ city, days }) => city.toUpperCase() + (days ?? 1).toFixed(),
      });
      await agent.ask("q", { tools: ["read_file", weather] });
      defineTool({ name: "x", description: "y", parameters: { type: "object", properties: { n: { type: "number" } } },
        run: ({ n }) => n.toFixed() }); // TS18048
      defineTool({ name: "x", parameters: { type: "object" }, run: () => 1 }); // TS2345
      agent.ask("q", { tools: [weather, 1] }); // TS2769`,
  },
  {
    of: "tools mcp",
    code: `
      const names: string[] = await tools.list();
      const said: string = await tools.call("read_file", { path: "x" });
      const issues: Json = await mcp("github").call("list_issues", { state: "open" });
      const described = (await mcp("github").tools()).map(({ name, description }) => name + description);
      tools.call(); // TS2554
      tools.call("x", "y"); // TS2345
      mcp(); // TS2554
      mcp("github").run(); // TS2339
      console.log(names, said, issues, described);`,
  },
  {
    of: "ui Progress",
    code: `
      const yes: boolean = await ui.confirm("go", "Go on?", { default: true });
      const name: string = await ui.input("name");
      const one: "a" | "b" = await ui.select("pick", ["a", "b"], { question: "Which?", default: "a" });
      const many: ("a" | "b")[] = await ui.multiselect("picks", ["a", "b"], { default: ["b"] });
      using bar: Progress = ui.progress("Files", 10);
      bar.update(3, "x");
      bar.end();
      ui.table([{ a: 1, b: "x" }], ["a"]);
      ui.markdown("# x");
      ui.select("pick", ["a", "b"], { default: "c" }); // TS2322
      ui.multiselect("picks", ["a"], { default: ["c"] }); // TS2322
      ui.confirm("go", "x", { default: "yes" }); // TS2322
      ui.table({ a: 1 }); // TS2353
      ui.ask("x"); // TS2339
      console.log(yes, name, one, many);`,
  },
  {
    of: "log",
    code: `
      log.info("text", { data: 1 });
      log.debug("x");
      log.warn("x");
      log.error("x");
      log("x"); // TS2349
      log.info({ data: 1 }); // TS2345
      log.trace("x"); // TS2339`,
  },
  {
    of: "secrets Secret HashName env",
    code: `
      const key: Secret = secrets.use("github").prefix("Bearer ");
      const hash: HashName = "SHA-1";
      const genuine: boolean = await secrets.use("hook").verify("body", "sha1=00", hash);
      await key.sign("body", "MD5"); // TS2345
      if (!genuine) log.warn(await key.sign("body"));
      const name: string = key.name;
      const home: string | undefined = await env.get("HOME");
      const text: string = secrets.use("github"); // TS2322
      secrets.get("github"); // TS2339
      const path: string = await env.get("PATH"); // TS2322
      env.HOME; // TS2339
      console.log(name, home, text, path);`,
  },
  {
    of: "args FlagSpec FlagValues",
    code: `
      const raw: readonly string[] = args.raw;
      const first: string | undefined = args.positional[0];
      const flag: string | boolean | undefined = args.flags["x"];
      const options = args.declare({
        description: "What it does",
        positional: ["version", "files..."],
        flags: {
          level: { type: "string", choices: ["low", "high"], default: "low", short: "l" },
          name: { type: "string" },
          count: { type: "number", required: true },
          dry: { type: "boolean", description: "Change nothing" },
          tag: { type: "strings" },
        },
      });
      const level: "low" | "high" = options.level;
      const name: string | undefined = options.name;
      const count: number = options.count;
      const dry: boolean = options.dry;
      const tags: readonly string[] = options.tag;
      const rest: readonly string[] = options.positional;
      const none = args.declare({ description: "No flags" });
      const spec: FlagSpec = { type: "number", default: 1 };
      const values: FlagValues<{ a: { type: "boolean" } }> = { a: true };
      none.level; // TS2339
      options.lvel; // TS2551
      const sure: string = options.name; // TS2322
      args.declare({ flags: { x: { type: "date" } } }); // TS2322
      args.declare({ flags: { x: { type: "number", default: "1" } } }); // TS2322
      console.log(raw, first, flag, level, name, count, dry, tags, rest, spec, values, sure);`,
  },
  {
    of: "stdin workspace signal",
    code: `
      const text: string = await stdin();
      const root: string = workspace;
      const ends: AbortSignal = signal;
      signal.throwIfAborted();
      stdin.text; // TS2339
      workspace = "/"; // TS2632
      signal.abort(); // TS2576
      console.log(text, root, ends.aborted);`,
  },
  {
    of: "state",
    code: `
      await state.set("a", new Map([[1, new Date()]]));
      const a: Map<number, Date> | undefined = await state.get<Map<number, Date>>("a");
      const n: number = await state.update("n", (value: number = 0) => value + 1);
      const gone: boolean = await state.delete("a");
      const keys: string[] = await state.keys("prefix");
      const sure: string = await state.get<string>("a"); // TS2322
      (await state.get("a")).size; // TS2571
      state.set("a"); // TS2554
      state.update<number>("n", (value) => value + 1); // TS18048
      console.log(a, n, gone, keys, sure);`,
  },
  {
    of: "channels on WebhookRequest ChannelMessage",
    code: `
      await channels.send("team", "text");
      await channels.send("team", { text: "x", to: "y", thread: "z" });
      on.schedule("0 9 * * 1", async () => {});
      on.webhook("deploy", ({ json, headers }: WebhookRequest) => ({ status: 200, body: json(), headers }));
      on.message("team", async (message) => {
        const typed: ChannelMessage = message;
        await message.reply(typed.text.toUpperCase());
      });
      channels.send("team", { to: "y" }); // TS2345
      on.schedule("0 9 * * 1"); // TS2554
      on.webhook("deploy", (request) => request.text); // TS2339
      on.message("team", (message) => message.reply(1)); // TS2345
      on.file("x", () => 1); // TS2339`,
  },
  {
    of: "parallel retry sleep exit",
    code: `
      const sizes: number[] = await parallel(["a", "b"], async (path, i) => (await fs.read(path)).length + i, { limit: 2 });
      const body: string = await retry(() => fs.read("x"), { times: 2, delay: "1s", when: (e) => e instanceof PryxError });
      await sleep("5s");
      await sleep(10);
      if (sizes.length > 3) exit(2);
      exit("2"); // TS2345
      parallel(5, (x) => x); // TS2345
      parallel(["a"], (path: number) => path); // TS2345
      retry(fs.read("x")); // TS2345
      retry(() => 1, { tries: 2 }); // TS2561
      sleep(); // TS2554
      console.log(sizes, body);`,
  },
  {
    of: "test assert",
    code: `
      test("adds", async () => {
        const value: string | undefined = await env.get("A");
        assert(value, "A is set");
        const sure: string = value;
        assert.equal({ a: 1 }, { a: 1 });
        assert.match(sure, /x/);
        const error: unknown = await assert.rejects(() => fs.read("none"), "not_found");
        console.log(error);
      });
      test(() => {}); // TS2554
      assert.match(1, /x/); // TS2345
      assert.deepEqual(1, 1); // TS2339
      assert.rejects("x"); // TS2345`,
  },
];

/** Names that the module exports, values and types. */
function exported(): { all: string[]; values: string[] } {
  const file = ts.createSourceFile("pryx.d.ts", DECLARATIONS["pryx.d.ts"], ts.ScriptTarget.ESNext);
  const all: string[] = [];
  const values: string[] = [];
  for (const statement of file.statements) {
    if (
      !ts.canHaveModifiers(statement) ||
      !ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
    ) continue;
    const names = ts.isVariableStatement(statement)
      ? statement.declarationList.declarations.map(({ name }) => name.getText(file))
      : ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement) ||
          ts.isClassDeclaration(statement) || ts.isFunctionDeclaration(statement)
      ? [statement.name?.text ?? ""]
      : [];
    all.push(...names);
    if (!ts.isInterfaceDeclaration(statement) && !ts.isTypeAliasDeclaration(statement)) values.push(...names);
  }
  return { all, values };
}

for (const { of, code } of SNIPPETS) {
  Deno.test(`the types of ${of} accept what is right and say what is not`, async () => {
    const { all, values } = exported();
    const imports = all.map((name) => values.includes(name) ? name : `type ${name}`).join(", ");
    const lines = `import { ${imports} } from "pryx";${code}\n`.split("\n");
    const wanted = lines.flatMap((line, index) => {
      const said = / \/\/ (TS\d+)$/.exec(line)?.[1];
      return said === undefined ? [] : [`${index + 1} ${said}`];
    });
    const problems = await problemsOf(lines.join("\n"));
    const found = problems.map(({ line, code }) => `${line} ${code}`);
    assert.deepEqual(found, wanted, problems.map(({ line, message }) => `${line}: ${message}`).join("\n"));
    for (const name of of.split(" ")) assert.ok(all.includes(name), `${name} is not exported`);
  });
}

Deno.test("the type of an answer is shown as what it is, not as how it is made", async () => {
  const [problem] = await problemsOf(`import { agent } from "pryx";
const answer = await agent.ask("q", {
  schema: { type: "object", properties: { a: { type: "string" }, b: { type: "null" } }, required: ["a"] },
});
export const wrong: number = answer;
`);
  assert.match(
    problem?.message ?? "",
    /^Type '\{ a: string; b\?: null( \| undefined)?; \}' is not assignable/,
  );
});

Deno.test("every export of the API has a test of its types, and what has no `export` cannot be imported", async () => {
  const { all } = exported();
  assert.deepEqual(SNIPPETS.flatMap(({ of }) => of.split(" ")).sort(), [...all].sort());
  const problems = await problemsOf(`import type { RequiredOf } from "pryx"; export type X = RequiredOf<1>;`);
  assert.deepEqual(problems.map(({ code }) => code), ["TS2459"]);
});
