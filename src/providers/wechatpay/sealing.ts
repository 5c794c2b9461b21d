// What is encrypted: fields for the platform's key or for one of the merchant's, resources under the APIv3 key.
import type { KeyObject } from 'node:crypto';
import { oaep, oaepCapacity, pkcs1, sealOaep } from '../../crypto/cipher.ts';
import { secretId } from '../../crypto/mac.ts';
import { atOnce, type PrivateKey } from '../../crypto/private-key.ts';
import { publicKeyFingerprint } from '../../crypto/x509.ts';
import { PaycertError } from '../../errors.ts';
import { publicFacts } from '../shared/facts.ts';
import { open } from '../shared/tries.ts';
import type { Ciphertext, KeyFacts, Opener, Operations } from '../provider.ts';
import { openResource } from './envelope.ts';
import type { ResponseKey } from './options.ts';
import { keyUnknown, type PlatformKeys } from './platform-keys.ts';
import { takes } from './takes.ts';

export interface OwnKeys {
  /** APIv3 keys in the order in which they are tried. */
  readonly symmetric: readonly (KeyFacts & { readonly key: KeyObject })[];
  /** Private keys that fields may have been encrypted for, in the order in which they are tried. */
  readonly fieldKeys: readonly { readonly key: PrivateKey; readonly facts: KeyFacts }[];
  /** Whether fields that OAEP does not open are tried with PKCS#1 v1.5; see the danger at `pkcs1Opener`. */
  readonly legacyFieldPadding: boolean;
  /** Receives a current APIv3 key that has opened something the platform wrote. */
  readonly prove: (keyId: string) => void;
}

/** The keys that open what the platform encrypted. */
export function collectOpeners({ symmetric, fieldKeys, legacyFieldPadding, prove }: OwnKeys): readonly Opener[] {
  const ciphers = legacyFieldPadding ? [oaep, pkcs1] : [oaep];
  return [
    ...symmetric.map(({ key, ...rest }): Opener => {
      const facts = publicFacts(rest);
      return {
        facts,
        id: secretId(key),
        takes: isResource,
        open(input) {
          const plaintext = isResource(input)
            ? openResource(key, { associatedData: '', nonce: '', ...input })
            : undefined;
          if (plaintext !== undefined && facts.role === 'apiv3') prove(facts.keyId);
          return plaintext;
        },
      };
    }),
    ...ciphers.flatMap((cipher) =>
      fieldKeys.flatMap(({ key: { publicKey, open }, facts }): Opener[] =>
        open === undefined
          ? []
          : [
              {
                facts,
                id: `${publicKeyFingerprint(publicKey)} ${cipher.id}`,
                takes: (input) => !isResource(input),
                open: async ({ ciphertext }, turn) => open(cipher, Buffer.from(ciphertext, 'base64'), turn),
                // PKCS#1 v1.5 cannot tell that a key is the wrong one.
                isGuess: cipher === pkcs1,
              },
            ],
      ),
    ),
  ];
}

type Resource = Extract<Ciphertext, { readonly algorithm: string }>;

const isResource = (input: Ciphertext): input is Resource => 'algorithm' in input;

export function sealing(
  platform: PlatformKeys,
  openers: readonly Opener[],
  responseKey: ResponseKey,
): Pick<Operations, 'encrypt' | 'decrypt' | 'openers'> {
  const findPlatformKey = (keyId: string, now: Date) => {
    const key = platform.find(keyId, now);
    if (key === undefined) throw keyUnknown('keyId');
    return key;
  };

  return {
    openers,

    async encrypt(plaintext, now, keyId) {
      const key =
        keyId === undefined ? platform.preferred(responseKey === 'publicKey', now) : findPlatformKey(keyId, now);
      if (key === undefined) throw new PaycertError('no-platform-key', 'there is no platform key to encrypt for');
      if (plaintext.byteLength > oaepCapacity(key.publicKey)) {
        throw new PaycertError('plaintext-too-long', 'the text does not fit into one encrypted field', {
          field: 'plaintext',
        });
      }
      return { ciphertext: sealOaep(key.publicKey, plaintext), keyId: key.keyId };
    },

    decrypt: (input, turn = atOnce, earlier) =>
      open(openers, input, {
        ...{ forms: takes.decrypt, earlier, turn },
        absent: () => (isResource(input) ? noApiV3Key() : noFieldKey()),
      }),
  };
}

export const noApiV3Key = () => new PaycertError('no-apiv3-key', 'there is no APIv3 key to decrypt with');

/** The merchant’s own key is always there, and opens, unless it stays elsewhere. */
const noFieldKey = () =>
  new PaycertError('no-field-key', 'apiclient_key.pem stays in a key service, which does not open OAEP with SHA-1');
