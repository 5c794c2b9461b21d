// A key for SDKs that insist on one: made in this process, known to nobody, and good for nothing.
import { generateKeyPairSync } from 'node:crypto';

/** @type {string | undefined} */
let pem;

/** PKCS#8, in PEM. Made once. */
export const throwAwayKey = () =>
  (pem ??= generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  }).privateKey);
