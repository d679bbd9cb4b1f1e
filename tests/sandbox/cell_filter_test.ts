import assert from "node:assert/strict";
import { cellFilter } from "../../core/sandbox/cell_filter.ts";
import { interpret } from "./_bpf_interpreter.ts";

const ARCHES = { x86_64: 0xc000003e, aarch64: 0xc00000b7 } as const;
const PID = 4242;

function judge(arch: keyof typeof ARCHES, number: number, ...args: (number | bigint)[]): string {
  return interpret(cellFilter({ arch, pid: PID }), ARCHES[arch], number, args.map(BigInt));
}

/** All that may pass whatever its arguments are, from syscall_64.tbl and asm-generic/unistd.h, by hand. */
const PLAIN = {
  x86_64: [
    ...[
      0,
      1,
      3,
      5,
      7,
      8,
      9,
      10,
      11,
      12,
      13,
      14,
      15,
      19,
      20,
      24,
      25,
      28,
      35,
      39,
      45,
      60,
      96,
      98,
      131,
      143,
      145,
      186,
      202,
    ],
    ...[204, 219, 228, 229, 230, 231, 232, 233, 271, 273, 281, 290, 318, 324, 329, 330, 331, 334],
  ],
  aarch64: [
    ...[
      21,
      22,
      57,
      62,
      63,
      64,
      65,
      66,
      73,
      80,
      93,
      94,
      98,
      99,
      101,
      113,
      114,
      115,
      120,
      121,
      123,
      124,
      128,
      132,
      134,
    ],
    ...[135, 139, 165, 169, 172, 178, 19, 207, 214, 215, 216, 222, 226, 233, 278, 283, 288, 289, 290, 293],
  ],
};
const WEIGHED = { x86_64: [16, 44, 56, 72, 157, 234, 435], aarch64: [25, 29, 131, 167, 206, 220, 435] };

for (const arch of ["x86_64", "aarch64"] as const) {
  Deno.test(`cellFilter() lets nothing pass on ${arch} but what is listed`, () => {
    for (let number = 0; number < 1024; number++) {
      if (WEIGHED[arch].includes(number)) continue;
      const wanted = PLAIN[arch].includes(number) ? "allow" : "EPERM";
      assert.equal(judge(arch, number, 1, 2, 3), wanted, `call ${number}`);
    }
  });
}

Deno.test("cellFilter() ends a process that calls as another architecture, and knows no x32", () => {
  const filter = cellFilter({ arch: "x86_64", pid: PID });
  assert.equal(interpret(filter, 0x40000003, 1, []), "kill");
  assert.equal(interpret(filter, ARCHES.aarch64, 1, []), "kill");
  for (const number of [0, 1, 59]) assert.equal(judge("x86_64", 0x40000000 + number), "EPERM");
});

Deno.test("cellFilter() lets threads start and no process", () => {
  const thread = 0x3d0f00;
  for (const [arch, clone] of [["x86_64", 56], ["aarch64", 220]] as const) {
    assert.equal(judge(arch, clone, thread), "allow");
    assert.equal(judge(arch, 435), "ENOSYS");
    for (const flags of [0, 17, 0x4111, thread & ~0x10000, thread & ~0x100, thread & ~0x800]) {
      assert.equal(judge(arch, clone, flags), "EPERM", flags.toString(16));
    }
    for (const namespace of [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000]) {
      assert.equal(judge(arch, clone, thread | namespace), "EPERM", namespace.toString(16));
    }
    for (const flag of [0x1000, 0x2000, 0x4000, 0x8000]) {
      assert.equal(judge(arch, clone, thread | flag), "EPERM");
    }
  }
});

Deno.test("cellFilter() weighs signals, prctl, fcntl, ioctl and sendto by their arguments", () => {
  assert.equal(judge("x86_64", 234, PID, 5, 6), "allow");
  assert.equal(judge("x86_64", 234, PID + 1, 5, 6), "EPERM");
  assert.equal(judge("x86_64", 234, -1, 5, 6), "EPERM");
  for (const option of [15, 0x53564d41]) assert.equal(judge("x86_64", 157, option), "allow");
  // DUMPABLE, SECCOMP, PTRACER, PDEATHSIG, MM.
  for (const option of [4, 22, 0x59616d61, 1, 35]) assert.equal(judge("x86_64", 157, option), "EPERM");
  assert.equal(judge("x86_64", 72, 5, 6), "pretend");
  for (const command of [1, 2, 3, 1030]) assert.equal(judge("x86_64", 72, 5, command), "allow");
  // DUPFD, SETFL, SETOWN, SETSIG, SETLEASE, ADD_SEALS.
  for (const command of [0, 4, 8, 10, 1024, 1033]) assert.equal(judge("x86_64", 72, 5, command), "EPERM");
  for (const request of [0x5401, 0x5451, 0x541b]) assert.equal(judge("x86_64", 16, 0, request), "allow");
  // TIOCSTI, TIOCLINUX, FIOSETOWN, FIONBIO.
  for (const request of [0x5412, 0x541c, 0x8901, 0x5421]) {
    assert.equal(judge("x86_64", 16, 0, request), "EPERM");
  }
  assert.equal(judge("x86_64", 44, 5, 1, 1, 0, 0, 0), "allow");
  for (const address of [1n, 1n << 32n, 0x7fff0000_00000000n]) {
    assert.equal(judge("x86_64", 44, 5, 1, 1, 0, address, 16), "EPERM", String(address));
  }
});
