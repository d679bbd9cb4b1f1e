import { escapeForDisplay } from "../domain/display.ts";
import { words } from "../domain/words.ts";
import type { Finding } from "./_module.ts";

/** What an import may end in; declarations hold types alone. */
const IMPORTABLE = /\.(?:ts|mts|js|mjs|json)$/u;
const DECLARATIONS = /\.d\.m?ts$/u;

/** What people import elsewhere, and what pryx has for it. */
const ANSWERS: readonly (readonly [names: string, instead: string])[] = [
  ["fs fs/promises fs-extra graceful-fs @std/fs", 'use `fs`: `import { fs } from "pryx"`'],
  [
    "child_process zx execa shelljs cross-spawn dax dax-sh @david/dax bun tinyexec",
    'use `sh`: `import { sh } from "pryx"`',
  ],
  [
    "http https http2 axios node-fetch undici got ky superagent needle ofetch @std/http",
    'use `http`: `import { http } from "pryx"`',
  ],
  ["simple-git isomorphic-git", 'use `git`: `import { git } from "pryx"`'],
  [
    "openai @anthropic-ai/sdk @google/genai ai langchain ollama",
    'use `agent`: `import { agent } from "pryx"`',
  ],
  [
    "inquirer @inquirer/prompts prompts enquirer @clack/prompts readline readline/promises ora",
    'use `ui`: `import { ui } from "pryx"`',
  ],
  [
    "yargs commander minimist meow cac citty @cliffy/command @std/cli",
    'use `args.declare`: `import { args } from "pryx"`',
  ],
  ["process os dotenv", 'use `env` or `args`: `import { args, env } from "pryx"`'],
  ["p-limit p-map p-queue", 'use `parallel`: `import { parallel } from "pryx"`'],
  ["p-retry async-retry", 'use `retry`: `import { retry } from "pryx"`'],
  [
    "test assert assert/strict vitest jest @jest/globals mocha chai @std/assert @std/testing",
    'use `test` and `assert`: `import { assert, test } from "pryx"`',
  ],
  ["glob globby fast-glob tinyglobby", 'use `fs.glob`: `import { fs } from "pryx"`'],
  ["chokidar watchpack", 'use `fs.watch`: `import { fs } from "pryx"`'],
  ["node-cron cron croner", 'use `on.schedule`: `import { on } from "pryx"`'],
  ["timers/promises delay", 'use `sleep`: `import { sleep } from "pryx"`'],
  [
    "crypto url buffer timers util",
    "`crypto.randomUUID`, `URL`, `TextEncoder` and timers are there without an import",
  ],
  ["path @std/path pathe", "paths are relative to the project's root: join them as text, with `/`"],
  ["zod valibot ajv", "write a JSON Schema as a literal: `agent.ask` types and checks its answer by it"],
];

const INSTEAD = new Map(
  ANSWERS.flatMap(([names, instead]) => words(names).map((name) => [name, instead] as const)),
);

const OTHERWISE =
  "copy what you need of it into a file of the project, and import that by its path: `./name.ts`";

/**
 * Why a specifier can never be imported, with what to do instead; undefined for a path whose file may be looked for.
 * Not to be asked about `pryx`.
 */
export function specifierProblem(specifier: string): Pick<Finding, "code" | "message" | "fix"> | undefined {
  const shown = `"${escapeForDisplay(specifier)}"`;
  const problem = (message: string, fix: string) => ({ code: "import", message, fix });
  if (/[\\'"`\n\t]/u.test(specifier) || escapeForDisplay(specifier) !== specifier) {
    return /^[A-Za-z]:|^\\\\/u.test(specifier)
      ? problem(`${shown} is an absolute path`, "write a path relative to this file: `./name.ts`")
      : problem(
        `${shown} is not a plain path`,
        "rename the file: no quotes, backslashes or hidden characters",
      );
  }
  if (/^\.{1,2}\//u.test(specifier)) return pathProblem(specifier, shown);
  if (specifier === "." || specifier === ".." || specifier === "") {
    return problem(`${shown} is a folder`, "name the file: `./name.ts`");
  }
  if (specifier.startsWith("/") || /^(?:file|[a-z]):/iu.test(specifier)) {
    return problem(`${shown} is an absolute path`, "write a path relative to this file: `./name.ts`");
  }
  if (/^(?:https?|data|blob):/iu.test(specifier)) {
    return problem(
      `${shown} is not a file of this project: nothing is loaded from elsewhere`,
      "save the file in the project, and import that by its path: `./name.ts`",
    );
  }
  if (/^pryx[/@:]/u.test(specifier)) {
    return problem(`There is no ${shown}: all of it is in one module`, 'write `import { … } from "pryx"`');
  }
  const name = packageName(specifier);
  const instead = INSTEAD.get(name) ?? INSTEAD.get(rootName(name));
  return problem(
    `${shown} is not there: an automation imports "pryx" and files of its project`,
    instead ?? OTHERWISE,
  );
}

function pathProblem(
  specifier: string,
  shown: string,
): Pick<Finding, "code" | "message" | "fix"> | undefined {
  if (specifier.endsWith("/")) {
    return { code: "import", message: `${shown} is a folder`, fix: "name the file: `./name.ts`" };
  }
  if (DECLARATIONS.test(specifier)) {
    return { code: "import", message: `${shown} holds types alone`, fix: "write `import type`" };
  }
  const end = /\.[A-Za-z0-9]{1,8}$/u.exec(specifier)?.[0];
  if (end === undefined || IMPORTABLE.test(specifier) || specifier.endsWith(".pryx")) return undefined;
  return {
    code: "import",
    message: `Files that end in "${end}" cannot be imported`,
    fix: "import .ts, .mts, .js, .mjs or .json; read other files with `fs.read`",
  };
}

/** Whether a file may be imported, by the end of its name. */
export function isImportable(name: string): boolean {
  return IMPORTABLE.test(name) && !DECLARATIONS.test(name);
}

/** `npm:@scope/name@1/sub`, `node:fs/promises` → `@scope/name/sub`, `fs/promises`. */
function packageName(specifier: string): string {
  return specifier.replace(/^[a-z]+:\/?/u, "").replace(/(?<=.)@[^/]*/u, "");
}

/** Without what is below the package. */
function rootName(name: string): string {
  return name.split("/").slice(0, name.startsWith("@") ? 2 : 1).join("/");
}
