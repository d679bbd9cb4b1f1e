import assert from "node:assert/strict";
import { compileNet, parseHost } from "../../core/policy/_net_pattern.ts";
import { parseHostName } from "../../core/sandbox/addresses.ts";
import { hostReach } from "../../core/sandbox/_proxy_grants.ts";

const PATTERNS = [
  "example.org",
  "Example.ORG.",
  "example.org:443",
  "*.example.org",
  "*.example.org:8443",
  "*",
  "127.0.0.1",
  "127.0.0.1:8080",
  "[::1]:8080",
  "::1",
  "localhost",
  "localhost:3000",
  "nas.local",
];
const HOSTS = [
  "example.org",
  "www.example.org",
  "a.b.example.org",
  "badexample.org",
  "example.org.evil.test",
  "127.0.0.1",
  "127.0.0.2",
  "::1",
  "8.8.8.8",
  "localhost",
  "app.localhost",
  "nas.local",
  "org",
];
const PORTS = [80, 443, 3000, 8080, 8443];

Deno.test("the proxy opens nothing that the policy's grammar does not, and everything public that it does", () => {
  let allowed = 0;
  for (const pattern of PATTERNS) {
    const rule = compileNet(pattern, false);
    assert.ok(typeof rule !== "string", pattern);
    const reach = hostReach([pattern]);
    for (const host of HOSTS) {
      for (const port of PORTS) {
        const place = parseHost(host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`);
        assert.ok(place);
        const opens = reach(host, port) !== "none";
        const matches = rule.matches(place);
        if (opens) allowed++;
        const known = parseHostName(host);
        // A wildcard reaches no local name: the proxy is stricter than the grammar there.
        const stricter = pattern.startsWith("*") && known.kind === "name" && known.local !== undefined;
        assert.equal(opens, matches && !stricter, `${pattern} for ${host}:${port}`);
      }
    }
  }
  assert.ok(allowed > 50);
});

Deno.test("hostReach() tells a host that was named from one that a wildcard covers", () => {
  const reach = hostReach([
    "*.example.org",
    "www.example.org:443",
    "0x7f.1:80",
    "nonsense/",
    "*.10.0.0.1",
    "a*b.org",
  ]);
  assert.equal(reach("www.example.org", 443), "named");
  assert.equal(reach("www.example.org", 80), "matched");
  assert.equal(reach("127.0.0.1", 80), "named");
  for (const host of ["example.org", "127.0.0.1", "10.0.0.1", "a1b.org", "nonsense"]) {
    assert.equal(reach(host, 443), "none", host);
  }
});
