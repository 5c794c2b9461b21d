// Requests between partners that hold each other's public key: RSASSA-PSS over a canonical text, each accepted once.
import type { KeyObject } from 'node:crypto';
import { createPublicKey } from 'node:crypto';
import { readPrivateKey, readPublicKey } from '../../crypto/containers.ts';
import { signPssSha256, verifyPssSha256 } from '../../crypto/signature.ts';
import { publicKeyFingerprint } from '../../crypto/x509.ts';
import { PaycertError } from '../../errors.ts';
import { publicKeyFacts } from '../shared/facts.ts';
import { header, signedHost, withHeaders } from '../shared/http.ts';
import { need, takeOnly, takeReceived } from '../shared/inputs.ts';
import { materialReader, violation } from '../shared/material.ts';
import { Nonces } from '../shared/nonces.ts';
import type { KeyFacts, Provider, Received, SigningContext, Verified } from '../provider.ts';
import { rsaProblems, rsaSizeProblems } from '../shared/rsa.ts';
import { acceptOnce, needSigned, seconds } from '../partner/freshness.ts';
import { canonicalMessage } from './message.ts';

export interface PssOptions {
  /** Sent as `X-App-Id`. */
  readonly appId: string;
  readonly maxNonces: number;
}

/** A nonce is unique for a day, though its message is good for minutes: that is what the scheme says. */
const memory = 24 * 60 * 60 * 1000;

/** Made once per credential: the nonces seen outlive every load. */
export function pss(options: PssOptions): Provider {
  const nonces = new Nonces({ milliseconds: memory, capacity: options.maxNonces });
  return {
    id: 'pss',
    identity: `pss/${options.appId}`,
    async load(data) {
      const { part, required, problems } = materialReader(data);
      // One side only signs, or only verifies: one key is enough.
      const privateKey = (data.has('public_key.pem') ? part : required)('private_key.pem', readPrivateKey);
      const partners = [
        { name: 'public_key.pem', role: 'partner' },
        { name: 'public_key.previous.pem', role: 'partner-previous' },
      ] as const;
      const keys = partners.flatMap(({ name, role }) => {
        const key = part(name, readPublicKey);
        return key === undefined ? [] : [{ name, role, key }];
      });
      const own = privateKey && publicKeyFingerprint(privateKey);
      const violations = [
        ...(privateKey ? pssProblems('private_key.pem', privateKey) : []),
        ...keys.flatMap(({ name, key }) => pssProblems(name, key)),
        ...keys.filter(({ key }) => publicKeyFingerprint(key) === own).flatMap(({ name }) => isOwn(name)),
      ];
      if (problems.length > 0 || violations.length > 0) {
        const all = [...problems, ...violations];
        return { keys: [], problems: all, capabilities: () => new Set(), warnings: () => [] };
      }
      const trusted = keys.map(({ key, role }) => ({ key, facts: publicKeyFacts(key, role) }));
      return createContext({ privateKey, trusted }, options, nonces);
    },
  };
}

/** A key may be bound to PSS, and then to parameters (RFC 4055 §3.1), which must be those of the scheme. */
function pssProblems(field: string, key: KeyObject): readonly PaycertError[] {
  if (key.asymmetricKeyType !== 'rsa-pss') return rsaProblems(field, key);
  const { hashAlgorithm = 'sha256', mgf1HashAlgorithm = 'sha256', saltLength = 32 } = key.asymmetricKeyDetails ?? {};
  return hashAlgorithm === 'sha256' && mgf1HashAlgorithm === 'sha256' && saltLength <= 32
    ? rsaSizeProblems(field, key)
    : violation('algorithm-unsupported', field, 'is bound to other PSS parameters');
}

/** Verifying with one's own key would accept what anybody here signs. */
const isOwn = (field: string) => violation('platform-key-is-merchant', field, 'belongs to private_key.pem');

interface Keys {
  readonly privateKey: KeyObject | undefined;
  readonly trusted: readonly { readonly key: KeyObject; readonly facts: KeyFacts }[];
}

const invalid = (field: string, message: string) =>
  new PaycertError('request-invalid', `${field} ${message}`, { field });

function createContext({ privateKey, trusted }: Keys, { appId }: PssOptions, nonces: Nonces): SigningContext {
  const own = privateKey && publicKeyFacts(privateKey, 'own', appId);

  const verifyBytes = (message: Uint8Array, signature: string, keyId?: string): Verified => {
    const named = trusted.filter(({ facts }) => keyId === undefined || facts.keyId === keyId);
    if (named.length === 0) throw new PaycertError('key-id-unknown', 'no public key has the id that is named');
    const bytes = Buffer.from(signature, 'base64');
    const fit = named.find(({ key }) => verifyPssSha256(key, message, bytes));
    if (fit === undefined) throw new PaycertError('signature-invalid', 'the signature does not match');
    return { keyId: fit.facts.keyId };
  };

  const verifyRequest = (received: Exclude<Received, { kind: 'message' }>, now: Date): Verified => {
    takeReceived(received);
    if (received.kind !== 'notification') throw invalid('kind', 'is notification: this scheme signs requests only');
    const [method, url, headers] = [need(received, 'method'), need(received, 'url'), need(received, 'headers')];
    const signed = (name: string): string => needSigned(header(headers, name), name);
    const [signature, timestamp, nonce, host] = [
      signed('x-signature'),
      signed('x-ts'),
      signed('x-nonce'),
      signed('host'),
    ];
    const stamp = { timestamp, nonce, fields: { timestamp: 'x-ts', nonce: 'x-nonce' } };
    return acceptOnce(nonces, stamp, now, () =>
      verifyBytes(canonicalMessage({ method, url, host, timestamp, nonce, body: received.body }), signature),
    );
  };

  return {
    keys: [...(own ? [own] : []), ...trusted.map(({ facts }) => facts)],
    problems: [],
    namesNoKey: true,
    capabilities: () => new Set([...(own ? (['sign'] as const) : []), ...(trusted[0] ? (['verify'] as const) : [])]),
    warnings: () => [],
    ...(privateKey && own && signing(privateKey, own)),
    ...(trusted.length > 0 && {
      verify: async (received: Received, now: Date) =>
        received.kind === 'message'
          ? verifyBytes(received.message, received.signature, received.keyId)
          : verifyRequest(received, now),
    }),
  };
}

/** What a private key adds. */
function signing(privateKey: KeyObject, own: KeyFacts): Pick<SigningContext, 'signer' | 'sign' | 'authorize'> {
  const { keyId } = own;
  return {
    signer: { facts: own, publicKey: createPublicKey(privateKey), padding: 'pss' },
    sign: async (message) => ({ signature: await signPssSha256(privateKey, message), keyId }),
    async authorize(request, { now, nonce }) {
      takeOnly(request, ['method', 'url', 'headers', 'body']);
      const [method, url] = [need(request, 'method').toUpperCase(), need(request, 'url')];
      const { headers = {}, body = Buffer.alloc(0) } = request;
      const host = signedHost(url, headers);
      const timestamp = seconds(now);
      const message = canonicalMessage({ method, url, host, timestamp, nonce, body });
      const signature = (await signPssSha256(privateKey, message)).toString('base64');
      const sent = { 'X-App-Id': keyId, 'X-Ts': timestamp, 'X-Nonce': nonce, 'X-Signature': signature };
      return { method, url, headers: withHeaders(headers, sent), keyId };
    },
  };
}
