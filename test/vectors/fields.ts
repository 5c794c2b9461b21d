// Encrypted fields: RSAES-OAEP with SHA-1, and PKCS#1 v1.5 where the credential opts in.
import type { PrivateKey } from '../../src/crypto/private-key.ts';
import { PaycertError } from '../../src/errors.ts';
import { Unusable } from './findings.ts';
import type { Situation } from './situation.ts';
import { privateKeyOf, subject, trustedKeys } from './subject.ts';

const isLegacy = (situation: Situation): boolean =>
  /pkcs-?1|v1_?5/i.test(situation.vector.kind) || /pkcs-?1/i.test(situation.text('padding', 'transformation') ?? '');

export async function checkField(situation: Situation): Promise<void> {
  const privateKey = privateKeyOf(situation);
  if (situation.text('ciphertext') === undefined) return checkSealing(situation, privateKey);
  if (privateKey === undefined) throw new Unusable('there is no input private_key');
  if (isLegacy(situation)) return checkLegacy(situation, privateKey);
  const ciphertext = situation.need('ciphertext');
  const opened = await situation.run(async () => (await subject({ privateKey })).decrypt({ ciphertext }));
  if (opened !== undefined) assertPlaintext(situation, opened.plaintext);
}

function assertPlaintext(situation: Situation, actual: Uint8Array): void {
  const plaintext = situation.expectsText('plaintext') ?? situation.text('plaintext');
  if (plaintext !== undefined) situation.assert(Buffer.from(plaintext).equals(actual), 'the plaintext differs');
}

/** Without the opt-in it is refused; with it, a wrong key may give random text, but never this text. */
async function checkLegacy(situation: Situation, privateKey: PrivateKey): Promise<void> {
  const ciphertext = situation.need('ciphertext');
  const isOpen = await (
    await subject({ privateKey })
  )
    .decrypt({ ciphertext })
    .catch((error: unknown) => (error instanceof PaycertError ? undefined : Promise.reject(error as Error)));
  situation.require(isOpen === undefined, 'PKCS#1 v1.5 is opened without the opt-in');
  const isWrong = situation.verdict === 'refused';
  const secret = situation.vector.expected['plaintext'] ?? situation.vector.inputs['plaintext'];
  try {
    const { plaintext } = await (await subject({ privateKey }, { legacyFieldPadding: true })).decrypt({ ciphertext });
    if (!isWrong) assertPlaintext(situation, plaintext);
    else
      situation.assert(
        typeof secret === 'string' && !Buffer.from(secret).equals(plaintext),
        'was accepted and must be refused',
      );
  } catch (error) {
    if (!(error instanceof PaycertError)) throw error;
    situation.assert(isWrong, `was refused: ${error.code}`);
  }
}

/** OAEP is random: what is sealed must open again with the private key, and have the length of the modulus. */
async function checkSealing(situation: Situation, privateKey: PrivateKey | undefined): Promise<void> {
  const plaintext = Buffer.from(situation.need('plaintext'));
  const [trusted] = trustedKeys(situation);
  if (trusted === undefined) throw new Unusable('there is no certificate or public key to encrypt for');
  const one = await subject({ publicKey: trusted.key, publicKeyId: trusted.keyId, ...(privateKey && { privateKey }) });
  const sealed = await situation.run(() => one.encrypt(plaintext, new Date(0)));
  if (sealed === undefined) return;
  const bytes = situation.expects('ciphertext_length', 'ciphertext_bytes');
  if (bytes !== undefined) situation.equal('the ciphertext’s length', sealed.ciphertext.byteLength, bytes);
  const roundTrip = situation.expects('plaintext', 'roundtrip', 'round_trip', 'roundtrips');
  if (roundTrip === undefined) return;
  if (privateKey === undefined) throw new Unusable('there is no private key to open it again with');
  const opened = await one.decrypt({ ciphertext: Buffer.from(sealed.ciphertext).toString('base64') });
  const wanted = typeof roundTrip === 'string' ? Buffer.from(roundTrip) : plaintext;
  situation.assert(roundTrip !== false && wanted.equals(opened.plaintext), 'what comes back differs');
}
