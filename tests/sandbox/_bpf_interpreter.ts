import assert from "node:assert/strict";

const VERDICTS = new Map([
  [0x7fff0000, "allow"],
  [0x80000000, "kill"],
  [0x00050000, "pretend"],
  [0x00050001, "EPERM"],
  [0x00050026, "ENOSYS"],
]);

/** Runs a filter as the kernel does (Documentation/userspace-api/seccomp_filter.rst); only what filters may hold. */
export function interpret(filter: Uint8Array, arch: number, number: number, args: readonly bigint[]): string {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, number, true);
  data.setUint32(4, arch, true);
  args.forEach((arg, index) => data.setBigUint64(16 + 8 * index, BigInt.asUintN(64, arg), true));
  const program = new DataView(filter.buffer, filter.byteOffset, filter.byteLength);
  let accumulator = 0;
  for (let at = 0; at * 8 < filter.length; at++) {
    const [code, jt, jf, k] = [
      program.getUint16(at * 8, true),
      program.getUint8(at * 8 + 2),
      program.getUint8(at * 8 + 3),
      program.getUint32(at * 8 + 4, true),
    ];
    const jump = (taken: boolean) => at += taken ? jt : jf;
    if (code === 0x20) {
      assert.equal(k % 4, 0);
      accumulator = data.getUint32(k, true);
    } else if (code === 0x54) accumulator = (accumulator & k) >>> 0;
    else if (code === 0x15) jump(accumulator === k);
    else if (code === 0x35) jump(accumulator >= k);
    else if (code === 0x45) jump((accumulator & k) !== 0);
    else if (code === 0x06) return VERDICTS.get(k) ?? assert.fail(`verdict ${k.toString(16)}`);
    else assert.fail(`instruction ${code.toString(16)}`);
  }
  return assert.fail("the filter ran off its end");
}
