import assert from "node:assert/strict";
import { networkNeeds } from "../../core/tools/_network_needs.ts";

function hosts(command: string): string[] {
  return networkNeeds([{ kind: "run", target: command, argv: command.split(" ") }]).map(({ target }) =>
    target
  );
}

Deno.test("networkNeeds() takes hosts from addresses", () => {
  assert.deepEqual(hosts("curl -sSf https://Example.org./x"), ["example.org:443"]);
  assert.deepEqual(hosts("curl http://example.org:8080/x https://b.test"), [
    "example.org:8080",
    "b.test:443",
  ]);
  assert.deepEqual(hosts("wget example.org/file.tgz"), ["example.org:80"]);
  assert.deepEqual(hosts("curl nas:3000/health http://nas:3000/health"), ["nas:3000"]);
  assert.deepEqual(hosts("curl http://[2001:db8::1]:8080/"), ["[2001:db8::1]:8080"]);
  // Numbers are addresses, however they are spelled.
  assert.deepEqual(hosts("curl http://3232235777/"), ["192.168.1.1:80"]);
  assert.deepEqual(hosts("/usr/bin/git clone https://example.org/a.git"), ["example.org:443"]);
  assert.deepEqual(hosts("git clone git@example.org:a/b.git"), ["example.org:22"]);
});

Deno.test("networkNeeds() says nothing of commands that name no host", () => {
  for (
    const command of [
      "npm test",
      "npm run install-hooks",
      "cargo build",
      "git status",
      "git push",
      "curl --version",
    ]
  ) {
    assert.deepEqual(hosts(command), [], command);
  }
  assert.deepEqual(hosts("grep https://example.org README.md"), []);
  assert.deepEqual(networkNeeds([{ kind: "read", target: "/x" }]), []);
});

Deno.test("networkNeeds() leaves the commands' own loopback out, however it is written", () => {
  assert.deepEqual(hosts("curl localhost:3000/health [::1]:80 127.0.0.1:1 http://2130706433/ LOCALHOST"), []);
  assert.deepEqual(hosts("curl localhost.example.org:80 127.0.0.1.example.org:80"), [
    "localhost.example.org:80",
    "127.0.0.1.example.org:80",
  ]);
});
