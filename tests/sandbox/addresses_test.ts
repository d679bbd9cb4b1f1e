import assert from "node:assert/strict";
import { formatPlace } from "../../core/domain/need.ts";
import {
  type AddressScope,
  isLoopbackName,
  parseAddress,
  parseHostName,
} from "../../core/sandbox/addresses.ts";

/** What a host is read as: `TEXT SCOPE` of an address, the name, or nothing. */
function read(text: string): string {
  const host = parseHostName(text);
  if (host.kind === "address") return `${host.address.text} ${host.address.scope}`;
  return host.kind === "name" ? `${host.name}${host.local === undefined ? "" : " (local)"}` : "invalid";
}

const SPELLINGS: Readonly<Record<string, readonly string[]>> = {
  "127.0.0.1 loopback": [
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "127.0.1",
    "0x7f.1",
    "0x7f.0.0.1",
    "0x7F000001",
    "0x7f.0x0.0x0.0x1",
    "2130706433",
    "127.0.0.0x1",
    " 127.0.0.1 ",
    "%31%32%37.0.0.1",
    "%31%32%37%2e0%2e0%2e1",
    "127。0。0。1",
    "127．0．0．1",
    "127｡0｡0｡1",
    "１２７.0.0.1",
    "①②⑦.0.0.1",
    "𝟏𝟐𝟕.0.0.1",
    "127\u00ad.0.0.1",
    "127.\u200b0.0.1",
    "::ffff:127.0.0.1",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::FFFF:7F00:0001]",
    "[0:0:0:0:0:ffff:7f00:1]",
    "[0000:0000:0000:0000:0000:ffff:127.0.0.1]",
    "%5b::ffff:7f00:1%5d",
  ],
  "0.0.0.0 unspecified": ["0", "0.0.0.0", "0x0", "0x", "0.0", "00", "[::ffff:0:0]", "0.0.0.0."],
  "169.254.169.254 cloud metadata": [
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "0xa9.254.169.254",
    "169.254.43518",
    "169.16689662",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
  ],
  "::1 loopback": ["::1", "[::1]", "[0:0:0:0:0:0:0:1]", "[0::0:1]", "[::0.0.0.1]", "[0000::0001]"],
  ":: unspecified": ["::", "[::]", "[0:0:0:0:0:0:0:0]", "[::0.0.0.0]"],
  "::7f00:1 reserved": ["[::127.0.0.1]", "::7f00:1"],
  "64:ff9b::7f00:1 loopback": ["[64:ff9b::127.0.0.1]", "64:ff9b::7f00:1", "0064:ff9b:0:0:0:0:7f00:0001"],
  "64:ff9b::a9fe:a9fe cloud metadata": ["64:ff9b::169.254.169.254"],
  "64:ff9b::808:808 public": ["64:ff9b::8.8.8.8"],
  "8.8.8.8 public": ["8.8.8.8", "134744072", "0x08080808", "8.8.2056", "8.8.8.8.", "::ffff:8.8.8.8"],
  "localhost (local)": [
    "localhost",
    "LOCALHOST",
    "localhost.",
    "localhost..",
    "%6c%6f%63alhost",
    "ｌocalhost",
    "local\u00adhost",
  ],
  "app.localhost (local)": ["app.localhost", "App.LocalHost."],
  "printer (local)": ["printer", "PRINTER."],
  "nas.local (local)": ["nas.local", "NAS.Local."],
  "metadata.google.internal (local)": ["metadata.google.internal", "metadata.google.internal."],
  "box.home.arpa (local)": ["box.home.arpa"],
  "box.localdomain (local)": ["box.localdomain"],
  "box.lan (local)": ["box.lan"],
  "box.home (local)": ["box.home"],
  "box.corp (local)": ["box.corp"],
  "box.intranet (local)": ["box.intranet"],
  "box.private (local)": ["box.private"],
  "box.invalid (local)": ["box.invalid"],
  "example.org": [
    "example.org",
    "EXAMPLE.org",
    "example.org.",
    "example。org",
    "ex%61mple.org",
    "exam\u00adple.org",
    "example.org..",
  ],
  "xn--mnchen-3ya.de": ["xn--mnchen-3ya.de"],
  "a_b.example": ["a_b.example"],
  "1.2.3.4.example": ["1.2.3.4.example"],
  "invalid": [
    "",
    ".",
    "...",
    " ",
    "0177.0.0.1",
    "017700000001",
    "127.0.0.010",
    "08.1.1.1",
    "256.1.1.1",
    "1.2.3.256",
    "1.1.65536",
    "4294967296",
    "99999999999999999999",
    "0x100000000",
    "1.2.3.4.5",
    "127..1",
    "1.2.3.0xg1.5",
    "a.1",
    "-1",
    "%2531",
    "%zz",
    "127.0.0.1%eth0",
    "fe80::1%eth0",
    "[fe80::1%25eth0]",
    "[::1%lo]",
    "[1.2.3.4]",
    "[example.org]",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "::12345",
    ":::",
    "::1.2.3",
    "::1.2.3.4.5",
    "::ffff:0127.0.0.1",
    "[::1",
    "::1]",
    "a b.example",
    "a/b",
    "a@b.example",
    "a?b",
    "a#b",
    "a\\b",
    "a\tb.example",
    "-a.example",
    "a-.example",
    "a..example",
    `${"a".repeat(64)}.example`,
    `${"a.".repeat(130)}example`,
    "münchen.de",
    "a:b",
    "example.org:80",
  ],
};

