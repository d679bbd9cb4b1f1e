import type { NeedKind } from "../domain/need.ts";
import type { PresetName, Rule, Verdict } from "../domain/policy.ts";
import { escapeGlob } from "./_glob.ts";

/** A rule with paths that it does not cover. */
export interface RuleSource {
  readonly rule: Rule;
  /** Folders and files, absolute. */
  readonly except?: readonly string[];
  /** Last names of paths. */
  readonly exceptNames?: readonly string[];
}

/** What holds before anybody wrote a rule. */
interface Preset {
  /** What it permits, in one line for people. */
  readonly summary: string;
  /** Who it is for. */
  readonly purpose: string;
  /** What holds where no rule matches. */
  readonly defaults: Readonly<Record<NeedKind, Verdict>>;
  /** True when even needs that cannot be known before they run, and needs under taint, take the default. */
  readonly unguarded: boolean;
  /** `allow` rules: kind and pattern. */
  readonly allows: readonly (readonly [NeedKind, string])[];
}

const EVERYTHING_ASKS = {
  read: "ask",
  write: "ask",
  net: "ask",
  run: "ask",
  env: "ask",
  use: "ask",
} as const;
const EVERYTHING_GOES = {
  read: "allow",
  write: "allow",
  net: "allow",
  run: "allow",
  env: "allow",
  use: "allow",
} as const;

/** The presets by name; docs/policy.md tells them to people. */
export const PRESET_RULES: Readonly<Record<PresetName, Preset>> = {
  "read-only": {
    summary: "reads in the workspace; everything else asks",
    purpose: "Questions about code you do not know yet, and folders you do not trust. The default.",
    defaults: EVERYTHING_ASKS,
    unguarded: false,
    allows: [["read", "."]],
  },
  "workspace": {
    summary: "reads and writes in the workspace; commands and network ask",
    purpose: "Daily work in a project of your own.",
    defaults: EVERYTHING_ASKS,
    unguarded: false,
    allows: [["read", "."], ["write", "."]],
  },
  "network-allowlist": {
    summary: "as workspace, and the network of the domains you named; other hosts ask",
    purpose: "Work that needs a few known services: a package registry, an issue tracker.",
    defaults: EVERYTHING_ASKS,
    unguarded: false,
    allows: [["read", "."], ["write", "."]],
  },
  "dangerously-full": {
    summary: "everything is allowed, without asking, but secret files and pryx's own",
    purpose:
      "Throw-away machines and containers only: nothing asks, whatever a web page talks the model into.",
    defaults: EVERYTHING_GOES,
    unguarded: true,
    allows: [],
  },
};

/** What a change here could do later, with more power than the agent has: run code, give itself orders, widen policy. */
const PROTECTED_WRITES: readonly (readonly [pattern: string, reason: string])[] = [
  ["**/.pryx/**", "pryx's settings for this project"],
  ["pryx.lock", "the record of what automations may do"],
  ["*.pryx.ts", "an automation"],
  ["AGENTS.md", "instructions for agents"],
  ["CLAUDE.md", "instructions for agents"],
  ["**/.git/hooks/**", "git runs it by itself"],
  ["**/.git/modules/**/hooks/**", "git runs it by itself"],
  ["**/.git/config", "git can be told there to run programs"],
  ["**/.git/config.worktree", "git can be told there to run programs"],
  ["**/.git/modules/**/config", "git can be told there to run programs"],
  ["**/.git/worktrees/*/config.worktree", "git can be told there to run programs"],
  ["**/.git/**/commondir", "git takes its settings and hooks from where it says"],
];

const ENV_EXAMPLES = [".env.example", ".env.sample", ".env.template", ".env.dist", ".env.defaults"];

