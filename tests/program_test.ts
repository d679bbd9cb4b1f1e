import assert from "node:assert/strict";
import { programPaths } from "../core/program.ts";

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
