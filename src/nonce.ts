// Chance as an argument: what makes a nonce. Tests pass their own.
import { randomFillSync } from 'node:crypto';

const bytesOfNonce = 16;
/** Of so many nonces, so that the system is asked once for all of them. */
const chance = Buffer.alloc(bytesOfNonce * 256);
let used = chance.byteLength;

/** 32 hexadecimal digits, 128 bits of them random: every platform takes that many. */
export function randomNonce(): string {
  if (used === chance.byteLength) {
    randomFillSync(chance);
    used = 0;
  }
  used += bytesOfNonce;
  return chance.toString('hex', used - bytesOfNonce, used);
}
