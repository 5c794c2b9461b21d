// Chance as an argument: what makes a nonce. Tests pass their own.
import { randomUUID } from 'node:crypto';

/** 32 hexadecimal digits, 122 bits of them random: every platform takes that many. */
export const randomNonce = (): string => randomUUID().replaceAll('-', '');
