// Alipay's product under test: contexts made from the keys of a vector, as a load makes them, with the time as an argument.
import { generateKeyPairSync } from 'node:crypto';
import { checkValue } from '../../../src/crypto/check-value.ts';
import { readCertificates, readCertificatesThatParse, readPublicKey } from '../../../src/crypto/containers.ts';
import { localKey, type PrivateKey } from '../../../src/crypto/private-key.ts';
import { createContext } from '../../../src/providers/alipay/context.ts';
import type { NamedChain, Parts } from '../../../src/providers/alipay/parts.ts';
import { type FlatContext, flatten } from '../../support/flatten.ts';
import { Unusable } from '../findings.ts';
import { listOf } from '../read.ts';
import type { Situation } from '../situation.ts';

/** A context needs a private key; vectors that are not about one get this. */
let spare: PrivateKey | undefined;
const sparePrivateKey = (): PrivateKey =>
  (spare ??= localKey(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey));

export type Subject = Required<FlatContext>;

/** Not `load`: many sources pair keys and names that its rules refuse, as they should. */
export async function subject(
  parts: Partial<Parts>,
  mode: 'certificate' | 'key',
  privateKey = sparePrivateKey(),
): Promise<Subject> {
  const whole = { privateKeys: [], appCertificates: [], alipayCertificates: [], alipayPublicKeys: [], aesKeys: [] };
  const options = { appId: 'app_of_vectors', mode, gateway: 'production' } as const;
  const context = await createContext({ ...whole, ...parts }, privateKey, options, {
    unread: [],
    nameSecret: checkValue,
  });
  return flatten(context) as Subject;
}

const certificateNames = ['certificate', 'alipay_certificate', 'alipay_cert', 'cert', 'alipay_certificate_bundle'];
const keyNames = ['public_key', 'alipay_public_key'];

/** The first certificate of a file, and those that follow it. */
export function chainOf(bytes: Buffer, name = 'certificate'): NamedChain {
  const [leaf, ...intermediates] = readCertificates(bytes, name);
  return { name, leaf, intermediates };
}

export interface Trusting {
  readonly context: Subject;
  /** A moment at which the certificate has not expired; sources' own have, or will. */
  readonly now: Date;
}

/** The key that the vector says is Alipay's, in the mode that it fits. */
export async function trusting(situation: Situation): Promise<Trusting> {
  const certificate = situation.material(...certificateNames);
  if (certificate !== undefined) {
    const chain = chainOf(certificate);
    const now = new Date(Math.min(Date.now(), chain.leaf.validToDate.getTime() - 1000));
    return { context: await subject({ alipayCertificates: [chain] }, 'certificate'), now };
  }
  const key = situation.material(...keyNames);
  if (key === undefined) throw new Unusable('there is no certificate or public key to verify with');
  const alipayPublicKeys = [['alipay_public_key', readPublicKey(key, 'public_key')] as const];
  return { context: await subject({ alipayPublicKeys }, 'key'), now: new Date() };
}

/** Every certificate of the files that these inputs name, one or several. */
export function certificatesIn(situation: Situation, ...names: string[]) {
  return listOf(situation.input(...names)).flatMap(
    (file) => readCertificatesThatParse(situation.contents(String(file))).certificates,
  );
}
