/**
 * A very small assembler for the classic BPF that seccomp runs (seccomp(2), linux/filter.h). Programs are lists that
 * are put together: every block ends with a verdict, so skipping a block is a jump over its length and there are no
 * labels. Jumps reach 255 instructions: a block must not be longer.
 */
export interface Instruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}
export type Block = readonly Instruction[];

const LD_W_ABS = 0x20;
const ALU_AND_K = 0x54;
const JMP_JEQ_K = 0x15;
const JMP_JGE_K = 0x35;
const JMP_JSET_K = 0x45;
const RET_K = 0x06;

/** Offsets in struct seccomp_data. */
const NUMBER_AT = 0;
const ARCHITECTURE_AT = 4;
const ARGUMENTS_AT = 16;

function instruction(code: number, k: number, jt = 0, jf = 0): Instruction {
  return { code, jt, jf, k: k >>> 0 };
}

export const loadNumber: Instruction = instruction(LD_W_ABS, NUMBER_AT);
export const loadArchitecture: Instruction = instruction(LD_W_ABS, ARCHITECTURE_AT);

/**
 * The low 32 bits of an argument, on a little-endian machine. Right only where the kernel itself looks at no more than
 * those (int and unsigned int parameters): there the high half is noise that the caller may set as it likes.
 */
export function loadArgument(index: number): Instruction {
  return instruction(LD_W_ABS, ARGUMENTS_AT + 8 * index);
}

/** The high 32 bits of an argument: for pointers, whose every bit counts. */
export function loadHighArgument(index: number): Instruction {
  return instruction(LD_W_ABS, ARGUMENTS_AT + 8 * index + 4);
}

export function keepBits(mask: number): Instruction {
  return instruction(ALU_AND_K, mask);
}

export function verdict(value: number): Instruction {
  return instruction(RET_K, value);
}

/** Runs `block` when what was loaded is `value`. */
export function whenEqual(value: number, block: Block): Block {
  return [instruction(JMP_JEQ_K, value, 0, reach(block)), ...block];
}

/** Runs `block` when what was loaded is not `value`. */
export function unlessEqual(value: number, block: Block): Block {
  return [instruction(JMP_JEQ_K, value, reach(block), 0), ...block];
}

/** Runs `block` when what was loaded is `value` or more, unsigned. */
export function whenAtLeast(value: number, block: Block): Block {
  return [instruction(JMP_JGE_K, value, 0, reach(block)), ...block];
}

/** Runs `block` when any bit of `mask` is set in what was loaded. */
export function whenAnyBit(mask: number, block: Block): Block {
  return [instruction(JMP_JSET_K, mask, 0, reach(block)), ...block];
}

function reach(block: Block): number {
  if (block.length > 255) throw new RangeError(`A BPF jump over ${block.length} instructions is too far`);
  return block.length;
}

/** An array of struct sock_filter, little endian: eight bytes each. */
export function assemble(program: Block): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(program.length * 8);
  const view = new DataView(bytes.buffer);
  program.forEach(({ code, jt, jf, k }, index) => {
    view.setUint16(index * 8, code, true);
    view.setUint8(index * 8 + 2, jt);
    view.setUint8(index * 8 + 3, jf);
    view.setUint32(index * 8 + 4, k, true);
  });
  return bytes;
}
