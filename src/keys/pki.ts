// The PKI engine of Vault and OpenBao: a certificate for a key that was made here, and whether it has been revoked since.
import { generateKeyPair, type KeyObject, X509Certificate } from 'node:crypto';
import { promisify } from 'node:util';
import { requestCertificate } from '../crypto/certificate-request.ts';
import { malformed, textOf, within } from '../origins/content.ts';
import type { Question, Reply } from '../origins/server.ts';
import { refusalOf, toError } from '../origins/vault/responses.ts';

export interface PkiOptions {
  readonly session: { ask(question: Omit<Question, 'headers'>, signal: AbortSignal): Promise<Reply> };
  /** Where the engine is mounted; the first parts may be namespaces. */
  readonly mount: string;
  readonly role: string;
  readonly commonName: string;
  readonly altNames: readonly string[];
  /** What is asked for; the role may give less. Its own, unless it is given. */
  readonly ttlSeconds?: number | undefined;
  readonly keyType: 'ec' | 'rsa';
  /** Whether `ca.crt` is the authority that issued it: for peers of the same one. */
  readonly trustsIssuer: boolean;
}

/** As material of the provider `mtls`. */
export interface IssuedCertificate {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly serial: string;
  readonly notAfter: Date;
}

const newKeyPair = promisify(generateKeyPair);

export class Pki {
  readonly name: string;
  readonly #options: PkiOptions;

  constructor(options: PkiOptions) {
    this.#options = options;
    this.name = `pki:${options.mount}/${options.role}`;
  }

  /** Only the request leaves this process, never the key. @throws PaycertError of kind source */
  async issue(signal: AbortSignal): Promise<IssuedCertificate> {
    const { mount, role, commonName, altNames, ttlSeconds, keyType, trustsIssuer } = this.#options;
    const what = `have a certificate signed by ${mount}/sign/${role}`;
    const key = await makeKey(keyType);
    const body = {
      csr: requestCertificate({ name: commonName, hostNames: altNames, key }),
      common_name: commonName,
      ...(altNames.length > 0 && { alt_names: altNames.join() }),
      ...(ttlSeconds !== undefined && { ttl: `${String(ttlSeconds)}s` }),
    };
    const { session } = this.#options;
    const reply = await session.ask({ method: 'POST', path: this.#path('sign', role), body, what }, signal);
    if (reply.status === 400) throw refusalOf(reply, what);
    if (reply.status !== 200) throw toError(reply, what);
    const { certificate, issuing_ca: authority, ca_chain: chain } = within(reply.content, 'data');
    const [leaf, issuer] = [parse(certificate), parse(authority)];
    if (leaf === undefined || issuer === undefined) throw malformed(what, 'Vault');
    const above = (Array.isArray(chain) ? chain : []).flatMap((one) => parse(one) ?? []);
    // A peer has the authority at the top already, or must not learn it from us.
    const shown = [leaf, ...above.filter((one) => !isTop(one))];
    const pem = key.export({ type: 'pkcs8', format: 'pem' });
    const files = new Map([
      ['tls.key', Buffer.from(pem)],
      ['tls.crt', Buffer.from(shown.map(String).join(''))],
    ]);
    if (trustsIssuer) files.set('ca.crt', Buffer.from(unitedOf([issuer, ...above])));
    const serial = leaf.serialNumber.toLowerCase().match(/../g)?.join('-') ?? '';
    return { files, serial, notAfter: new Date(leaf.validTo) };
  }

  /** False where the engine does not say: it may keep no certificates. @throws PaycertError of kind source */
  async isRevoked(serial: string, signal: AbortSignal): Promise<boolean> {
    const what = `ask whether ${serial} has been revoked`;
    const { session } = this.#options;
    const { content } = await session.ask({ method: 'GET', path: this.#path('cert', serial), what }, signal);
    const { revocation_time: revokedAt } = within(content, 'data');
    return typeof revokedAt === 'number' && revokedAt > 0;
  }

  #path(...parts: readonly string[]): string {
    return `/v1/${[...this.#options.mount.split('/'), ...parts].map(encodeURIComponent).join('/')}`;
  }
}

/** In the thread pool. */
async function makeKey(type: 'ec' | 'rsa'): Promise<KeyObject> {
  const made = type === 'ec' ? newKeyPair('ec', { namedCurve: 'P-256' }) : newKeyPair('rsa', { modulusLength: 2048 });
  return (await made).privateKey;
}

/** Each once. */
const unitedOf = (certificates: readonly X509Certificate[]): string => [...new Set(certificates.map(String))].join('');

const isTop = (certificate: X509Certificate): boolean => certificate.checkIssued(certificate);

function parse(pem: unknown): X509Certificate | undefined {
  try {
    return new X509Certificate(textOf(pem) ?? '');
  } catch {
    return undefined;
  }
}
