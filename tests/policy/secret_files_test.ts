import assert from "node:assert/strict";
import { PRESETS } from "../../core/domain/policy.ts";
import { policyWith, verdictOf } from "./_policy.ts";

/** One for each kind of secret that is known by its name or place. */
const SECRET = [
  ...[
    ".env",
    ".env.local",
    "deep/.env.production",
    "id_rsa",
    "id_dsa",
    "id_ecdsa",
    "id_ecdsa_sk",
    "id_ed25519",
  ],
  ...["id_ed25519_sk", "a.pem", "a.key", "a.p12", "a.pfx", "a.ppk", "a.jks", "a.keystore", "a.kdbx"],
  ...["ssh_host_rsa_key", ".netrc", "_netrc", ".git-credentials", ".pgpass", ".my.cnf", ".htpasswd"],
].map((name) => `/ws/${name}`).concat(
  [
    ...[
      ".ssh/config",
      ".gnupg/x",
      ".password-store/a.gpg",
      ".local/share/keyrings/x",
      ".local/share/kwalletd/x",
    ],
    ...["Library/Keychains/x", ".aws/credentials", ".azure/x", ".config/gcloud/x", ".config/doctl/x"],
    ...[
      ".config/hcloud/x",
      ".config/rclone/rclone.conf",
      ".oci/config",
      ".kube/config",
      ".docker/config.json",
    ],
    ...[".config/containers/auth.json", ".terraform.d/credentials.tfrc.json", ".terraformrc", ".vault-token"],
    ...[".s3cfg", ".boto", ".databrickscfg", ".wrangler/x", ".config/.wrangler/x", ".fly/config.yml"],
    ...["AppData/Roaming/gcloud/x", ".npmrc", ".yarnrc.yml", ".pypirc", ".config/pip/pip.conf"],
    ...[
      ".config/git/credentials",
      ".config/gh/hosts.yml",
      ".config/glab-cli/x",
      ".config/hub",
      ".config/op/x",
    ],
    ...[".cargo/credentials", ".cargo/credentials.toml", ".gem/credentials", ".composer/auth.json"],
    ...[
      ".m2/settings.xml",
      ".m2/settings-security.xml",
      ".gradle/gradle.properties",
      ".nuget/NuGet/NuGet.Config",
    ],
    ...[".huggingface/token", ".cache/huggingface/token", ".codex/auth.json", ".claude/.credentials.json"],
    ...[".claude.json", ".local/share/opencode/auth.json", ".gemini/oauth_creds.json", ".mozilla/x"],
    ...[
      ".thunderbird/x",
      ".librewolf/x",
      ".config/chromium/x",
      ".config/google-chrome-beta/x",
      ".config/Slack/x",
    ],
    ...["snap/firefox/x", ".var/app/org.mozilla.firefox/x", "Library/Safari/x"],
    ...[
      "Library/Application Support/Firefox/x",
      "AppData/Local/Mozilla/x",
      "AppData/Roaming/Microsoft/Vault/x",
    ],
    ...[".bitcoin/wallet.dat", ".ethereum/keystore/x", ".config/solana/id.json", ".electrum/x"],
  ].map((name) => `/home/u/${name}`),
  [
    ...[
      "/etc/shadow",
      "/etc/shadow-",
      "/etc/gshadow",
      "/etc/sudoers",
      "/etc/krb5.keytab",
      "/etc/sudoers.d/x",
    ],
    ...["/etc/ssh/x_key", "/etc/ssl/private/x", "/proc/1/environ", "/proc/1/mem", "/proc/1/task/2/environ"],
    ...[
      "/proc/1/task/2/mem",
      "/run/secrets/x",
      "/run/credentials/x",
      "/run/user/1/keyring/x",
      "/run/user/1/gnupg/x",
    ],
    ...["/run/user/1/containers/auth.json", "/var/run/secrets/x"],
  ],
);
/** pryx's own. */
const OWN = [
  ...[
    "/home/u/.config/pryx/config.jsonc",
    "/home/u/.local/share/pryx/pryx.db",
    "/home/u/.local/state/pryx/x",
  ],
  "/opt/pryx/pryx",
];
/** Could act later. */
const PROTECTED = [
  ...[
    ".pryx/config.jsonc",
    "a/.pryx/x",
    "pryx.lock",
    "a.pryx.ts",
    "AGENTS.md",
    "a/CLAUDE.md",
    ".git/hooks/x",
  ],
  ...[".git/modules/m/hooks/x", ".git/config", ".git/config.worktree", ".git/modules/m/config"],
  ".git/worktrees/w/config.worktree",
].map((name) => `/ws/${name}`);

Deno.test("secret files and pryx's own are denied in every preset, and no rule for a folder opens them", () => {
  const wide = ["user allow read=/", "user allow write=/", "user allow read=**", "user allow write=**"];
  for (const preset of PRESETS) {
    for (const policy of [policyWith(preset), policyWith(preset, wide)]) {
      for (const path of [...SECRET, ...OWN]) {
        assert.equal(verdictOf(policy, `read=${path}`), "deny", `${preset} read ${path}`);
        assert.equal(verdictOf(policy, `write=${path}`), "deny", `${preset} write ${path}`);
      }
    }
  }
});

Deno.test("a rule that names a secret file opens it, and one that names a file of pryx's own does not", () => {
  for (const path of SECRET) {
    assert.equal(
      verdictOf(policyWith("read-only", [`flag allow read=${path}`]), `read=${path}`),
      "allow",
      path,
    );
  }
  for (const path of OWN) {
    assert.equal(
      verdictOf(policyWith("read-only", [`flag allow read=${path}`]), `read=${path}`),
      "deny",
      path,
    );
  }
});

Deno.test("what could act later asks to be written in every preset but dangerously-full, unless it is named", () => {
  for (const preset of PRESETS) {
    for (const path of PROTECTED) {
      const wanted = preset === "dangerously-full" ? "allow" : "ask";
      assert.equal(verdictOf(policyWith(preset, ["user allow write=/ws"]), `write=${path}`), wanted, path);
      assert.equal(
        verdictOf(policyWith(preset, [`user allow write=${path}`]), `write=${path}`),
        "allow",
        path,
      );
    }
  }
});
