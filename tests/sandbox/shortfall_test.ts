import assert from "node:assert/strict";
import type { Envelope } from "../../core/domain/envelope.ts";
import type { ClosedPath } from "../../core/sandbox/_closed_paths.ts";
import { shortfallOf } from "../../core/sandbox/_shortfall.ts";
import type { KernelLayer } from "../../core/sandbox/kernel.ts";

const missing = { why: "bwrap is not installed", fix: "install it", advice: "install bubblewrap" };
const LANDLOCK: KernelLayer = { name: "landlock", version: 6, missing };
const BUBBLEWRAP: KernelLayer = {
  name: "bubblewrap",
  bubblewrap: { program: "/usr/bin/bwrap", version: "0.8.0", features: { disableUserns: true, size: true } },
};
const HOSTS = { hosts: ["a.example"], allows: () => true };

function envelope(more: Partial<Envelope> = {}): Envelope {
  return {
    read: ["/r"],
    write: ["/w"],
    access: () => "none",
    closed: [],
    network: "none",
    unixSockets: false,
    ...more,
  };
}

const closed = (path: string, access: "none" | "read", linked = false): ClosedPath => ({
  path,
  access,
  kind: "file",
  linked,
});

function found(
  layer: KernelLayer,
  { paths = [], unseen = [], network = "none", proxied = true }: {
    readonly paths?: readonly ClosedPath[];
    readonly unseen?: readonly string[];
    readonly network?: Envelope["network"];
    readonly proxied?: boolean;
  },
): string[] {
  const parts = { envelope: envelope({ network }), closed: { closed: paths, unseen }, layer, proxied };
  const needs = shortfallOf(parts);
  assert.ok(needs.every(({ reach }) => reach !== undefined && reach !== ""));
  return needs.map(({ kind, target }) => `${kind}=${target}`);
}

Deno.test("shortfallOf() names what Landlock cannot close in a written root, and bubblewrap can", () => {
  const paths = [closed("/w/.env", "none"), closed("/w/AGENTS.md", "read"), closed("/r/.env", "none")];
  assert.deepEqual(found(LANDLOCK, { paths }), ["read=/w/.env", "write=/w/AGENTS.md"]);
  assert.deepEqual(found(BUBBLEWRAP, { paths }), []);
});

Deno.test("shortfallOf() names a closed file with another name, and roots that could not be looked through", () => {
  const paths = [closed("/r/.env", "none", true), closed("/w/AGENTS.md", "read", true)];
  assert.deepEqual(found(BUBBLEWRAP, { paths }), ["read=/r/.env", "write=/w/AGENTS.md"]);
  for (const layer of [BUBBLEWRAP, LANDLOCK]) {
    assert.deepEqual(found(layer, { unseen: ["/r", "/w/sub"] }), ["read=/r", "write=/w/sub"]);
  }
});

Deno.test("shortfallOf() names the whole network where hosts cannot be told apart", () => {
  assert.deepEqual(found(BUBBLEWRAP, { network: HOSTS }), []);
  assert.deepEqual(found(BUBBLEWRAP, { network: HOSTS, proxied: false }), ["net=**"]);
  assert.deepEqual(found(LANDLOCK, { network: HOSTS }), ["net=**"]);
  for (const network of ["none", "all"] as const) assert.deepEqual(found(LANDLOCK, { network }), []);
});

Deno.test("shortfallOf() names everything that was not granted where nothing holds a command", () => {
  const none: KernelLayer = { name: "none" };
  assert.deepEqual(found(none, {}), ["read=/", "write=/", "net=**", "net=unix"]);
  assert.deepEqual(found(none, { network: HOSTS }), ["read=/", "write=/", "net=**", "net=unix"]);
  assert.deepEqual(found(none, { network: "all" }), ["read=/", "write=/", "net=unix"]);
});
