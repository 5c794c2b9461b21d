// Material for mTLS, and a server that demands client certificates and tells which one each request came with.
import 'reflect-metadata'; // must come first: @peculiar/x509 looks for it while it is imported
import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { X509Certificate, X509CertificateGenerator } from '@peculiar/x509';
import { type Authority, createAuthority, type Issued, type IssueOptions } from '../../src/testing/authority.ts';
import { toPkcs8Pem } from '../../src/testing/key-pair.ts';
import type { Files } from '../../src/testing/secret-volume.ts';
import { keyPairs } from './key-pairs.ts';
import { listen } from './listening.ts';

export const day = 86_400_000;
export const now = new Date();

/** Two that know nothing of each other. */
export async function makeAuthority(index: 0 | 1 = 0): Promise<Authority> {
  return createAuthority({ now, commonName: `Authority ${index}`, keyPair: (await keyPairs())[index]! });
}

/** With an elliptic key, which costs nothing to make. */
export const issue = (authority: Authority, commonName: string, options: Partial<IssueOptions> = {}): Promise<Issued> =>
  authority.issue({
    commonName,
    notBefore: new Date(now.getTime() - day),
    notAfter: new Date(now.getTime() + day),
    keyPair: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    ...options,
  });

export interface Intermediate {
  /** As the authority above it has certified it. */
  readonly certificate: string;
  readonly authority: Authority;
}

/** An authority that another one, made by `makeAuthority(0)`, has certified: it issues, and does not sign itself. */
export async function makeIntermediate(above: Authority): Promise<Intermediate> {
  const [root, keyPair] = [new X509Certificate(above.certificate), (await keyPairs())[2]!];
  const authority = await createAuthority({ now, commonName: 'Intermediate', keyPair });
  const itself = new X509Certificate(authority.certificate);
  const signingAlgorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  const certified = await X509CertificateGenerator.create({
    subject: itself.subject,
    issuer: root.subject,
    publicKey: new Uint8Array(keyPair.publicKey.export({ type: 'spki', format: 'der' })),
    signingKey: (await keyPairs())[0]!.privateKey.toCryptoKey(signingAlgorithm, false, ['sign']),
    signingAlgorithm,
    extensions: itself.extensions,
  });
  return { certificate: certified.toString('pem'), authority };
}

/** With an authority's name and key identifier, and another key: what OpenSSL takes for it until it verifies a signature. */
export async function makeImpostor(authority: Authority): Promise<string> {
  const real = new X509Certificate(authority.certificate);
  const [, keyPair] = await keyPairs();
  const signingAlgorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  const impostor = await X509CertificateGenerator.create({
    subject: real.subject,
    issuer: real.subject,
    publicKey: new Uint8Array(keyPair!.publicKey.export({ type: 'spki', format: 'der' })),
    signingKey: keyPair!.privateKey.toCryptoKey(signingAlgorithm, false, ['sign']),
    signingAlgorithm,
    extensions: real.extensions,
  });
  return impostor.toString('pem');
}

export const pem = (key: KeyObject): string => toPkcs8Pem(key);

export const filesOf = (texts: Readonly<Record<string, string | undefined>>): Files =>
  new Map(
    Object.entries(texts).flatMap(([name, text]) => (text === undefined ? [] : [[name, Buffer.from(text)] as const])),
  );

/** As cert-manager writes it. */
export const pairFiles = ({ certificate, privateKey }: Issued, name = 'tls') => ({
  [`${name}.crt`]: certificate,
  [`${name}.key`]: pem(privateKey),
});

export interface Demanding {
  /** What it shows. */
  readonly own: Issued;
  readonly server: Server;
  readonly port: number;
  /** The serial number that each open connection was made with. */
  readonly open: ReadonlyMap<TLSSocket, string>;
  readonly handshakes: () => number;
  readonly failures: readonly Error[];
  /** Answers are held from now on; resolves when that many more requests wait. */
  hold(count: number): Promise<void>;
  /** Answers those that wait, and all that come. */
  release(): void;
}

/** Trusts one authority, and answers each request with the serial number of the certificate that its client shows. */
export async function startDemanding(t: TestContext, authority: Authority, options: object = {}): Promise<Demanding> {
  const own = await issue(authority, 'localhost', { hostNames: ['localhost'] });
  const open = new Map<TLSSocket, string>();
  const failures: Error[] = [];
  const waiting: ServerResponse[] = [];
  let [handshakes, isHolding, awaited] = [0, false, 0];
  let told: () => void = () => undefined;
  const serialOf = (socket: unknown) => [...open].find(([one]) => one === socket)?.[1];
  const answer = (response: ServerResponse) => response.end(serialOf(response.req.socket));
  const server = createServer(
    {
      key: pem(own.privateKey),
      cert: own.certificate,
      ca: authority.certificate,
      requestCert: true,
      rejectUnauthorized: true,
      keepAliveTimeout: 0,
      ...options,
    },
    (request, response) => {
      request.resume();
      if (!isHolding) return void answer(response);
      waiting.push(response);
      awaited -= 1;
      if (awaited === 0) told();
    },
  );
  server.on('secureConnection', (socket: TLSSocket) => {
    handshakes += 1;
    assert.ok(socket.authorized);
    open.set(socket, socket.getPeerX509Certificate()?.serialNumber ?? '');
    socket.on('close', () => open.delete(socket));
  });
  server.on('tlsClientError', (error) => failures.push(error));
  return {
    own,
    server,
    port: await listen(t, server, 'localhost'),
    open,
    handshakes: () => handshakes,
    failures,
    async hold(count) {
      [isHolding, awaited] = [true, count];
      await new Promise<void>((resolve) => (told = resolve));
    },
    release() {
      isHolding = false;
      for (const response of waiting.splice(0)) answer(response);
    },
  };
}
