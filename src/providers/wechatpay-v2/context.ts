// One set of APIv2 keys: what it is, the operations that it allows, and the certificate that it presents in TLS.
import type { KeyObject, X509Certificate } from 'node:crypto';
import type { NameSecret } from '../../crypto/check-value.ts';
import { PaycertError } from '../../errors.ts';
import { certificateFacts, isAlive } from '../shared/facts.ts';
import { makeIdentity, oneIdentity, type TlsIdentity, withoutRevocation } from '../shared/tls-identity.ts';
import type { SigningContext } from '../provider.ts';
import { receiving } from './receiving.ts';
import { secretOf } from './secrets.ts';
import type { WechatpayV2Options } from './options.ts';
import { signing } from './signing.ts';

/** Key and certificate of the merchant, for TLS. */
export interface ClientPair {
  readonly privateKey: KeyObject;
  readonly certificate: X509Certificate;
  readonly warnings: readonly PaycertError[];
}

export interface ValidParts {
  readonly key: KeyObject;
  readonly previous?: KeyObject;
  readonly client?: ClientPair;
  /** About what there is no client pair for. */
  readonly warnings: readonly PaycertError[];
}

export async function createContext(
  { key, previous, client, warnings }: ValidParts,
  options: WechatpayV2Options,
  nameSecret: NameSecret,
): Promise<SigningContext> {
  const current = await secretOf(key, 'apiv2', nameSecret);
  // The order in which they are tried.
  const secrets =
    previous === undefined ? [current] : [current, await secretOf(previous, 'apiv2-previous', nameSecret)];
  const clientFacts = client && certificateFacts(client.certificate, 'merchant');
  return {
    set: {
      keys: [...secrets.map(({ facts }) => facts), ...(clientFacts ? [clientFacts] : [])],
      problems: [],
      signer: { facts: current.facts },
      // The key has no end, and most calls need no certificate.
      capabilities: () => new Set(['sign', 'verify', 'decrypt']),
      warnings: (now) => [
        ...warnings,
        ...(client?.warnings ?? []),
        ...(clientFacts === undefined || isAlive(clientFacts, now) ? [] : [clientExpired()]),
      ],
    },
    operations: {
      ...signing(key, current.facts.keyId, options),
      ...receiving(
        secrets.map(({ verifier }) => verifier),
        secrets.map(({ opener }) => opener),
      ),
    },
    ...(client && { tls: oneIdentity(clientIdentity(client)) }),
  };
}

/** For every server; it trusts whom Node trusts, as WeChat Pay's certificate is a public one. */
const clientIdentity = ({ privateKey, certificate }: ClientPair): TlsIdentity =>
  makeIdentity({
    name: 'apiclient',
    privateKey,
    certificates: [certificate],
    authorities: [],
    minVersion: 'TLSv1.2',
    revocation: withoutRevocation,
  });

const clientExpired = () =>
  new PaycertError('client-certificate-expired', 'apiclient_cert.pem has expired', { field: 'apiclient_cert.pem' });
