// Alipay's certificates: their serial numbers, those of the roots, the keys inside, and whether they lead to a root.
import type { X509Certificate } from 'node:crypto';
import { readCertificates } from '../../../src/crypto/containers.ts';
import { isRsaSigned, rootSerialOf, serialOf } from '../../../src/providers/alipay/serials.ts';
import { leadsToRoot } from '../../../src/providers/alipay/trust.ts';
import { PaycertError } from '../../../src/errors.ts';
import { Unusable } from '../findings.ts';
import { isObject, listOf } from '../read.ts';
import type { Situation } from '../situation.ts';
import { certificatesIn, chainOf } from './subject.ts';

const rootNames = ['root', 'roots', 'root_certificate', 'root_certificates', 'alipay_root_certificate', 'certificates'];

/** Which input an expected serial number is of; a source with one certificate calls it just that. */
const serials: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^(?:app|merchant)/, ['app_certificate', 'app_cert', 'certificate', 'cert']],
  [
    /^(?:alipay(?!_root)|sn$|cert|md5$|serial)/,
    [
      'alipay_certificate',
      'alipay_certificate_bundle',
      'alipay_cert',
      'certificate',
      'certificate_bundle',
      'cert',
      'bundle',
    ],
  ],
];

export async function checkSerials(situation: Situation): Promise<void> {
  for (const key of situation.expectedKeys(/sn$|^md5$|serial/)) {
    const expected = situation.expectsText(key);
    const names = serials.find(([pattern]) => pattern.test(key))?.[1];
    if (expected === undefined || /root/.test(key) || names === undefined) continue;
    const bytes = situation.material(...names);
    if (bytes === undefined) throw new Unusable(`there is no certificate for ${key}`);
    situation.equal(key, serialOf(readCertificates(bytes, 'certificate')[0]), expected);
  }
  if (situation.expectedKeys(/root/).length > 0) await checkRoots(situation);
}

export async function checkRoots(situation: Situation): Promise<void> {
  const roots = certificatesIn(situation, ...rootNames, 'certificate', 'alipay_root_cert');
  const expected = situation.expectsText('alipay_root_cert_sn', 'root_cert_sn', 'root_sn', 'sn');
  if (expected !== undefined) situation.equal('the roots’ serial number', rootSerialOf(roots), expected);
  const each = situation.expects('per_certificate', 'certificates');
  if (each === undefined) return;
  const facts = listOf(each).filter(isObject);
  situation.equal('the number of roots', roots.length, facts.length);
  facts.forEach((fact, i) => checkRoot(situation, i, fact, roots[i]));
}

function checkRoot(situation: Situation, i: number, fact: object, root: X509Certificate | undefined): void {
  if (root === undefined) return;
  const actual: Record<string, unknown> = {
    included: isRsaSigned(root),
    md5: serialOf(root),
    sn: serialOf(root),
    sig_oid: root.signatureAlgorithmOid,
  };
  for (const [key, value] of Object.entries(fact)) {
    if (key in actual) situation.equal(`${key} of root ${i + 1}`, actual[key], value);
  }
}

export async function checkPublicKey(situation: Situation): Promise<void> {
  const bytes = situation.material('certificate', 'alipay_certificate', 'app_certificate', 'cert');
  if (bytes === undefined) throw new Unusable('there is no input certificate');
  const { leaf } = chainOf(bytes);
  const spki = situation.expectsText('spki_base64', 'public_key', 'public_key_base64');
  if (spki === undefined) return;
  const actual = leaf.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  situation.assert(actual === spki.replace(/-----[^-]+-----|\s/g, ''), 'the public key differs');
}

/** A certificate that is to be trusted leads to a root; one of another environment, or damaged, does not. */
export async function checkChain(situation: Situation): Promise<void> {
  const leafNames = ['leaf', 'certificate', 'alipay_certificate', 'app_certificate', 'cert', 'chain', 'bundle'];
  const [leaf, ...following] = certificatesIn(situation, ...leafNames, 'alipay_certificate_bundle');
  if (leaf === undefined) throw new Unusable('there is no input certificate');
  const intermediates = certificatesIn(situation, 'intermediate', 'intermediates', 'intermediate_certificate');
  const roots = certificatesIn(situation, ...rootNames, 'alipay_root_cert', 'alipay_root', 'trust');
  const verdict =
    situation.verdictOf('trusted', 'chain_valid', 'chains', 'valid', 'chain_trusted') ?? situation.verdict;
  await situation.run(() => {
    if (leadsToRoot(leaf, [...following, ...intermediates], roots) === true) return;
    throw new PaycertError('platform-certificate-untrusted', 'the certificate leads to no root');
  }, verdict ?? 'unjudged');
}
