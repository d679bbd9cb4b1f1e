import { VERSION } from "../domain/version.ts";

/** First line of what pryx keeps up to date by itself. */
export const TYPES_HEADER =
  `// Written by pryx ${VERSION}. \`pryx init\` writes it anew: changes here are lost.\n`;

/** The version that wrote a file of types; undefined when pryx did not. */
export function writtenBy(text: string): string | undefined {
  return /^\/\/ Written by pryx (\d+\.\d+\.\d+\S*)\. /.exec(text)?.[1];
}

/**
 * What the TypeScript server of an editor goes by: the options of `pryx check`, as far as a file can say them. Each editor
 * finds it by itself, as the nearest `tsconfig.json` above an automation.
 */
export const TSCONFIG = `{
  // For editors: completion and errors as \`pryx check\` reports them. Nothing is compiled.
  "compilerOptions": {
    "strict": true,
    "noUncheckedIndexedAccess": true,
    "target": "esnext",
    "module": "esnext",
    "moduleResolution": "bundler",
    "moduleDetection": "force",
    "allowImportingTsExtensions": true,
    "resolveJsonModule": true,
    "isolatedModules": true,
    "noEmit": true,
    "skipLibCheck": true,
    "lib": ["esnext"],
    "types": [],
    "paths": { "pryx": ["../.pryx/types/pryx.d.ts"] }
  },
  "include": ["**/*", "../.pryx/types/globals.d.ts"]
}
`;

/** An automation that does something in any project, with no key and no network. */
export const FIRST_AUTOMATION = `#!/usr/bin/env -S pryx run
// Shows what this project is made of. It may read the project's files, and nothing else.
import { args, fs, type Permissions, ui } from "pryx";

export const permissions = { read: ["."] } satisfies Permissions;

const { top } = args.declare({
  description: "Shows what this project is made of",
  flags: { top: { type: "number", default: 8, description: "Kinds of files to show" } },
});

const kinds = new Map<string, { files: number; bytes: number }>();
for (const entry of await fs.list(".", { recursive: true })) {
  if (entry.kind !== "file") continue;
  const ending = /\\.[^.]+$/.exec(entry.name)?.[0] ?? entry.name;
  const kind = kinds.get(ending) ?? { files: 0, bytes: 0 };
  kinds.set(ending, { files: kind.files + 1, bytes: kind.bytes + entry.size });
}

const rows = [...kinds]
  .sort(([, a], [, b]) => b.bytes - a.bytes)
  .slice(0, top)
  .map(([ending, { files, bytes }]) => ({ ending, files, KB: Math.ceil(bytes / 1024) }));
ui.table(rows);

const open = await fs.grep("\\\\b(TODO|FIXME):", { limit: 5 });
if (open.length > 0) console.log("\\nOpen ends:");
for (const { path, line, text } of open) console.log(\`  \${path}:\${line}  \${text.trim().slice(0, 80)}\`);
`;
