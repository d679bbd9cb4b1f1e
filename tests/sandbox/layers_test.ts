import assert from "node:assert/strict";
import { describeLayers } from "../../core/sandbox/layers.ts";

const missing = { advice: "install bubblewrap", why: "bwrap is not installed", fix: "install bubblewrap" };
const bubblewrap = {
  program: "/usr/bin/bwrap",
  version: "0.8.0",
  features: { disableUserns: true, size: true },
};
const support = { landlock: 7, seccomp: true };
const active = (layers: ReturnType<typeof describeLayers>) =>
  layers.filter((layer) => layer.active).map(({ name }) => name);

Deno.test("describeLayers() names what holds a command now, and says of the rest why not", () => {
  const wrapped = describeLayers({ layer: { name: "bubblewrap", bubblewrap }, support, os: "linux" });
  assert.deepEqual(active(wrapped), ["deno", "process", "seccomp", "bubblewrap"]);
  assert.match(wrapped.find(({ name }) => name === "landlock")?.detail ?? "", /ready.*bubblewrap/);

  const landlocked = describeLayers({
    layer: { name: "landlock", version: 7, missing },
    support,
    os: "linux",
  });
  assert.deepEqual(active(landlocked), ["deno", "process", "landlock", "seccomp"]);
  const without = landlocked.find(({ name }) => name === "bubblewrap");
  assert.deepEqual([without?.detail, without?.fix], [missing.why, missing.fix]);
});

Deno.test("describeLayers() does not call anything active that nothing uses", () => {
  const none = describeLayers({
    layer: { name: "none", missing },
    support: { landlock: 0, seccomp: true },
    os: "linux",
  });
  assert.deepEqual(active(none), ["deno", "process"]);
  assert.match(none.find(({ name }) => name === "landlock")?.fix ?? "", /5\.13/);
  assert.deepEqual(active(describeLayers({ layer: { name: "none" }, support, os: "windows" })), ["deno"]);
  const mac = describeLayers({ layer: { name: "seatbelt" }, support, os: "darwin" });
  assert.match(mac.find(({ name }) => name === "seatbelt")?.detail ?? "", /unverified/);
});
