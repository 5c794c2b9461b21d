// One set of Alipay keys: what it is, and the operations that it allows. Made from valid parts only.
import type { NameSecret } from '../../crypto/check-value.ts';
import type { PrivateKey } from '../../crypto/private-key.ts';
import { certificateFingerprint, describeAlgorithm } from '../../crypto/x509.ts';
import {
  certificateFacts,
  expiryWarnings,
  isAlive,
  publicFacts,
  publicKeyFacts,
  secretFacts,
} from '../shared/facts.ts';
import type { NamedKey } from '../shared/material.ts';
import type { Capability, KeyFacts, SigningContext } from '../provider.ts';
import type { Settings } from './options.ts';
import type { Parts, Roots } from './parts.ts';
import { collectPlatformKeys, modeWarnings, partWarnings } from './platform-keys.ts';
import { receiving } from './receiving.ts';
import type { Sender } from './request.ts';
import { ownCertificate } from './rules.ts';
import { schemeOf } from './schemes.ts';
import { sealing } from './sealing.ts';
import { isRsaSigned, rootSerialOf, serialOf } from './serials.ts';
import { signing } from './signing.ts';

/** From parts that passed every rule: there is one private key, and what `mode` needs. */
export async function createContext(
  parts: Parts,
  privateKey: PrivateKey,
  options: Settings,
  { unread, nameSecret }: { readonly unread: readonly string[]; readonly nameSecret: NameSecret },
): Promise<SigningContext> {
  const { appId, mode } = options;
  const { publicKey } = privateKey;
  const own = mode === 'certificate' ? ownCertificate(parts)?.leaf : undefined;
  const app: KeyFacts = own ? certificateFacts(own, 'merchant', serialOf(own)) : publicKeyFacts(publicKey, 'merchant');
  const roots = mode === 'certificate' && parts.roots ? [rootFacts(parts.roots)] : [];
  const platformKeys = collectPlatformKeys(parts, mode);
  const aesKeys = await Promise.all(parts.aesKeys.map((one) => aesFacts(one, nameSecret)));
  const aesKey = aesKeys.find(({ facts }) => facts.role === 'aes')?.key;
  const [root] = roots;
  const appSerials = mode === 'certificate' ? parts.appCertificates.map(({ leaf }) => serialOf(leaf)) : [];
  const sender: Sender = { appId, ...(root && { serials: { app: app.keyId, root: root.keyId } }) };
  const loadWarnings = [...partWarnings(parts, options), ...modeWarnings(parts, options, unread)];
  return {
    set: {
      keys: [app, ...platformKeys.map(publicFacts), ...roots, ...aesKeys.map(({ facts }) => facts)],
      problems: [],
      capabilities(now) {
        const able = new Set<Capability>();
        if (isAlive(app, now)) able.add('sign');
        if (platformKeys.some((key) => isAlive(key, now))) able.add('verify');
        if (aesKeys.length > 0) able.add('decrypt');
        return able;
      },
      warnings: (now) => [...loadWarnings, ...expiryWarnings(platformKeys, now)],
      signer: { facts: app, publicKey, suite: schemeOf(publicKey).suite },
    },
    operations: {
      ...signing({ privateKey, keyId: app.keyId, aesKey }, sender, options),
      ...receiving(platformKeys, options, { app: appSerials, root: root?.keyId }),
      ...sealing(aesKeys),
    },
  };
}

/** The roots as one key: requests name them together, and any change of them changes what is signed. */
function rootFacts({ certificates }: Roots): KeyFacts {
  const counted = certificates.filter(isRsaSigned);
  const ends = counted.map(({ validToDate }) => validToDate.getTime());
  return {
    role: 'root',
    keyId: rootSerialOf(counted),
    algorithm: [...new Set(counted.map(({ publicKey }) => describeAlgorithm(publicKey)))].join(', '),
    fingerprint: counted.map(certificateFingerprint).join('_'),
    notAfter: new Date(Math.min(...ends)),
  };
}

/** Current first, then previous: the order in which they are tried. */
async function aesFacts([name, key]: NamedKey, nameSecret: NameSecret) {
  const role = name === 'aes_key' ? 'aes' : 'aes-previous';
  return { key, facts: await secretFacts(key, { role, algorithm: 'AES-128-CBC' }, nameSecret) };
}
