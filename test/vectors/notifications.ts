// Notifications: the signature over the exact bytes, then the resource inside.
import { PaycertError } from '../../src/errors.ts';
import { aesKey } from '../../src/crypto/cipher.ts';
import { readCertificates } from '../../src/crypto/containers.ts';
import { normalizeSerial } from '../../src/crypto/x509.ts';
import { readPlaintext } from '../../src/providers/shared/plaintext.ts';
import { apiV3KeyOf, open, type Sealed } from './aead.ts';
import { isObject, type Json } from './read.ts';
import { headersOf, verifyResponse } from './signatures.ts';
import type { Situation } from './situation.ts';
import { subject, trustedKeys } from './subject.ts';
import { clockOf } from './moments.ts';
import { verified } from '../support/verified.ts';

/** Verifies and opens; only what the vector has inputs for. */
export async function checkNotification(situation: Situation): Promise<void> {
  const body = Buffer.from(situation.need('body', 'notification', 'request_body'));
  const headers = headersOf(situation);
  const hasKey = situation.text('api_v3_key', 'apiv3_key', 'key') !== undefined;
  if (headers === undefined) {
    await checkResource(situation, body);
    return;
  }
  const verify = () =>
    verifyResponse(trustedKeys(situation), { kind: 'notification', headers, body }, clockOf(situation, headers));
  // A signature that is expected to be right, around a resource that must be refused.
  const isSignatureJudged = situation.expectedKeys(/^signature_valid$/).length > 0;
  const signature = situation.verdictOf('signature_valid');
  if (isSignatureJudged && signature === 'accepted') {
    if ((await situation.run(verify, 'accepted')) !== undefined && hasKey) await checkResource(situation, body);
  } else if (situation.verdict === 'refused') {
    await situation.run(async () => {
      await verify();
      if (hasKey) await openResource(situation, body);
    });
  } else if ((await situation.run(verify)) !== undefined && hasKey) await checkResource(situation, body);
}

function resourceOf(body: Buffer): { json: Json; resource: Sealed } {
  const json = readPlaintext(body);
  const resource = isObject(json) ? json['resource'] : undefined;
  if (!isObject(json) || !isObject(resource)) throw new PaycertError('notification-malformed', 'there is no resource');
  const text = (name: string): string => (typeof resource[name] === 'string' ? resource[name] : '');
  const [ciphertext, nonce, associatedData] = [text('ciphertext'), text('nonce'), text('associated_data')];
  return { json, resource: { ciphertext, nonce, associatedData, algorithm: text('algorithm') } };
}

/** The exact bytes, and through `openNotification` too where the envelope is whole: some sources send the resource alone. */
async function openResource(situation: Situation, body: Buffer): Promise<Buffer> {
  const key = apiV3KeyOf(situation);
  const { json, resource } = resourceOf(body);
  const plaintext = await open(situation, key, resource, situation.verdict !== 'refused');
  if (key.byteLength === 32 && 'id' in json && 'event_type' in json) {
    const { openNotification } = await subject({ apiV3Key: aesKey(key) });
    const opened = await openNotification(await verified(body));
    const isSame = JSON.stringify(opened.resource) === JSON.stringify(readPlaintext(plaintext));
    situation.require(isSame, 'the notification’s content differs from its plaintext');
  }
  return plaintext;
}

async function checkResource(situation: Situation, body: Buffer): Promise<void> {
  const plaintext = await situation.run(() => openResource(situation, body));
  if (plaintext === undefined) return;
  const expected = situation.expects('plaintext', 'resource', 'decrypted');
  if (typeof expected === 'string') {
    const isSame = plaintext.equals(Buffer.from(expected)) || isSameFile(plaintext, situation.file(expected));
    situation.assert(isSame, 'the plaintext differs');
  } else if (expected !== undefined) {
    situation.assert(isSubset(expected, readPlaintext(plaintext)), 'the plaintext differs');
  }
  const { json } = resourceOf(body);
  for (const key of ['event_type', 'id', 'resource_type', 'summary', 'create_time']) {
    const fact = situation.expectsText(key);
    if (fact !== undefined) situation.equal(key, json[key], fact);
  }
  const serial = situation.expectsText('plaintext_serial', 'serial_no');
  if (serial !== undefined) {
    const [certificate] = readCertificates(plaintext, 'plaintext');
    situation.equal('the serial number', normalizeSerial(certificate.serialNumber), normalizeSerial(serial));
  }
}

const isSameFile = (bytes: Buffer, file: Buffer | undefined): boolean =>
  file !== undefined && bytes.toString().trim() === file.toString().trim();

/** Every member that is expected is there; sources often quote only some. */
function isSubset(expected: unknown, actual: unknown): boolean {
  if (!isObject(expected)) return JSON.stringify(expected) === JSON.stringify(actual);
  return isObject(actual) && Object.entries(expected).every(([key, value]) => isSubset(value, actual[key]));
}
