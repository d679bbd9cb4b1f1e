import assert from "node:assert/strict";
import type { Envelope, PathAccess } from "../../core/domain/envelope.ts";
import { formatNeed } from "../../core/domain/need.ts";
import { findRefusals, type RefusalParts } from "../../core/sandbox/_refusals.ts";

/** Files of the host: those that it itself keeps closed end with `-closed`. */
const HOST = new Set([
  "/",
  "/usr/bin/bash",
  "/ws",
  "/ws/src",
  "/ws/run.sh",
  "/ws/.git",
  "/ws/.git/config",
  "/home/u",
  "/home/u/notes",
  "/home/u/my notes",
  "/srv/data",
  "/srv/data/in.csv",
  "/srv",
  "/srv/data/theirs-closed",
  "/opt/tool/bin/tool",
  "/etc",
  "/etc/hosts",
]);

function refusals(
  text: string,
  more: Partial<RefusalParts> & { network?: Envelope["network"] } = {},
): string[] {
  const { network = "none", ...parts } = more;
  const inside = (path: string, root: string) => path === root || path.startsWith(root + "/");
  const access = (path: string): PathAccess =>
    path === "/ws/.git/config"
      ? "read"
      : inside(path, "/ws")
      ? "write"
      : /^\/(usr|etc)\b/.test(path)
      ? "read"
      : "none";
  const envelope: Envelope = { read: [], write: ["/ws"], access, closed: [], network, unixSockets: false };
  return findRefusals({
    text,
    code: 1,
    cwd: "/ws/src",
    envelope,
    baseline: { read: ["/usr", "/etc"], temp: "/tmp/p/tmp" },
    hidden: true,
    closed: ["/ws/.git/config"],
    files: {
      real: (path) => HOST.has(path) ? path : undefined,
      mayRead: (path) => !path.endsWith("-closed"),
      isProgram: (path) => !path.endsWith(".sh"),
      program: (name) => name === "tool" ? "/opt/tool/bin/tool" : undefined,
      listens: (port) => port === 5432,
    },
    ...parts,
  }).map(({ need }) => formatNeed(need));
}

