/**
 * The only lists of built-in adapters but commands (command_index.ts). One module, loaded as a whole when the first of
 * them is needed: a chunk of the bundle is read faster than twenty. A new tool, provider or secret store is its file,
 * its test and one line here.
 */
import type { ProviderConfig } from "./config/config.ts";
import { createCatalog } from "./providers/catalog.ts";
import { createOpenAIProvider } from "./providers/openai.ts";
import type { Provider } from "./providers/provider.ts";
import { createSecrets } from "./secrets/create_secrets.ts";
import { createRedactor } from "./secrets/redact.ts";
import { openBlobs } from "./store/blobs.ts";
import { askUser } from "./tools/ask_user.ts";
import { editFile } from "./tools/edit_file.ts";
import { fetchTool } from "./tools/fetch.ts";
import { glob } from "./tools/glob.ts";
import { grep } from "./tools/grep.ts";
import { require } from "./tools/program/require.ts";
import { listDir } from "./tools/list_dir.ts";
import { fsCopy } from "./tools/program/fs_copy.ts";
import { fsGlob } from "./tools/program/fs_glob.ts";
import { fsGrep } from "./tools/program/fs_grep.ts";
import { fsList } from "./tools/program/fs_list.ts";
import { fsMkdir } from "./tools/program/fs_mkdir.ts";
import { fsMove } from "./tools/program/fs_move.ts";
import { fsRead } from "./tools/program/fs_read.ts";
import { fsRemove } from "./tools/program/fs_remove.ts";
import { fsStat } from "./tools/program/fs_stat.ts";
import { fsWrite } from "./tools/program/fs_write.ts";
import { http } from "./tools/program/http.ts";
import { sh } from "./tools/program/sh.ts";
import { readFile } from "./tools/read_file.ts";
import { shell } from "./tools/shell.ts";
import type { Tool } from "./tools/tool.ts";
import { writeFile } from "./tools/write_file.ts";

export { createCatalog, createRedactor, createSecrets, openBlobs };

/** The agent's tools, in the order a model is told of them. */
export const TOOLS: readonly Tool[] = [
  readFile,
  listDir,
  glob,
  grep,
  editFile,
  writeFile,
  shell,
  fetchTool,
  askUser,
];

/** What programs call beside those. No model is told of them: they answer with data. */
export const PROGRAM_TOOLS: readonly Tool[] = [
  require,
  sh,
  fsRead,
  fsWrite,
  fsList,
  fsStat,
  fsGlob,
  fsGrep,
  fsCopy,
  fsMove,
  fsRemove,
  fsMkdir,
  http,
];

/** A provider of the kind that its config names. */
export function createProvider(config: ProviderConfig, key: () => Promise<string | undefined>): Provider {
  return createOpenAIProvider(config, { key });
}
