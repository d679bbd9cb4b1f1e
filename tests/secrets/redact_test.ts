import assert from "node:assert/strict";
import { looksLikeSecret } from "../../core/domain/secret_shapes.ts";
import { createRedactor } from "../../core/secrets/redact.ts";

Deno.test("redact() takes out known values, also inside JSON and URLs", () => {
  const redactor = createRedactor();
  redactor.add('pa"ss/wo\\rd');
  redactor.add("hunter2hunter2");
  redactor.add("hunter2hunter2-longer");
  assert.equal(redactor.redact('x pa"ss/wo\\rd y'), "x [redacted] y");
  assert.equal(redactor.redact(JSON.stringify({ a: 'pa"ss/wo\\rd' })), '{"a":"[redacted]"}');
  assert.equal(redactor.redact(`?k=${encodeURIComponent('pa"ss/wo\\rd')}`), "?k=[redacted]");
  assert.equal(redactor.redact("hunter2hunter2-longer hunter2hunter2"), "[redacted] [redacted]");
});

Deno.test("redact() ignores values too short to be told from ordinary text", () => {
  const redactor = createRedactor();
  for (const value of ["", "  ", "short", "1234567"]) redactor.add(value);
  assert.equal(redactor.redact("a short text with 1234567 in it"), "a short text with 1234567 in it");
});

const KEYS = [
  "sk-proj-abcdefghij1234567890ABCDEFGHIJ",
  "sk-ant-api03-abcdefghij1234567890",
  "sk-or-v1-0123456789abcdef0123456789abcdef",
  "gsk_abcdefghij1234567890ABCD",
  `AIza${"Sy0".repeat(11)}ab`,
  `ghp_${"a1".repeat(18)}`,
  `github_pat_${"a1".repeat(15)}`,
  "glpat-abcdefghij1234567890",
  "AKIAIOSFODNN7EXAMPLE",
  "xoxb-1234567890-abcdefghij",
  "sk_live_abcdefghij123456",
  `hf_${"a1".repeat(17)}`,
  `npm_${"a1".repeat(18)}`,
  `123456789:${"Aa1_-".repeat(7)}`,
  "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
  "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n-----END OPENSSH PRIVATE KEY-----",
];

Deno.test("redact() takes out well-known shapes", () => {
  const { redact } = createRedactor();
  for (const key of KEYS) {
    assert.equal(looksLikeSecret(key), true, key);
    assert.equal(redact(`before "${key}" after`), 'before "[redacted]" after', key);
  }
  assert.equal(redact("Authorization: Bearer abcdefghij1234567890"), "Authorization: Bearer [redacted]");
  assert.equal(redact("postgres://ann:s3cret@db.test/x"), "postgres://ann:[redacted]@db.test/x");
});

Deno.test("redact() leaves prose, code, paths and hashes alone", () => {
  const { redact } = createRedactor();
  for (
    const text of [
      "the task-sk-learning-something-quite-long was done",
      "sk-learn-contrib-imbalanced-ensembles",
      "https://example.com:8080/path?a=b@c",
      "git commit 74adbda0123456789abcdef0123456789abcdef01",
      "/home/ann/.config/pryx/config.jsonc:12:5",
      "bearer of good news and everything else",
      "2026-11-22T10:41:24.000Z keychain:openai env:OPENAI_API_KEY",
      "const AKIA = 5; eyJ.eyJ.x",
    ]
  ) assert.equal(redact(text), text);
});
