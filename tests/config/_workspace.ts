import { dirname, join } from "node:path";
import type { Config, Paths } from "../../core/config/config.ts";
import { type ConfigFlags, loadConfig } from "../../core/config/load_config.ts";
import { findPaths } from "../../core/config/paths.ts";
import type { ProviderPresets } from "../../core/config/_providers.ts";
import { PryxError } from "../../core/domain/error.ts";

export const PRESETS: ProviderPresets = {
  openai: {
    baseUrl: "https://api.openai.test/v1",
    keyEnv: "OPENAI_API_KEY",
    api: "responses",
    local: false,
  },
  ollama: { baseUrl: "http://127.0.0.1:11434/v1", api: "chat", local: true },
};

/** A machine with a home, a managed folder and a repository, all in one temporary folder. */
export class Workspace implements AsyncDisposable {
  readonly root = Deno.makeTempDirSync({ prefix: "pryx config " });
  readonly repository = join(this.root, "repository");
  readonly paths: Paths = findPaths({
    env: { HOME: join(this.root, "home") },
    platform: "linux",
    managed: join(this.root, "etc"),
  });
  env: Record<string, string> = {};

  constructor() {
    Deno.mkdirSync(join(this.repository, ".git"), { recursive: true });
    Deno.mkdirSync(this.paths.home, { recursive: true });
  }

  write(path: string, content: string | object): string {
    Deno.mkdirSync(dirname(path), { recursive: true });
    Deno.writeTextFileSync(path, typeof content === "string" ? content : JSON.stringify(content, null, 2));
    return path;
  }

  user = (content: string | object) => this.write(this.paths.configFile, content);
  managed = (content: string | object) => this.write(join(this.paths.managed, "config.jsonc"), content);
  managedPolicy = (content: string | object) => this.write(join(this.paths.managed, "policy.jsonc"), content);
  project = (content: string | object) => this.write(join(this.repository, ".pryx", "config.jsonc"), content);
  local = (content: string | object) =>
    this.write(join(this.repository, ".pryx", "config.local.jsonc"), content);

  load(flags: ConfigFlags = {}, cwd = this.repository): Promise<Config> {
    return loadConfig({ paths: this.paths, env: this.env, cwd, flags, presets: PRESETS });
  }

  /** The error that loading ends with. */
  async failure(flags: ConfigFlags = {}): Promise<PryxError> {
    try {
      await this.load(flags);
    } catch (error) {
      if (error instanceof PryxError) return error;
      throw error;
    }
    throw new Error("the configuration was accepted");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.root, { recursive: true });
  }
}
