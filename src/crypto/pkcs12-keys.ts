// Keys derived for PKCS#12 without holding the event loop: PBKDF2 in the thread pool, the format's own derivation (RFC 7292 B.2) in turns.
import { hash, pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import { Turns } from '../turns.ts';

/** One key that a file asks for; texts hold a byte in each character, as node-forge has them. */
export interface Derivation {
  /** What the key is for, of the format's own derivation; undefined of PBKDF2. */
  readonly purpose?: number;
  readonly password: string;
  readonly salt: string;
  readonly rounds: number;
  readonly bytes: number;
  readonly digest: { readonly algorithm: string; readonly blockLength: number };
}

/** A key, an IV and a MAC each, of more parts than any real file has. */
const maxDerivations = 64;

/** Each a microsecond or two. */
const roundsInTurn = 1000;

/** One after the other in the whole process, so that a signature finds threads. */
let last: Promise<unknown> = Promise.resolve();

/**
 * What derives keys is asked in the middle of node-forge's own work, which does not wait. So the work is given up where a key is
 * missing, and done again from the start when that key is there: a file asks for about six.
 */
export class DerivedKeys {
  readonly #known = new Map<string, Buffer>();
  #missing: Derivation | undefined;

  /** @throws Error of any kind while the key is not there, which ends the attempt */
  key(derivation: Derivation): Buffer {
    const known = this.#known.get(idOf(derivation));
    if (known !== undefined) return known;
    this.#missing ??= derivation;
    throw new Error('a key is missing');
  }

  /** The result of the first attempt to which no key was missing. @throws what it throws */
  async use<T>(attempt: () => T): Promise<T> {
    for (;;) {
      this.#missing = undefined;
      try {
        return attempt();
      } catch (error) {
        const missing = this.#missingAfter();
        if (missing === undefined || this.#known.size === maxDerivations) throw error;
        const key = last.then(() => derive(missing));
        last = key.catch(() => undefined);
        this.#known.set(idOf(missing), await key);
      }
    }
  }

  #missingAfter(): Derivation | undefined {
    return this.#missing;
  }
}

const idOf = ({ purpose, salt, rounds, bytes, digest }: Derivation): string =>
  JSON.stringify([purpose, salt, rounds, bytes, digest.algorithm]);

const deriveInPool = promisify(pbkdf2);

const toBytes = (text: string): Buffer => Buffer.from(text, 'latin1');

function derive(derivation: Derivation): Promise<Buffer> {
  const { purpose, password, salt, rounds, bytes, digest } = derivation;
  if (purpose !== undefined) return deriveInTurns(derivation, purpose);
  return deriveInPool(toBytes(password), toBytes(salt), rounds, bytes, digest.algorithm);
}

/** RFC 7292 B.2; the letters are its own. */
async function deriveInTurns({ password, salt, rounds, bytes, digest }: Derivation, purpose: number): Promise<Buffer> {
  const { algorithm, blockLength: v } = digest;
  if (rounds < 1) throw new Error('a key derived in no round would not depend on the password');
  const D = Buffer.alloc(v, purpose);
  let I: Buffer = Buffer.concat([fill(toBytes(salt), v), fill(toBmp(password), v)]);
  const parts: Buffer[] = [];
  const turns = new Turns(roundsInTurn);
  for (let length = 0; length < bytes; length += parts.at(-1)?.length ?? bytes) {
    let A: Buffer = Buffer.concat([D, I]);
    for (let round = 0; round < rounds; round += 1) {
      A = hash(algorithm, A, 'buffer');
      const pause = turns.step();
      if (pause) await pause;
    }
    parts.push(A);
    I = addToBlocks(I, fill(A, v).subarray(0, v));
  }
  return Buffer.concat(parts).subarray(0, bytes);
}

/** As often as it takes to fill whole blocks; nothing of nothing. */
const fill = (bytes: Buffer, block: number): Buffer =>
  bytes.length === 0 ? bytes : Buffer.alloc(block * Math.ceil(bytes.length / block), bytes);

/** BMPString with two bytes of zero at its end. */
const toBmp = (password: string): Buffer => Buffer.from(`${password}\0`, 'utf16le').swap16();

/** Adds B and one to each block, modulo 2 to the length of a block. */
function addToBlocks(blocks: Buffer, B: Buffer): Buffer {
  const sums = Buffer.from(blocks);
  for (let start = 0; start < sums.length; start += B.length) {
    for (let at = B.length - 1, carry = 1; at >= 0; at -= 1) {
      const sum = (sums[start + at] ?? 0) + (B[at] ?? 0) + carry;
      sums[start + at] = sum & 0xff;
      carry = sum >> 8;
    }
  }
  return sums;
}
