import assert from "node:assert/strict";
import { commands as configCommands } from "../../core/commands/config.ts";
import { commands as secretCommands } from "../../core/commands/secrets.ts";
import type { CommandResult } from "../../core/commands/command.ts";
import { openConfigFile } from "../../core/config/config_file.ts";
import type { Json } from "../../core/domain/schema.ts";
import { createSecrets } from "../../core/secrets/create_secrets.ts";
import { createFileSecrets } from "../../core/secrets/file.ts";
import { createEnvSecrets } from "../../core/secrets/env.ts";
import type { SecretStore } from "../../core/secrets/secret_store.ts";
import { openStore } from "../../core/store/sqlite.ts";
import { Workspace } from "../config/_workspace.ts";
import { fakeContext, fakeSurface } from "../support/fake_pryx.ts";

/** A machine on which the commands about settings and secrets run: real files, real database. */
export class Machine implements AsyncDisposable {
  readonly at = new Workspace();
  readonly store = openStore({ path: this.at.paths.database });
  readonly notes: string[] = [];
  readonly questions: { question: string; secret: boolean }[] = [];
  /** What is piped in; undefined: a terminal. */
  stdin: Uint8Array | undefined;
  /** What a person answers; undefined: nobody is there. */
  typed: string | undefined;

  async run(name: string, input: Readonly<Record<string, Json>> = {}): Promise<CommandResult> {
    const command = [...configCommands, ...secretCommands].find((one) => one.name === name);
    assert.ok(command, name);
    const surface = fakeSurface({
      attended: this.typed !== undefined,
      note: (text: string) => void this.notes.push(text),
      input: () => Promise.resolve(this.stdin),
      prompt: (question: string, options?: { secret?: boolean }) => {
        this.questions.push({ question, secret: options?.secret ?? false });
        return Promise.resolve(this.typed ?? "");
      },
    });
    const { paths, env } = this.at;
    const context = fakeContext(surface, new AbortController().signal, {
      paths,
      cwd: this.at.repository,
      config: () => this.at.load(),
      configFile: () => Promise.resolve(openConfigFile(paths.configFile)),
      store: () => Promise.resolve(this.store),
      secrets: () => Promise.resolve(createSecrets({ env, paths, stores: this.#stores })),
    });
    return await command.run(input, context);
  }

  get #stores(): SecretStore[] {
    const { paths, env } = this.at;
    // A second file store stands for the keychain, which is tested where there is one.
    const keychain = { ...createFileSecrets(`${paths.data}/chain`), scheme: "keychain" };
    const { warning: _, ...silent } = keychain;
    return [createEnvSecrets(env), silent, createFileSecrets(`${paths.data}/secrets`)];
  }

  audit(): { kind: string; data: Readonly<Record<string, unknown>> }[] {
    return [...this.store.auditEntries()].map(({ kind, data }) => ({ kind, data }));
  }

  /** Everything that a command, the audit log and the config file show of what happened. */
  shown(...results: readonly CommandResult[]): string {
    const file = Deno.readTextFileSync(this.at.paths.configFile);
    return JSON.stringify([results, this.audit(), this.notes, this.questions, file]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.store[Symbol.dispose]();
    await this.at[Symbol.asyncDispose]();
  }
}
