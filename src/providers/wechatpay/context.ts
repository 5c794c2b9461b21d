// One set of WeChat Pay keys: what it is, and the operations that it allows. Made from valid parts only.
import type { NameSecret } from '../../crypto/check-value.ts';
import { PaycertError } from '../../errors.ts';
import { expiryWarnings, isAlive, publicFacts } from '../shared/facts.ts';
import type { Capability, SigningContext } from '../provider.ts';
import { sealedCertificates } from './envelope.ts';
import {
  collectFieldKeys,
  type ValidParts,
  merchantFacts,
  merchantWireSerial,
  ownSerials,
  symmetricKeys,
} from './own-keys.ts';
import { elsewhere, pairWarnings } from '../shared/merchant-pair.ts';
import { collectPlatformKeys, platformWarnings } from './platform-keys.ts';
import { publicKeyFingerprint } from '../../crypto/x509.ts';
import type { ResponseKey } from './options.ts';
import { receiving } from './receiving.ts';
import { schemeOf } from './schemes.ts';
import { collectOpeners, sealing } from './sealing.ts';
import { signing } from './signing.ts';

export interface ContextOptions {
  readonly merchantId: string;
  readonly responseKey: ResponseKey;
  /** Whether fields that OAEP does not open are tried with PKCS#1 v1.5; see the danger at `pkcs1Opener`. */
  readonly legacyFieldPadding: boolean;
  /** Check values of APIv3 keys that have opened something the platform wrote; outlives every swap. */
  readonly proven: Set<string>;
  readonly nameSecret: NameSecret;
}

export async function createContext(parts: ValidParts, options: ContextOptions): Promise<SigningContext> {
  const { privateKey, apiV3Key } = parts;
  const { merchantId, responseKey, legacyFieldPadding, proven, nameSecret } = options;
  const merchant = merchantFacts(parts);
  const merchantSerial = merchantWireSerial(parts);
  const own = ownSerials(parts);
  const platform = collectPlatformKeys(parts);
  const symmetric = await symmetricKeys(parts, nameSecret);
  const fieldKeys = collectFieldKeys(parts, merchant);
  const apiV3Id = symmetric.find(({ role }) => role === 'apiv3')?.keyId;
  const isProven = (): boolean => apiV3Id !== undefined && proven.has(apiV3Id);
  const isAnswered = sealedCertificates(parts.certificatesResponse ?? '').length > 0;
  const loadWarnings = [...pairWarnings(parts), ...platformWarnings(parts), ...openingWarnings(parts)];
  const openers = collectOpeners({ symmetric, fieldKeys, legacyFieldPadding, prove: (keyId) => proven.add(keyId) });
  const publicKey = parts.certificate?.publicKey ?? privateKey.publicKey;

  return {
    set: {
      keys: [
        merchant,
        ...fieldKeys.flatMap(({ facts }) => (facts === merchant ? [] : [facts])),
        ...platform.all.map(publicFacts),
        ...symmetric.map(publicFacts),
      ],
      problems: [],
      capabilities(now) {
        const able = new Set<Capability>();
        if (isAlive(merchant, now)) able.add('sign');
        if (platform.alive(now).length > 0) able.add('verify');
        if (symmetric.length > 0) able.add('decrypt');
        return able;
      },
      warnings(now) {
        const contradicted = isAnswered && apiV3Key !== undefined && !isProven();
        return [...loadWarnings, ...expiryWarnings(platform.all, now), ...(contradicted ? [unprovenWarning()] : [])];
      },
      ...(apiV3Key && { isProven }),
      signer: { facts: merchant, publicKey, suite: schemeOf(publicKey).suite },
    },
    operations: {
      ...signing(privateKey, platform, {
        merchantId,
        keyId: merchantSerial,
        responseKey,
        ownSerials: own,
      }),
      ...receiving(platform, openers, own),
      ...sealing(platform, openers, responseKey),
    },
  };
}

/** Fields come in OAEP with SHA-1, which not every key service opens; one that only signs may have a twin that does. */
function openingWarnings({ privateKey, retired }: ValidParts): readonly PaycertError[] {
  const keys = [{ name: 'apiclient_key.pem', privateKey }, ...retired];
  const opened = new Set(keys.flatMap(({ privateKey: { open, publicKey } }) => (open ? [publicKeyFingerprint(publicKey)] : []))); // prettier-ignore
  return keys.flatMap(({ name, privateKey: { publicKey } }) =>
    opened.has(publicKeyFingerprint(publicKey))
      ? []
      : elsewhere(name, 'fields that are encrypted for it cannot be decrypted (OAEP with SHA-1)'),
  );
}

// The platform may still change over to the key: a warning, until it opens something.
const unprovenWarning = () =>
  new PaycertError('apiv3-key-unproven', 'certificates.json cannot be opened with apiv3_key', { field: 'apiv3_key' });
