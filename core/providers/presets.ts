import type { ApiStyle } from "../config/config.ts";

/** What is known about a provider before any configuration. */
interface ProviderPreset {
  readonly baseUrl: string;
  /** Environment variable that holds its key; absent for providers that need none. */
  readonly keyEnv?: string;
  readonly api: ApiStyle;
  /** True when it runs on this machine. */
  readonly local: boolean;
}

/** The well-known providers, by the name that comes before the slash in `provider/model`. */
export const PROVIDER_PRESETS: Readonly<Record<string, ProviderPreset>> = {
  openai: {
    baseUrl: "https://api.openai.com/v1",
    keyEnv: "OPENAI_API_KEY",
    api: "responses",
    local: false,
  },
  anthropic: {
    baseUrl: "https://api.anthropic.com/v1/",
    keyEnv: "ANTHROPIC_API_KEY",
    api: "chat",
    local: false,
  },
  google: {
    baseUrl: "https://generativelanguage.googleapis.com/v1beta/openai/",
    keyEnv: "GEMINI_API_KEY",
    api: "chat",
    local: false,
  },
  openrouter: {
    baseUrl: "https://openrouter.ai/api/v1",
    keyEnv: "OPENROUTER_API_KEY",
    api: "chat",
    local: false,
  },
  groq: { baseUrl: "https://api.groq.com/openai/v1", keyEnv: "GROQ_API_KEY", api: "chat", local: false },
  mistral: { baseUrl: "https://api.mistral.ai/v1", keyEnv: "MISTRAL_API_KEY", api: "chat", local: false },
  deepseek: { baseUrl: "https://api.deepseek.com/v1", keyEnv: "DEEPSEEK_API_KEY", api: "chat", local: false },
  xai: { baseUrl: "https://api.x.ai/v1", keyEnv: "XAI_API_KEY", api: "chat", local: false },
  ollama: { baseUrl: "http://127.0.0.1:11434/v1", api: "chat", local: true },
  lmstudio: { baseUrl: "http://127.0.0.1:1234/v1", api: "chat", local: true },
  llamacpp: { baseUrl: "http://127.0.0.1:8080/v1", api: "chat", local: true },
};
