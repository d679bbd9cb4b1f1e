import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { SessionId } from "../core/domain/id.ts";
import { programPaths } from "../core/program.ts";
import { openStore } from "../core/store/sqlite.ts";
import { created, ended, input } from "./contract/store_contract.ts";
import { hasNamespaces } from "./support/namespaces.ts";

const deno = "/home/ann/.deno/bin/deno";
const versions = "/home/ann/.local/lib/pryx/versions/20260101T000000Z-7";
const installation = ["/home/ann/.local/lib/pryx", "/home/ann/.local/bin/pryx"];

Deno.test("programPaths() names nothing when pryx runs from source", () => {
  const module = "/home/ann/pryx/core/program.ts";
  assert.deepEqual(programPaths({ standalone: false, execPath: deno, module }), []);
  assert.deepEqual(programPaths({ standalone: false, execPath: deno, module: undefined }), []);
});

Deno.test("programPaths() covers the whole installation, bundle or binary", () => {
  assert.deepEqual(
    programPaths({ standalone: false, execPath: deno, module: `${versions}/bundle/program-X.js` }),
    installation,
  );
  assert.deepEqual(
    programPaths({ standalone: true, execPath: `${versions}/pryx`, module: "/tmp/deno-compile-pryx/x.js" }),
    installation,
  );
});

Deno.test("programPaths() covers the program alone where it was not installed", () => {
  assert.deepEqual(
    programPaths({ standalone: false, execPath: deno, module: "/src/dist/bundle/program-X.js" }),
    ["/src/dist/bundle", "/src/dist/pryx"],
  );
  assert.deepEqual(
    programPaths({ standalone: true, execPath: "/usr/local/bin/pryx", module: "/tmp/x/program-X.js" }),
    ["/usr/local/bin/pryx"],
  );
});

Deno.test({
  name: "commands that only read work where the data folder cannot be written, and the others say why not",
  ignore: !hasNamespaces,
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "pryx read only " });
    try {
      const path = join(folder, "data", "pryx.db");
      const session = "0session" as SessionId;
      {
        using store = openStore({ path });
        store.append(session, [created(folder), input("the question"), ended("failed")]);
        store.audit("trust", { folder });
      }
      const program = fileURLToPath(new URL("../main.ts", import.meta.url));
      const readOnly = 'mount --bind "$1" "$1"; mount -o remount,bind,ro "$1"; shift; exec "$@"';
      const run = async (line: string) => {
        const { code, stdout, stderr } = await new Deno.Command("unshare", {
          args: ["-rm", "sh", "-ec", readOnly, "sh", folder, Deno.execPath(), "run", "-A", "--no-check"]
            .concat(
              ["--quiet", "--no-prompt", program, "--cwd", folder, ...line.split(" ")],
            ),
          env: { PRYX_HOME: folder },
          stdin: "null",
        }).output();
        return { code, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
      };
      const reading: readonly (readonly [string, RegExp])[] = [
        ["sessions list", /the question/],
        ["sessions show", /the question/],
        ["sessions search question", /«question»/],
        ["sessions diff", /no file is changed/],
        ["sessions export", /"type":"input"/],
        ["why 0session", /Asked: the question/],
        ["audit show", /trust/],
        ["audit verify", /1 entry/],
        ["grants list", /No grants/],
        ["policy show", /read-only/],
      ];
      const results = await Promise.all(reading.map(([line]) => run(line)));
      for (const [index, [line, expected]] of reading.entries()) {
        const { code, text } = results[index] ?? { code: -1, text: "" };
        assert.equal(code, 0, `${line}: ${text}`);
        assert.match(text, expected, line);
      }
      const refused = await run(`sessions delete ${session} --yes`);
      assert.equal(refused.code, 1);
      assert.match(refused.text, /cannot be written.*PRYX_HOME/s);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
