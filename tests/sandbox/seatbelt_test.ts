import assert from "node:assert/strict";
import { type SeatbeltPlan, seatbeltProfile } from "../../core/sandbox/seatbelt.ts";

const PLAN: SeatbeltPlan = {
  baseline: { read: ["/usr"], temp: "/private/t", links: [] },
  read: ["/Users/u/docs"],
  write: ['/Users/u/a "b"'],
  closed: [
    { path: "/Users/u/docs/.env", access: "none", kind: "file", linked: false },
    { path: "/Users/u/w/.git/config", access: "read", kind: "file", linked: false },
  ],
  network: "none",
  unixSockets: false,
};

Deno.test("seatbeltProfile() denies by default, and closes after it opens", () => {
  const lines = seatbeltProfile(PLAN).split("\n");
  assert.deepEqual(lines.slice(0, 2), ["(version 1)", "(deny default)"]);
  const at = (line: string) => {
    const index = lines.indexOf(line);
    assert.ok(index >= 0, line);
    return index;
  };
  const read = at(
    '(allow file-read* (literal "/") (subpath "/usr") (subpath "/Users/u/docs") (subpath "/Users/u/a \\"b\\"") ' +
      '(subpath "/private/t"))',
  );
  const write = at('(allow file-write* (subpath "/Users/u/a \\"b\\"") (subpath "/private/t"))');
  assert.ok(at('(deny file-read* file-write* (subpath "/Users/u/docs/.env"))') > read);
  assert.ok(at('(deny file-write* (subpath "/Users/u/w/.git/config"))') > write);
  assert.ok(!lines.some((line) => line.includes("network")));
});

Deno.test("seatbeltProfile() opens the network only when all of it was granted", () => {
  const hosts = seatbeltProfile({ ...PLAN, network: { hosts: ["a.example"], allows: () => true } });
  assert.ok(!hosts.includes("network"));
  assert.match(seatbeltProfile({ ...PLAN, network: "all" }), /network-outbound \(remote ip\)/);
  assert.match(seatbeltProfile({ ...PLAN, unixSockets: true }), /remote unix-socket/);
});