const CASES:
  readonly (readonly [said: string, needs: readonly string[], more?: Parameters<typeof refusals>[1]])[] = [
    // Reading.
    ["cat: /srv/data/in.csv: No such file or directory", ["read=/srv/data/in.csv"]],
    ["cat: ../../srv/data/in.csv: Permission denied", ["read=/srv/data/in.csv"], { hidden: false }],
    ["ls: cannot access '/home/u/notes': No such file or directory", ["read=/home/u/notes"]],
    ["head: cannot open '/home/u/my notes' for reading: No such file or directory", [
      "read=/home/u/my notes",
    ]],
    ["FileNotFoundError: [Errno 2] No such file or directory: '/srv/data/in.csv'", ["read=/srv/data/in.csv"]],
    ["PermissionError: [Errno 13] Permission denied: '/srv/data/in.csv'", ["read=/srv/data/in.csv"], {
      hidden: false,
    }],
    ["Error: ENOENT: no such file or directory, open '/srv/data/in.csv'", ["read=/srv/data/in.csv"]],
    ["error: failed to open `/srv/data/in.csv`: No such file or directory (os error 2)", [
      "read=/srv/data/in.csv",
    ]],
    ["cc1: fatal error: /srv/data/in.csv: No such file or directory", ["read=/srv/data/in.csv"]],
    ["/usr/bin/bash: line 1: tool: command not found", ["read=/opt/tool/bin/tool"], { code: 127 }],
    ["tar: /srv/data: Cannot stat: No such file or directory", ["read=/srv/data"]],
    ["\x1b[31mcat: /srv/data/in.csv: No such file or directory\x1b[0m", ["read=/srv/data/in.csv"]],
    // Writing.
    ["touch: cannot touch '/home/u/new': Read-only file system", ["write=/home/u/new"]],
    ["tee: /srv/out.txt: No such file or directory", ["write=/srv/out.txt"]],
    ["cat: /srv/out.txt: No such file or directory", []],
    ["/usr/bin/bash: line 3: /etc/hosts: Read-only file system", ["write=/etc/hosts"]],
    ["/usr/bin/bash: line 1: ../.git/config: Read-only file system", ["write=/ws/.git/config"]],
    ["mkdir: cannot create directory '/srv/data/out': No such file or directory", ["write=/srv/data"]],
    ["PermissionError: [Errno 13] Permission denied: '/etc/hosts'", ["write=/etc/hosts"], { hidden: false }],
    ["Error: EROFS: read-only file system, open '/home/u/new'", ["write=/home/u/new"]],
    ["mv: cannot move '/ws/.git' to '/ws/g': Device or resource busy", ["write=/ws/.git/config"]],
    ["error: could not write config file .git/config: Device or resource busy", ["write=/ws/.git/config"], {
      cwd: "/ws",
    }],
    // A new name in a folder that is only read.
    ["touch: cannot touch 'new': Read-only file system", ["write=/etc/new"], { cwd: "/etc" }],
    ["touch: cannot touch 'new': Permission denied", ["write=/etc/new"], { cwd: "/etc", hidden: false }],
    ["touch: cannot touch 'a new one': Read-only file system", ["write=/etc/a new one"], { cwd: "/etc" }],
    ["touch: cannot touch 'a new one': Permission denied", [], { cwd: "/etc", hidden: false }],
    ["bash: line 1: new: Read-only file system", ["write=/etc/new"], { cwd: "/etc" }],
    ["OSError: [Errno 30] Read-only file system: 'new'", ["write=/etc/new"], { cwd: "/etc" }],
    // A folder: the one around it.
    ["mkdir: cannot create directory ‘/srv/data/out’: Read-only file system", ["write=/srv/data"]],
    ["    os.mkdir(path)\nOSError: [Errno 30] Read-only file system: '/srv/data/out'", ["write=/srv/data"]],
    ["Error: EROFS: read-only file system, mkdir '/srv/data/out'", ["write=/srv/data"]],
    ["/etc/.git: Read-only file system", ["write=/etc"], { cwd: "/etc" }],
    // Network.
    ["curl: (6) Could not resolve host: example.com", ["net=example.com"]],
    ["fatal: unable to access 'https://git.example.com/x/': Could not resolve host: git.example.com", [
      "net=git.example.com",
    ]],
    [
      "npm error request to https://packages.example.org/x failed, reason: getaddrinfo EAI_AGAIN packages.example.org",
      [
        "net=packages.example.org",
      ],
    ],
    ["dial tcp: lookup proxy.golang.org on 10.0.0.1:53: network is unreachable", ["net=proxy.golang.org"]],
    ["socket.gaierror: [Errno -3] Temporary failure in name resolution", ["net=*"]],
    ["Error: listen EPERM: operation not permitted 127.0.0.1", ["net=**"], { hidden: false }],
    ["curl: (6) Could not resolve host: example.com", [], { network: "all" }],
    // What listens on this machine, and not where the command looks.
    ["curl: (7) Failed to connect to localhost port 5432 after 0 ms: Couldn't connect to server", [
      "net=localhost:5432",
    ]],
    ["Error: connect ECONNREFUSED ::1:5432", ["net=localhost:5432"]],
    ['psql: error: connection to server at "localhost" (127.0.0.1), port 5432 failed: Connection refused', [
      "net=localhost:5432",
    ]],
    ["Connecting to localhost (localhost)|127.0.0.1|:5432... failed: Connection refused.", [
      "net=127.0.0.1:5432",
    ]],
    ["HTTPConnectionPool(host='localhost', port=5432): Max retries exceeded: Connection refused", [
      "net=localhost:5432",
    ]],
    ["dial tcp 127.0.0.1:5432: connect: connection refused", ["net=127.0.0.1:5432"]],
    ["dial tcp 127.0.0.1:5433: connect: connection refused", []],
    ["dial tcp 192.0.2.1:5432: connect: connection refused", []],
    [
      "curl: (7) Failed to connect to localhost port 8123 after 0 ms: Couldn't connect to server",
      ["net=**"],
      {
        hidden: false,
      },
    ],
    ["dial tcp 127.0.0.1:5432: connect: connection refused", [], { network: "all" }],
    // Sockets of this machine.
    ["permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock", [
      "net=unix",
    ]],
    ["    sock.socket(AF_UNIX)\nPermissionError: [Errno 1] Operation not permitted", ["net=unix"]],
    // Nobody's refusal.
    ["cat: missing: No such file or directory", []],
    ["cat: /srv/data/none: No such file or directory", []],
    ["cat: /srv/data/theirs-closed: Permission denied", [], { hidden: false }],
    ["/usr/bin/bash: line 1: /ws/run.sh: Permission denied", [], { code: 126 }],
    ["cat: /srv/data/in.csv: No such file or directory", [], { hidden: false }],
    ["AssertionError: expected EACCES to be thrown", []],
    ["  ✗ fails with permission denied", []],
    ["tool2: command not found", [], { code: 127 }],
    ["test a ... FAILED: connection refused", []],
  ];

Deno.test("findRefusals() finds what the kernel refused in what programs print, and nothing else", () => {
  for (const [said, needs, more] of CASES) assert.deepEqual(refusals(said, more), needs, said);
});

Deno.test("findRefusals() gives five at most, each once, a named host before an unnamed one", () => {
  const lines = ["in.csv", "in.csv"].map((name) => `cat: /srv/data/${name}: No such file or directory`);
  assert.equal(refusals(lines.join("\n")).length, 1);
  const many = Array.from(
    { length: 9 },
    (_, index) => `touch: cannot touch '/home/u/n${index}': Read-only file system`,
  );
  assert.equal(refusals(many.join("\n")).length, 5);
  const text = "Temporary failure in name resolution\ncurl: (6) Could not resolve host: example.com";
  assert.deepEqual(refusals(text), ["net=example.com"]);
});

Deno.test("findRefusals() believes a command that succeeded about files, not about hosts", () => {
  assert.deepEqual(refusals("touch: cannot touch '/home/u/new': Read-only file system", { code: 0 }), [
    "write=/home/u/new",
  ]);
  assert.deepEqual(refusals("curl: (6) Could not resolve host: example.com", { code: 0 }), []);
});

Deno.test("findRefusals() reads a long output without reading all of it", () => {
  const noise = "x y z: nothing\n".repeat(200_000);
  const text = `${noise}cat: /srv/data/in.csv: No such file or directory\n`;
  assert.deepEqual(refusals(text), ["read=/srv/data/in.csv"]);
  assert.deepEqual(refusals("a ".repeat(500_000) + ": Permission denied"), []);
});
