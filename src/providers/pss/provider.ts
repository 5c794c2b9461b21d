// Requests between partners that hold each other's public key: RSASSA-PSS over a canonical text, each accepted once.
import type { KeyObject } from 'node:crypto';
import { readPublicKey } from '../../crypto/containers.ts';
import { keyReader, type PrivateKey } from '../../crypto/private-key.ts';
import { rsaPss } from '../../crypto/suites.ts';
import { publicKeyFingerprint } from '../../crypto/x509.ts';
import { violation } from '../../errors.ts';
import { publicFacts, publicKeyFacts, publicVerifier } from '../shared/facts.ts';
import { materialReader } from '../shared/material.ts';
import { Nonces } from '../shared/nonces.ts';
import { defaultMaxNonces } from '../shared/options.ts';
import { type KeyFacts, type Provider, type SigningContext, unusable } from '../provider.ts';
import type { PssOptions } from './options.ts';
import { receiving } from './receiving.ts';
import { signing } from './signing.ts';

/** A nonce is unique for a day, though its message is good for minutes: that is what the scheme says. */
const memory = 24 * 60 * 60 * 1000;

/** Made once per credential: the nonces seen outlive every load. */
export function pss({ appId, maxNonces = defaultMaxNonces }: PssOptions): Provider {
  const nonces = new Nonces({ milliseconds: memory, capacity: maxNonces });
  return {
    id: 'pss',
    identity: `pss/${appId}`,
    async load(data, remote) {
      const { part, required, problems } = materialReader(data);
      // One side only signs, or only verifies: one key is enough.
      const privateKey = (data.has('public_key.pem') ? part : required)('private_key.pem', keyReader(remote));
      const partners = [
        { name: 'public_key.pem', role: 'partner' },
        { name: 'public_key.previous.pem', role: 'partner-previous' },
      ] as const;
      const keys = partners.flatMap(({ name, role }) => {
        const key = part(name, readPublicKey);
        return key === undefined ? [] : [{ name, role, key }];
      });
      const own = privateKey && publicKeyFingerprint(privateKey.publicKey);
      const violations = [
        ...(privateKey ? rsaPss.check(privateKey.publicKey, 'private_key.pem') : []),
        ...keys.flatMap(({ name, key }) => rsaPss.check(key, name)),
        ...keys.filter(({ key }) => publicKeyFingerprint(key) === own).flatMap(({ name }) => isOwn(name)),
      ];
      if (problems.length > 0 || violations.length > 0) return unusable([...problems, ...violations]);
      const trusted = keys.map(({ key, role }) => ({ ...publicKeyFacts(key, role), publicKey: key }));
      return createContext(privateKey, trusted, appId, nonces);
    },
  };
}

/** Verifying with our own key would accept what anybody here signs. */
const isOwn = (field: string) => violation('platform-key-is-merchant', field, 'belongs to private_key.pem');

type PartnerKey = KeyFacts & { readonly publicKey: KeyObject };

function createContext(
  privateKey: PrivateKey | undefined,
  partners: readonly PartnerKey[],
  appId: string,
  nonces: Nonces,
): SigningContext {
  const own = privateKey && publicKeyFacts(privateKey.publicKey, 'own', appId);
  const verifiers = partners.map((key) => publicVerifier(key, rsaPss));
  return {
    set: {
      keys: [...(own ? [own] : []), ...partners.map(publicFacts)],
      problems: [],
      capabilities: () => new Set([...(own ? (['sign'] as const) : []), ...(partners[0] ? (['verify'] as const) : [])]),
      warnings: () => [],
      ...(privateKey && own && { signer: { facts: own, publicKey: privateKey.publicKey, suite: rsaPss } }),
    },
    operations: {
      ...(privateKey && own && signing(privateKey, own.keyId)),
      ...(verifiers.length > 0 && receiving(verifiers, nonces, own?.keyId)),
    },
  };
}
