// Secrets as no tool should write them: the files of a material with one changed, cut off, doubled, swapped, renamed or left out.
import fc from 'fast-check';
import type { Files } from '../../src/testing/secret-volume.ts';

/** Which file, and what becomes of it; of the files of any material. */
export const mutation = fc.record({
  file: fc.nat(1000),
  other: fc.nat(1000),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  bytes: fc.uint8Array({ maxLength: 12 }),
  how: fc.constantFrom('overwrite', 'insert', 'cut', 'swap', 'drop', 'double', 'rename'),
});

export type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never;

/** `data` of a Secret. */
export const toData = (files: Iterable<readonly [string, Uint8Array]>): Readonly<Record<string, string>> =>
  Object.fromEntries([...files].map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]));

/** The same, of the mutated files. */
export function mutate(material: Files, { file, other, at, bytes, how }: Mutation): Readonly<Record<string, string>> {
  const files = [...material];
  const fileAt = (index: number) => files[index % files.length]!;
  const [name, whole] = fileAt(file);
  const position = Math.floor(at * whole.length);
  const [before, after] = [whole.subarray(0, position), whole.subarray(position)];
  const changed = {
    overwrite: Buffer.concat([before, bytes, after.subarray(bytes.length)]),
    insert: Buffer.concat([before, bytes, after]),
    cut: before,
    swap: fileAt(other)[1],
    drop: undefined,
    double: Buffer.concat([whole, whole]),
    rename: whole,
  }[how];
  const rest = files.filter(([one]) => one !== name);
  const named = how === 'rename' ? `${name}${Buffer.from(bytes).toString('hex')}` : name;
  return toData(changed === undefined ? rest : [...rest, [named, changed]]);
}
