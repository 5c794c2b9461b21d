// The operations that one set of WeChat Pay keys allows. Made from fit parts only.
import { createPublicKey } from 'node:crypto';
import { checkValue } from '../../crypto/cipher.ts';
import { signRsaSha256 } from '../../crypto/signature.ts';
import { PaycertError } from '../../errors.ts';
import { expiryWarnings, isAlive, publicFacts } from '../shared/facts.ts';
import { sealedCertificates } from './envelope.ts';
import type { Capability, SigningContext } from '../provider.ts';
import { collectFieldKeys, type FitParts, merchantFacts, symmetricKeys } from './own-keys.ts';
import { collectPlatformKeys, platformWarnings, type ResponseKey } from './platform-keys.ts';
import { createVerify } from './received.ts';
import { createRequests } from './requests.ts';
import { createOpeners } from './sealed.ts';

export interface ContextOptions {
  readonly merchantId: string;
  readonly responseKey: ResponseKey | undefined;
  readonly userAgent: string;
  /** Whether fields that OAEP does not open are tried with PKCS#1 v1.5; see the danger at `pkcs1Opener`. */
  readonly legacyFieldPadding: boolean;
  /** Check values of APIv3 keys that have opened something the platform wrote; outlives every swap. */
  readonly proven: Set<string>;
}

export function createContext(parts: FitParts, options: ContextOptions): SigningContext {
  const { privateKey, apiV3Key } = parts;
  const { merchantId, responseKey, userAgent, legacyFieldPadding, proven } = options;
  const merchant = merchantFacts(parts);
  const platform = collectPlatformKeys(parts);
  const symmetric = symmetricKeys(parts);
  const fieldKeys = collectFieldKeys(parts, merchant);
  const apiV3Id = apiV3Key && checkValue(apiV3Key);
  const isProven = (): boolean => apiV3Id !== undefined && proven.has(apiV3Id);
  const isAnswered = sealedCertificates(parts.certificatesResponse ?? '').length > 0;
  const loadWarnings = platformWarnings(parts);
  const sign = (message: Uint8Array) => signRsaSha256(privateKey, message);
  const signText = async (message: Uint8Array): Promise<string> => (await sign(message)).toString('base64');

  return {
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
    signer: { facts: merchant, publicKey: parts.certificate?.publicKey ?? createPublicKey(privateKey) },

    async sign(message) {
      return { signature: await sign(message), keyId: merchant.keyId };
    },
    verify: createVerify(platform),
    ...createRequests({ merchantId, merchant, platform, responseKey, userAgent, signText }),
    ...createOpeners({ symmetric, fieldKeys, legacyFieldPadding, prove: (keyId) => proven.add(keyId) }),
  };
}

// The platform may still change over to the key: a warning, until it opens something.
const unprovenWarning = () =>
  new PaycertError('apiv3-key-unproven', 'certificates.json cannot be opened with apiv3_key', { field: 'apiv3_key' });