Deno.test("parseHostName() reads every spelling of an address as that address, and nothing doubtful as a name", () => {
  let tried = 0;
  for (const [wanted, spellings] of Object.entries(SPELLINGS)) {
    for (const text of spellings) {
      assert.equal(read(text), wanted, JSON.stringify(text));
      tried++;
    }
  }
  assert.ok(tried > 130);
});

const RANGES: readonly (readonly [AddressScope, readonly string[]])[] = [
  ["unspecified", ["0.0.0.1", "0.255.255.255"]],
  ["private", [
    "10.0.0.0",
    "10.255.255.255",
    "172.16.0.0",
    "172.31.255.255",
    "192.168.0.0",
    "192.168.255.255",
    "64:ff9b:1::1",
  ]],
  ["shared", ["100.64.0.0", "100.127.255.255"]],
  ["loopback", ["127.0.0.0", "127.255.255.255"]],
  ["link-local", ["169.254.0.0", "169.254.255.255", "fe80::", "fe80::1", "febf:ffff::1"]],
  ["cloud metadata", [
    "169.254.170.2",
    "169.254.170.23",
    "169.254.169.253",
    "168.63.129.16",
    "100.100.100.200",
    "192.0.0.192",
    "fd00:ec2::254",
    "fd00:ec2::23",
    "fd20:ce::254",
  ]],
  ["reserved", [
    "192.0.0.0",
    "192.0.0.170",
    "240.0.0.0",
    "255.255.255.254",
    "::2",
    "1::",
    "4000::",
    "2001:20::1",
    "2001:1::1",
    "5f00::1",
    "::ffff:0:127.0.0.1",
  ]],
  ["documentation", [
    "192.0.2.1",
    "198.51.100.255",
    "203.0.113.9",
    "2001:db8::1",
    "3fff::",
    "3fff:fff:ffff::1",
  ]],
  ["benchmarking", ["198.18.0.0", "198.19.255.255", "2001:2::1"]],
  ["multicast", ["224.0.0.0", "239.255.255.255", "ff00::", "ff02::1", "ffff::1"]],
  ["broadcast", ["255.255.255.255"]],
  ["tunnel", [
    "192.88.99.1",
    "2002:7f00:1::",
    "2002:808:808::1",
    "2001::1",
    "2001:0:4136:e378::",
    "2001:470::5efe:7f00:1",
    "2600::200:5efe:a00:1",
  ]],
  ["discard", ["100::", "100::ffff:ffff:ffff:ffff"]],
  ["unique local", ["fc00::", "fd12:3456::1", "fdff:ffff::1"]],
  ["site local", ["fec0::1", "feff::1"]],
  ["public", [
    "1.1.1.1",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "191.255.255.255",
    "192.0.1.0",
    "192.0.3.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2001:4860:4860::8888",
    "2001:200::1",
    "2003::1",
    "2a00::1",
    "3ffe::1",
  ]],
];

Deno.test("an address is public by the special-purpose registries, at the edges of every range", () => {
  for (const [scope, addresses] of RANGES) {
    for (const text of addresses) assert.equal(parseAddress(text)?.scope, scope, text);
  }
});

Deno.test("IPv6 addresses have one spelling", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["1:0:0:0:0:0:0:0", "1::"],
    ["0:0:0:0:0:0:0:8", "::8"],
    ["2600:0:0:1:0:0:0:1", "2600:0:0:1::1"],
  ];
  for (const [text, wanted] of cases) assert.equal(parseAddress(text)?.text, wanted);
});

Deno.test("isLoopbackName() and formatPlace()", () => {
  assert.deepEqual(["localhost", "a.localhost", "localhost.a", "notlocalhost"].map(isLoopbackName), [
    true,
    true,
    false,
    false,
  ]);
  assert.equal(formatPlace("::1", 80), "[::1]:80");
  assert.equal(formatPlace("example.org", 443), "example.org:443");
});
