// Damage to DER along its structure: one element is changed, doubled, dropped, wrapped; lengths above it stay right, or not.
import type { Mutation } from './mutate-bytes.ts';
import type { Random } from './random.ts';

/** Content is children where the tag says so, or where an octet or bit string holds DER again. */
interface Element {
  readonly tag: number;
  readonly prefix: Buffer;
  readonly content: Buffer | readonly Element[];
}

function readLength(bytes: Buffer, at: number): { length: number; start: number } | undefined {
  const first = bytes[at];
  if (first === undefined || first === 0x80 || first > 0x84) return undefined;
  if (first < 0x80) return { length: first, start: at + 1 };
  const size = first - 0x80;
  if (at + 1 + size > bytes.length) return undefined;
  return { length: bytes.readUIntBE(at + 1, size), start: at + 1 + size };
}

/** What is nested deeper counts as bytes: these functions call themselves, and chains of mutations nest deeply. */
const deepest = 200;

function parseAll(bytes: Buffer, depth = 0): Element[] | undefined {
  if (depth > deepest) return undefined;
  const elements: Element[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = bytes[at] ?? 0;
    const head = readLength(bytes, at + 1);
    if ((tag & 0x1f) === 0x1f || head === undefined || head.start + head.length > bytes.length) return undefined;
    elements.push(parseContent(tag, bytes.subarray(head.start, head.start + head.length), depth));
    at = head.start + head.length;
  }
  return elements;
}

function parseContent(tag: number, content: Buffer, depth: number): Element {
  // A bit string tells first how many of its last bits do not count.
  const prefix = content.subarray(0, tag === 0x03 && content[0] === 0 ? 1 : 0);
  const mayHoldDer = (tag & 0x20) !== 0 || ((tag === 0x03 || tag === 0x04) && content[prefix.length] === 0x30);
  const children = mayHoldDer ? parseAll(content.subarray(prefix.length), depth + 1) : undefined;
  return children === undefined ? { tag, prefix: Buffer.alloc(0), content } : { tag, prefix, content: children };
}

function encodeLength(length: number): Buffer {
  if (length < 0x80) return Buffer.of(length);
  const size = Math.ceil(length.toString(16).length / 2);
  const bytes = Buffer.alloc(size + 1, 0x80 + size);
  bytes.writeUIntBE(length, 1, size);
  return bytes;
}

const wrap = (tag: number, content: Buffer): Buffer =>
  Buffer.concat([Buffer.of(tag), encodeLength(content.length), content]);

/** Encodes the tree; the element that is chosen is written by the change instead. */
function encode(element: Element, chosen?: Element, change?: (whole: Buffer) => Buffer): Buffer {
  const { tag, prefix, content } = element;
  const inner = Buffer.isBuffer(content)
    ? content
    : Buffer.concat([prefix, ...content.map((child) => encode(child, chosen, change))]);
  const whole = wrap(tag, inner);
  return element === chosen && change ? change(whole) : whole;
}

function all(element: Element): Element[] {
  const { content } = element;
  return [element, ...(Buffer.isBuffer(content) ? [] : content.flatMap(all))];
}

const hugeLengths = ['80', '84ffffffff', '847fffffff', '8400000001', '88ffffffffffffffff', 'ff', '8100', '820000'];
const integers = ['', '00', '01', '02', '03', 'ff', '80', '010001', '7fffffff', '00ffffffff', '0400000001'];
const times = ['20260301000000Z', '00000000000000Z', '99991231235959Z', '20261332256199Z', '2026', '260301000000Z', ''];
const tags = [0x02, 0x03, 0x04, 0x05, 0x06, 0x0c, 0x13, 0x17, 0x18, 0x24, 0x30, 0x31, 0xa0, 0xa3, 0x1f, 0x00];

type Change = (whole: Buffer, random: Random, others: readonly Buffer[]) => Buffer;

/** Tag and length of an element of up to 4 GiB. */
const headSize = (whole: Buffer): number => readLength(whole, 1)?.start ?? 2;

const changes: readonly Change[] = [
  // another length, with the content as it was
  (whole, random) => {
    const content = whole.subarray(headSize(whole));
    const length = random.isOneIn(2)
      ? encodeLength(Math.max(content.length + random.below(9) - 4, 0))
      : Buffer.from(random.pick(hugeLengths), 'hex');
    return Buffer.concat([whole.subarray(0, 1), length, content]);
  },
  (whole, random) => Buffer.concat([Buffer.of(random.pick(tags)), whole.subarray(1)]),
  () => Buffer.alloc(0),
  (whole, random) => Buffer.concat(Array.from({ length: random.size(random.isOneIn(10) ? 200 : 4) + 1 }, () => whole)),
  (_, random, others) => random.pick(others),
  (_, random) =>
    wrap(0x02, random.isOneIn(4) ? random.bytes(random.size(1200)) : Buffer.from(random.pick(integers), 'hex')),
  (_, random) => wrap(random.pick([0x17, 0x18]), Buffer.from(random.pick(times))),
  (whole, random) => wrap(whole[0] ?? 0, random.bytes(random.below(whole.length))),
  (whole, random) => {
    const content = Buffer.from(whole.subarray(headSize(whole)));
    if (content.length > 0)
      content.writeUInt8(
        content.readUInt8(0) ^ (1 << random.below(8)),
        content.length > 1 ? random.below(content.length) : 0,
      );
    return wrap(whole[0] ?? 0, content);
  },
  // deep nesting
  (whole, random) => {
    let nested = whole;
    const levels = random.isOneIn(20) ? 3000 : random.size(60);
    const kinds = random.pick([[0x30], [0x30, 0x04], [0x24], [0xa0, 0x04]]);
    for (let level = 0; level < levels; level++) nested = wrap(kinds[level % kinds.length] ?? 0x30, nested);
    return nested;
  },
];

/** Changes one element; nothing where the bytes are no DER. */
export const mutateDer: Mutation = (bytes, random, others) => {
  const roots = parseAll(bytes);
  if (roots === undefined || roots.length === 0) return bytes;
  const chosen = random.pick(roots.flatMap(all));
  const change = random.pick(changes);
  return Buffer.concat(roots.map((root) => encode(root, chosen, (whole) => change(whole, random, others))));
};

/** Changes the DER inside one block of a PEM text, and puts it back into its armour. */
export const mutateArmouredDer: Mutation = (bytes, random, others) => {
  const text = bytes.toString('latin1');
  const blocks = [...text.matchAll(/(-----BEGIN [^-]*-----)([^-]+)(-----END)/g)];
  if (blocks.length === 0) return bytes;
  const { index, 0: whole, 1: begin = '', 2: body = '', 3: end = '' } = random.pick(blocks);
  const changed = mutateDer(Buffer.from(body, 'base64'), random, others).toString('base64');
  const lines = changed.replace(/.{64}/g, '$&\n');
  return Buffer.from(`${text.slice(0, index)}${begin}\n${lines}\n${end}${text.slice(index + whole.length)}`, 'latin1');
};
