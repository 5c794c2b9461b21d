// Serial numbers in their many spellings.
import { isDeepStrictEqual } from 'node:util';
import { readCertificates } from '../../src/crypto/containers.ts';
import { certificateFingerprint, normalizeSerial, wireSerial } from '../../src/crypto/x509.ts';
import { certificateFacts } from '../../src/providers/shared/facts.ts';
import { listOf } from './read.ts';
import type { Situation } from './situation.ts';

const spellings: readonly (readonly [RegExp, (hex: string) => string])[] = [
  [/decimal|dec$/, (hex) => BigInt(`0x${hex}`).toString()],
  [/normali[sz]ed|stripped|canonical|compar/, normalizeSerial],
  [/lower/, (hex) => wireSerial(hex).toLowerCase()],
  [/sha256|fingerprint/, (hex) => hex],
  [/./, wireSerial],
];

/** Serial numbers of certificates, or of texts that are one; each expectation is a spelling of all of them, in order. */
export async function checkSerials(situation: Situation): Promise<void> {
  const files = situation.input('certificates', 'certificate', 'cert', 'certs');
  const texts = situation.input(
    'serials',
    'serial',
    'serial_hex',
    'serial_no',
    'input',
    'value',
    'inputs',
    'a',
    'left',
  );
  const certificates = listOf(files).map(
    (file) => readCertificates(situation.contents(String(file)), 'certificate')[0],
  );
  const facts = certificates.map((one) => ({
    serial: certificateFacts(one, 'platform').keyId,
    sha256: certificateFingerprint(one),
  }));
  const serials = files === undefined ? listOf(texts).map(String) : facts.map(({ serial }) => serial);
  for (const key of situation.expectedKeys(/serial|hex|decimal|dec$|normali|wire|sha256|fingerprint|result|expected/)) {
    const expected = situation.expects(key);
    const spell = spellings.find(([pattern]) => pattern.test(key))?.[1] ?? wireSerial;
    const actual = /sha256|fingerprint/.test(key) ? facts.map(({ sha256 }) => sha256) : serials.map(spell);
    situation.equal(key, actual, listOf(expected).map(String));
  }
  for (const key of situation.expectedKeys(/^(?:not_?(?:before|after)|valid_?(?:from|to|until))$/i)) {
    const fact = /before|from/i.test(key) ? 'validFromDate' : 'validToDate';
    const moments = listOf(situation.expects(key)).map((time) => new Date(String(time)).getTime());
    const actual = certificates.map((one) => one[fact].getTime());
    situation.equal(key, actual, moments);
  }
  const isEqual = situation.verdictOf('equal', 'same', 'match', 'matches');
  const other = situation.text('other', 'b', 'right', 'header', 'wechatpay_serial');
  if (isEqual !== undefined && other !== undefined) {
    const isSame = isDeepStrictEqual(serials.map(normalizeSerial), [normalizeSerial(other)]);
    situation.equal('whether the serial numbers are equal', isSame, isEqual === 'accepted');
  }
}