/** Patterns of files that hold secrets, by what they are. A denial of reading is one of writing as well. */
const SECRET_FILES: readonly {
  readonly reason: string;
  readonly patterns: readonly string[];
  readonly exceptNames?: readonly string[];
}[] = [
  { reason: "environment files hold secrets", patterns: [".env*"], exceptNames: ENV_EXAMPLES },
  {
    reason: "private keys and key stores",
    patterns: [
      "id_rsa",
      "id_dsa",
      "id_ecdsa",
      "id_ecdsa_sk",
      "id_ed25519",
      "id_ed25519_sk",
      "*.pem",
      "*.key",
      "*.p12",
      "*.pfx",
      "*.ppk",
      "*.jks",
      "*.keystore",
      "*.kdbx",
      "ssh_host_*_key",
      "/etc/ssl/private",
      "~/.ssh",
      "~/.gnupg",
      "~/.password-store",
      "~/.local/share/keyrings",
      "~/.local/share/kwalletd",
      "~/Library/Keychains",
    ],
  },
  {
    reason: "credentials of clouds and clusters",
    patterns: [
      "~/.aws",
      "~/.azure",
      "~/.config/gcloud",
      "~/.config/doctl",
      "~/.config/hcloud",
      "~/.config/rclone",
      "~/.oci",
      "~/.kube",
      "~/.docker/config.json",
      "~/.config/containers/auth.json",
      "~/.terraform.d/credentials.tfrc.json",
      "~/.terraformrc",
      "~/.vault-token",
      "~/.s3cfg",
      "~/.boto",
      "~/.databrickscfg",
      "~/.wrangler",
      "~/.config/.wrangler",
      "~/.fly",
      "~/AppData/Roaming/gcloud",
    ],
  },
  {
    reason: "credentials of tools and services",
    patterns: [
      ".netrc",
      "_netrc",
      ".git-credentials",
      ".pgpass",
      ".my.cnf",
      ".htpasswd",
      "~/.npmrc",
      "~/.yarnrc.yml",
      "~/.pypirc",
      "~/.config/pip/pip.conf",
      "~/.config/git/credentials",
      "~/.config/gh",
      "~/.config/glab-cli",
      "~/.config/hub",
      "~/.config/op",
      "~/.cargo/credentials",
      "~/.cargo/credentials.toml",
      "~/.gem/credentials",
      "~/.composer/auth.json",
      "~/.m2/settings.xml",
      "~/.m2/settings-security.xml",
      "~/.gradle/gradle.properties",
      "~/.nuget/NuGet/NuGet.Config",
      "~/.huggingface",
      "~/.cache/huggingface/token",
      "~/.codex/auth.json",
      "~/.claude/.credentials.json",
      "~/.claude.json",
      "~/.local/share/opencode/auth.json",
      "~/.gemini/oauth_creds.json",
    ],
  },
  {
    reason: "browsers' and mail programs' stores",
    patterns: [
      "~/.mozilla",
      "~/.thunderbird",
      "~/.librewolf",
      "~/.config/{google-chrome*,chromium,BraveSoftware,microsoft-edge*,vivaldi*,opera*,Signal,Slack,discord}",
      "~/snap/{firefox,chromium,thunderbird}",
      "~/.var/app/{org.mozilla.*,com.google.Chrome,org.chromium.Chromium,com.brave.Browser,com.microsoft.Edge}",
      "~/Library/{Cookies,Safari,Mail,Messages}",
      "~/Library/Application Support/{Google/Chrome*,Chromium,Firefox,BraveSoftware,Microsoft Edge*,Vivaldi,Arc}",
      "~/AppData/{Local,Roaming}/{Google/Chrome,Chromium,Mozilla,BraveSoftware,Microsoft/Edge,Vivaldi,Opera Software}",
      "~/AppData/{Local,Roaming}/Microsoft/{Credentials,Protect,Vault}",
    ],
  },
  { reason: "wallets", patterns: ["~/.bitcoin", "~/.ethereum/keystore", "~/.config/solana", "~/.electrum"] },
  {
    reason: "what the system keeps from users and processes from each other",
    patterns: [
      "/etc/{shadow,gshadow,sudoers,krb5.keytab}{,-}",
      "/etc/sudoers.d",
      "/etc/ssh/*_key",
      "/proc/*/environ",
      "/proc/*/mem",
      "/proc/*/task/*/{environ,mem}",
      "/run/secrets",
      "/run/credentials",
      "/run/user/*/{keyring,gnupg,containers/auth.json}",
      "/var/run/secrets",
    ],
  },
];

/** The rules of a preset. `networkAllowlist`: hosts of `network-allowlist`, in the grammar of `net`. */
export function presetRules(name: PresetName, networkAllowlist: readonly string[] = []): RuleSource[] {
  const preset = PRESET_RULES[name];
  const from = { layer: "preset", source: `preset ${name}` } as const;
  const out: RuleSource[] = preset.allows.map(([kind, pattern]) => ({
    rule: { ...from, verdict: "allow", kind, pattern },
  }));
  if (name === "network-allowlist") {
    for (const pattern of networkAllowlist) {
      const untrusted = !pattern.includes("*");
      out.push({
        rule: { ...from, verdict: "allow", kind: "net", pattern, ...(untrusted ? { untrusted } : {}) },
      });
    }
  }
  if (!preset.unguarded) {
    for (const [pattern, reason] of PROTECTED_WRITES) {
      out.push({ rule: { ...from, verdict: "ask", kind: "write", pattern, reason } });
    }
  }
  for (const { reason, patterns, exceptNames } of SECRET_FILES) {
    for (const pattern of patterns) {
      const rule: Rule = { ...from, verdict: "deny", kind: "read", pattern, reason, guard: "secret" };
      out.push(exceptNames ? { rule, exceptNames } : { rule });
    }
  }
  return out;
}

/** The hard denials around pryx's own folders. `readable`: what in them may still be read, such as kept outputs. */
export function ownRules(
  protectedPaths: readonly string[],
  readable: readonly string[],
  writable: readonly string[] = [],
): RuleSource[] {
  const from = { layer: "preset", source: "pryx" } as const;
  const deny = { ...from, verdict: "deny", guard: "protected", reason: "pryx's own files" } as const;
  return [
    ...protectedPaths.map(escapeGlob).flatMap((pattern): RuleSource[] => [
      { rule: { ...deny, kind: "read", pattern }, except: readable },
      { rule: { ...deny, kind: "write", pattern } },
    ]),
    ...readable.map(escapeGlob).map((pattern): RuleSource => ({
      rule: {
        ...from,
        verdict: "allow",
        kind: "read",
        pattern,
        reason: "what tools and commands kept for reading on",
      },
    })),
    ...writable.map(escapeGlob).map((pattern): RuleSource => ({
      rule: {
        ...from,
        verdict: "allow",
        kind: "write",
        pattern,
        reason: "the temporary folder that commands have anyway",
      },
    })),
  ];
}
