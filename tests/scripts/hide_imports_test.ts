import assert from "node:assert/strict";
import process from "node:process";
import { withHiddenImports, withLazyRequire } from "../../scripts/_hide_imports.ts";

const hide = (code: Record<string, string>, workers: string[] = []) =>
  Object.fromEntries(withHiddenImports(new Map(Object.entries(code)), workers, ["@native/package"]));

Deno.test("withHiddenImports() hides what import() names, and static imports never", () => {
  assert.deepEqual(
    hide({
      "main.js":
        `import"./a.js";const b=await import("./b.js"),c=import("@native/package"),d=import("node:os");`,
      "a.js": "",
      "b.js": "",
    }),
    {
      "main.js":
        `import"./a.js";const b=await import((0,"./b.js")),c=import((0,"@native/package")),d=import("node:os");`,
    },
  );
});

Deno.test("withHiddenImports() leaves text that only looks like an import of a chunk", () => {
  assert.deepEqual(hide({ "main.js": `say('import("./gone.js")')` }), {});
});

Deno.test("withHiddenImports() leaves everything that a worker may load", () => {
  const code = {
    "main.js": `import("./shared.js");new Worker(new URL("./core/x_worker.js",import.meta.url))`,
    "core/x_worker.js": `import{a}from"../shared.js";`,
    "shared.js": `export const a=()=>import("./lazy.js")`,
    "lazy.js": `import("./lazier.js")`,
    "lazier.js": "",
  };
  assert.deepEqual(Object.keys(hide(code, ["core/x_worker.js"])), ["main.js"]);
});

Deno.test("withLazyRequire() makes require when it is first called", () => {
  const made = withLazyRequire(
    `var a=1;import{createRequire as __internal} from "node:module";var m=__internal(import.meta.url);export{m};`,
  );
  assert.doesNotMatch(made, /import\{/);
  const require = new Function(
    "importUrl",
    `${made.replace("import.meta.url", "importUrl").replace("export{m};", "")}return m`,
  )(
    import.meta.url,
  ) as (name: string) => unknown;
  assert.equal(require("node:path"), process.getBuiltinModule("node:path"));
});
