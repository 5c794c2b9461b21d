// The form of a file that keeps material for a restart: a title with a digest of the rest, a head of one line, and the parts.
import { createHash } from 'node:crypto';
import Type, { type Static } from 'typebox';
import { PaycertError } from '../errors.ts';
import { validator } from '../validation.ts';

const closed = { additionalProperties: false } as const;

const Head = Type.Object(
  {
    /** Of which pod: what one pod has accepted is nothing that another one trusts. */
    pod: Type.String(),
    credential: Type.String(),
    identity: Type.String(),
    version: Type.Optional(Type.String()),
    /** Milliseconds since 1970. */
    keptAt: Type.Integer({ minimum: 0, maximum: 8.64e15 }),
    parts: Type.Array(Type.Object({ name: Type.String(), byteLength: Type.Integer({ minimum: 0 }) }, closed)),
  },
  closed,
);

/** Material that was accepted, and by whom. */
export interface Kept extends Omit<Static<typeof Head>, 'parts' | 'keptAt'> {
  readonly keptAt: Date;
  readonly data: ReadonlyMap<string, Uint8Array>;
}

const validate = validator(Head, 'last-good-refused', 'few');

const title = 'paycert last good 1 ';
const titleBytes = title.length + 64 + 1;
const lineEnd = 0x0a;

const titleOf = (rest: Uint8Array): Buffer =>
  Buffer.from(`${title}${createHash('sha256').update(rest).digest('hex')}\n`);

export function encodeKept({ data, keptAt, ...about }: Kept): Buffer {
  const parts = [...data].map(([name, { byteLength }]) => ({ name, byteLength }));
  const head = Buffer.from(`${JSON.stringify({ ...about, keptAt: keptAt.getTime(), parts })}\n`);
  const rest = Buffer.concat([head, ...data.values()]);
  return Buffer.concat([titleOf(rest), rest]);
}

const refused = (reason: string): PaycertError => new PaycertError('last-good-refused', `what was kept ${reason}`);

/**
 * The digest finds what is cut off or damaged. It proves nothing about who wrote it: a key for that would lie beside the file.
 * @throws PaycertError `last-good-refused`
 */
export function decodeKept(bytes: Buffer): Kept {
  const rest = bytes.subarray(titleBytes);
  if (!bytes.subarray(0, titleBytes).equals(titleOf(rest))) throw refused('is not whole');
  const headEnd = rest.indexOf(lineEnd);
  const { parts, keptAt, ...about } = validate(parseHead(rest.subarray(0, headEnd)), 'its head');
  const data = new Map<string, Uint8Array>();
  let at = headEnd + 1;
  for (const { name, byteLength } of parts) {
    data.set(name, rest.subarray(at, at + byteLength));
    at += byteLength;
  }
  if (at !== rest.byteLength || data.size !== parts.length)
    throw refused('does not hold the parts that its head names');
  return { ...about, keptAt: new Date(keptAt), data };
}

function parseHead(line: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(line).toString());
  } catch {
    throw refused('has a head that is not JSON');
  }
}
