// AEAD_AES_256_GCM: opening resources, and what must not open: wrong keys, short ciphertexts, nonces of another length.
import { createDecipheriv, createSecretKey } from 'node:crypto';
import { aesKey, openAesGcm } from '../../src/crypto/cipher.ts';
import { PaycertError } from '../../src/errors.ts';
import { aeadAlgorithm } from '../../src/providers/wechatpay/envelope.ts';
import { readParts } from '../../src/providers/wechatpay/parts.ts';
import type { Situation } from './situation.ts';
import { subject } from './subject.ts';

export interface Sealed {
  readonly ciphertext: string;
  readonly nonce: string;
  readonly associatedData: string;
  readonly algorithm?: string;
}

/**
 * TEST HOOK, in no way part of the product: some sources' tests seal with 16-byte keys (AES-128) or 16-byte nonces. The
 * content is checked with this, after the product has been seen to refuse such a key or nonce.
 */
function openOffSpecification(key: Buffer, { ciphertext, nonce, associatedData }: Sealed): Buffer | undefined {
  const sealed = Buffer.from(ciphertext, 'base64');
  if (sealed.byteLength < 16 || ![16, 24, 32].includes(key.byteLength) || nonce === '') return undefined;
  const cipher = ({ 16: 'aes-128-gcm', 24: 'aes-192-gcm', 32: 'aes-256-gcm' } as const)[key.byteLength as 16 | 24 | 32];
  const decipher = createDecipheriv(cipher, createSecretKey(key), Buffer.from(nonce), { authTagLength: 16 });
  decipher.setAAD(Buffer.from(associatedData));
  decipher.setAuthTag(sealed.subarray(-16));
  const plaintext = decipher.update(sealed.subarray(0, -16));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  return plaintext;
}

/** What material of that key is refused with, if it is. */
async function refusalOfKey(key: Buffer): Promise<string | undefined> {
  const { problems } = await readParts(new Map([['apiv3_key', key]]), '1900000000');
  return problems[0]?.code;
}

/** The length that configuration insists on. */
export async function checkApiV3Key(situation: Situation): Promise<void> {
  await situation.run(async () => {
    const { problems } = await readParts(new Map([['apiv3_key', apiV3KeyOf(situation)]]), '1900000000');
    if (problems[0] !== undefined) throw problems[0];
  });
}

const undecryptable = () => new PaycertError('decryption-failed', 'the test hook cannot open it');

/** Opens as the product does, where it would at all. `mayBeOff`: the source says that it opens, so try the hook. */
export async function open(situation: Situation, key: Buffer, sealed: Sealed, mayBeOff: boolean): Promise<Buffer> {
  if (key.byteLength !== 32) {
    situation.require((await refusalOfKey(key)) === 'apiv3-key-length', 'a key that is not 32 bytes is not refused');
  } else if (Buffer.byteLength(sealed.nonce) === 12 || !mayBeOff) {
    const { plaintext } = await (
      await subject({ apiV3Key: aesKey(key) })
    ).decrypt({ algorithm: aeadAlgorithm, ...sealed });
    return Buffer.from(plaintext);
  } else {
    const bytes = Buffer.from(sealed.ciphertext, 'base64');
    const opened = openAesGcm(aesKey(key), Buffer.from(sealed.nonce), Buffer.from(sealed.associatedData), bytes);
    situation.require(opened === undefined, 'the product opens with a nonce that is not 12 bytes');
  }
  const plaintext = openOffSpecification(key, sealed);
  if (plaintext === undefined) throw undecryptable();
  return plaintext;
}

export const apiV3KeyOf = (situation: Situation): Buffer =>
  Buffer.from(situation.need('api_v3_key', 'apiv3_key', 'api_key', 'key', 'secret'));

/** Decryption; sources that encrypt are checked by opening what they expect, since the product never encrypts this way. */
export async function checkAead(situation: Situation): Promise<void> {
  const sealedHere = situation.expectsText('ciphertext');
  const ciphertext = sealedHere ?? situation.need('ciphertext');
  if (sealedHere !== undefined) {
    // Decoding is lenient: another spelling of the same bytes would not be what the source wrote.
    situation.assert(
      Buffer.from(sealedHere, 'base64').toString('base64') === sealedHere,
      'the ciphertext is not base64',
    );
  }
  const algorithm = situation.text('algorithm');
  const sealed = {
    ciphertext: joinTag(ciphertext, situation.text('tag')),
    nonce: situation.need('nonce', 'iv'),
    associatedData: situation.text('associated_data', 'aad', 'associatedData') ?? '',
    ...(algorithm !== undefined && { algorithm }),
  };
  const plaintext = situation.expectsText('plaintext') ?? situation.text('plaintext');
  const key = apiV3KeyOf(situation);
  const opened = await situation.run(() => open(situation, key, sealed, situation.verdict !== 'refused'));
  if (opened !== undefined && plaintext !== undefined) {
    const isSame = opened.equals(Buffer.from(plaintext)) || opened.equals(situation.contents(plaintext));
    situation.assert(isSame, 'the plaintext differs');
  }
}

function joinTag(ciphertext: string, tag: string | undefined): string {
  if (tag === undefined) return ciphertext;
  return Buffer.concat([Buffer.from(ciphertext, 'base64'), Buffer.from(tag, 'base64')]).toString('base64');
}
