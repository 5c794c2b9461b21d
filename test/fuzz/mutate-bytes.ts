// Damage to bytes, whatever they mean: flipped bits, cuts, splices, doubled and missing blocks, values that parsers trip over.
import type { Random } from './random.ts';

export type Mutation = (bytes: Buffer, random: Random, others: readonly Buffer[]) => Buffer;

/** Two places, the first not behind the second. */
function range(random: Random, length: number): [number, number] {
  const from = random.below(length + 1);
  return [from, Math.min(from + random.size(length), length)];
}

const flipBits: Mutation = (bytes, random) => {
  const flipped = Buffer.from(bytes);
  for (let count = random.size(8); count > 0 && flipped.length > 0; count--) {
    const at = random.below(flipped.length);
    flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << random.below(8)), at);
  }
  return flipped;
};

const overwrite: Mutation = (bytes, random) => {
  const written = Buffer.from(bytes);
  const [from, to] = range(random, bytes.length);
  return written.fill(random.pick([0x00, 0xff, 0x7f, 0x80, 0x30, 0x0a, 0x2d, 0x20]), from, Math.min(to, from + 16));
};

const truncate: Mutation = (bytes, random) => {
  const at = random.below(bytes.length + 1);
  return random.isOneIn(3) ? bytes.subarray(at) : bytes.subarray(0, at);
};

const splice: Mutation = (bytes, random, others) => {
  const other = random.pick(others);
  return Buffer.concat([
    bytes.subarray(0, random.below(bytes.length + 1)),
    other.subarray(random.below(other.length + 1)),
  ]);
};

const duplicateBlock: Mutation = (bytes, random) => {
  const [from, to] = range(random, bytes.length);
  const block = bytes.subarray(from, to);
  const times = random.isOneIn(20) ? 1000 : random.size(8);
  const copies = Array.from({ length: Math.min(times, Math.ceil(100_000 / (block.length + 1))) }, () => block);
  return Buffer.concat([bytes.subarray(0, to), ...copies, bytes.subarray(to)]);
};

const deleteBlock: Mutation = (bytes, random) => {
  const [from, to] = range(random, bytes.length);
  return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
};

const moveBlock: Mutation = (bytes, random) => {
  const [from, to] = range(random, bytes.length);
  const rest = Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
  const at = random.below(rest.length + 1);
  return Buffer.concat([rest.subarray(0, at), bytes.subarray(from, to), rest.subarray(at)]);
};

const insertBytes: Mutation = (bytes, random) => {
  const at = random.below(bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, at), random.bytes(random.size(32)), bytes.subarray(at)]);
};

const append: Mutation = (bytes, random, others) => Buffer.concat([bytes, random.pick(others)]);

export const byteMutations: readonly Mutation[] = [
  flipBits,
  flipBits,
  overwrite,
  truncate,
  splice,
  duplicateBlock,
  deleteBlock,
  moveBlock,
  insertBytes,
  append,
];
