// Certificates: the encrypted list of GET /v3/certificates.
import type { X509Certificate } from 'node:crypto';
import { aesKey } from '../../src/crypto/cipher.ts';
import { readCertificates } from '../../src/crypto/containers.ts';
import { wireSerial } from '../../src/crypto/x509.ts';
import { PaycertError } from '../../src/errors.ts';
import { openCertificates } from '../../src/providers/wechatpay/envelope.ts';
import { certificateFacts } from '../../src/providers/shared/facts.ts';
import { readPlaintext } from '../../src/providers/shared/plaintext.ts';
import { apiV3KeyOf, open } from './aead.ts';
import { isObject, type Json, listOf } from './read.ts';
import { headersOf, verifyResponse } from './signatures.ts';
import type { Situation } from './situation.ts';
import { clockOf } from './moments.ts';

function textIn(json: unknown, name: string): string {
  const value = isObject(json) ? json[name] : undefined;
  return typeof value === 'string' ? value : '';
}

function entriesOf(answer: string): readonly Json[] {
  const json = readPlaintext(Buffer.from(answer));
  return (isObject(json) ? listOf(json['data']) : []).filter(isObject);
}

async function openList(situation: Situation, answer: string, key: Buffer): Promise<readonly string[]> {
  if (key.byteLength === 32) {
    const opened = openCertificates(answer, aesKey(key));
    if (opened === undefined) throw new PaycertError('decryption-failed', 'the list does not open');
    return opened;
  }
  const resources = entriesOf(answer).map((entry) => entry['encrypt_certificate']);
  const sealed = resources.map((json) => ({
    ciphertext: textIn(json, 'ciphertext'),
    nonce: textIn(json, 'nonce'),
    associatedData: textIn(json, 'associated_data'),
  }));
  return Promise.all(sealed.map(async (one) => (await open(situation, key, one, true)).toString()));
}

/** The first list is signed by a certificate inside it: those that opened verify the answer itself. */
async function checkResponseSignature(situation: Situation, certificates: readonly X509Certificate[], answer: string) {
  const headers = headersOf(situation);
  if (headers === undefined) return;
  const keys = certificates.map((one) => ({ keyId: one.serialNumber, key: one.publicKey, certificate: one }));
  const body = Buffer.from(answer);
  const verdict = situation.verdictOf('signature_valid');
  await situation.run(
    () => verifyResponse(keys, { kind: 'response', headers, body }, clockOf(situation, headers)),
    verdict,
  );
}

export async function checkPlatformCertificates(situation: Situation): Promise<void> {
  const answer = situation.need('response_body', 'body', 'response', 'certificates_json');
  const isSignatureJudged =
    headersOf(situation) !== undefined && situation.expectedKeys(/^signature_valid$/).length > 0;
  const opens = isSignatureJudged ? 'unjudged' : situation.verdict;
  const pems = await situation.run(() => openList(situation, answer, apiV3KeyOf(situation)), opens);
  if (pems === undefined) return;
  const certificates = pems.map((pem) => readCertificates(Buffer.from(pem), 'certificate')[0]);
  await checkResponseSignature(situation, certificates, answer);
  const serials = certificates.map((certificate) => certificateFacts(certificate, 'platform').keyId);
  const entries = entriesOf(answer);
  const count = situation.expects('count', 'certificate_count');
  if (count !== undefined) situation.equal('the number of certificates', certificates.length, count);
  const wanted = situation.expects('serial_no', 'serial', 'serials', 'serial_nos', 'serial_numbers');
  if (wanted !== undefined)
    situation.equal(
      'the serial numbers',
      serials,
      listOf(wanted).map((one) => wireSerial(String(one))),
    );
  const files = situation.expects('certificate', 'certificates', 'pem', 'plaintext');
  listOf(files).forEach((file, i) => {
    const name = isObject(file) ? textIn(file, 'certificate') || textIn(file, 'pem') : String(file);
    const isSame = situation.contents(name).toString().trim() === pems[i]?.trim();
    situation.assert(isSame, `certificate ${i + 1} differs`);
  });
  // Usually the certificate's own times; the platform may shorten the second in the list.
  for (const [key, fact] of [
    ['effective_time', 'validFromDate'],
    ['expire_time', 'validToDate'],
  ] as const) {
    listOf(situation.expects(key, `${key}s`)).forEach((time, i) => {
      const moment = new Date(String(time)).getTime();
      const isKnown = textIn(entries[i], key) === time || certificates[i]?.[fact].getTime() === moment;
      situation.assert(isKnown, `${key} of certificate ${i + 1} differs`);
    });
  }
}
