// A double of Aliyun KMS and STS, for tests: it checks each signature by the text of ACS3 and signs with real keys. There is no emulator of it.
import assert from 'node:assert/strict';
import {
  constants,
  createHash,
  createHmac,
  createPublicKey,
  type KeyObject,
  privateDecrypt,
  privateEncrypt,
} from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { TestContext } from 'node:test';
import { text } from 'node:stream/consumers';
import { listen } from './listening.ts';

/** DigestInfo of SHA-256 up to the digest. */
const digestInfo = Buffer.from('3031300d060960864801650304020105000420', 'hex');

interface Answer {
  readonly status: number;
  readonly content: object;
}

export class AliyunKmsDouble {
  url = '';
  /** `KEY/VERSION` → key. */
  readonly keys: ReadonlyMap<string, KeyObject>;
  /** Keys that decrypt, by their ids; the others sign. */
  readonly decrypting = new Set<string>();
  /** Access key id → secret. */
  readonly secrets = new Map([['LTAIexample1', 'secretOfExample1']]);
  /** What STS was sent, in order. */
  readonly exchanges: Readonly<Record<string, string>>[] = [];
  /** The parameters of each request whose signature is right, in order. */
  readonly asked: Readonly<Record<string, string>>[] = [];
  /** Undefined for what the double itself answers. */
  instead: (action: string, parameters: Readonly<Record<string, string>>) => Answer | undefined = () => undefined;
  readonly #nonces = new Set<string>();

  private constructor(keys: ReadonlyMap<string, KeyObject>) {
    this.keys = keys;
  }

  /** With a certificate for `localhost`, over TLS. */
  static async start(
    t: TestContext,
    keys: ReadonlyMap<string, KeyObject>,
    tls?: { readonly cert: string; readonly key: string },
  ): Promise<AliyunKmsDouble> {
    const double = new AliyunKmsDouble(keys);
    const listener: RequestListener = (request, response) => {
      void double.#answer(request).then(({ status, content }) => {
        response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(content));
      });
    };
    const server = tls === undefined ? createServer(listener) : createHttpsServer(tls, listener);
    server.keepAliveTimeout = 0;
    const port = String(await listen(t, server, '127.0.0.1'));
    double.url = tls === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`;
    return double;
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    const body = await text(request);
    const action = String(request.headers['x-acs-action']);
    const parameters = Object.fromEntries(new URL(request.url ?? '', this.url).searchParams);
    const instead = this.instead(action, parameters);
    if (instead !== undefined) return instead;
    if (action === 'AssumeRoleWithOIDC') return this.#lend(body);
    const refusal = this.#check(request, body);
    if (refusal !== undefined) return { status: 400, content: { Code: refusal } };
    this.asked.push({ ...parameters, Action: action });
    if (action === 'Decrypt') return this.#open(parameters);
    if (action === 'DescribeKey') {
      const KeyUsage = this.decrypting.has(parameters['KeyId'] ?? '') ? 'ENCRYPT/DECRYPT' : 'SIGN/VERIFY';
      return { status: 200, content: { KeyMetadata: { KeyId: parameters['KeyId'], KeyUsage } } };
    }
    const { KeyId = '', KeyVersionId = '', Digest = '', Algorithm } = parameters;
    const key = this.keys.get(`${KeyId}/${KeyVersionId}`);
    if (key === undefined) return { status: 404, content: { Code: 'Forbidden.KeyNotFound', Message: 'SECRET' } };
    if (action === 'GetPublicKey') {
      const PublicKey = createPublicKey(key).export({ type: 'spki', format: 'pem' });
      return { status: 200, content: { KeyId, KeyVersionId, PublicKey } };
    }
    if (this.decrypting.has(KeyId) !== (action === 'AsymmetricDecrypt'))
      return { status: 400, content: { Code: 'UnsupportedOperation', Message: 'SECRET' } };
    if (action === 'AsymmetricDecrypt') {
      assert.equal(Algorithm, 'RSAES_OAEP_SHA_1');
      try {
        const opened = privateDecrypt(
          { key, oaepHash: 'sha1' },
          Buffer.from(parameters['CiphertextBlob'] ?? '', 'base64'),
        );
        return { status: 200, content: { KeyId, KeyVersionId, Plaintext: opened.toString('base64') } };
      } catch {
        return { status: 400, content: { Code: 'InvalidParameter', Message: 'SECRET' } };
      }
    }
    assert.equal(Algorithm, 'RSA_PKCS1_SHA_256');
    const padded = Buffer.concat([digestInfo, Buffer.from(Digest, 'base64')]);
    const value = privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, padded);
    return { status: 200, content: { KeyId, KeyVersionId, Value: value.toString('base64') } };
  }

  /** What was wrapped is the key, the context and the plaintext, in JSON. */
  #open({ CiphertextBlob = '', EncryptionContext = '' }: Readonly<Record<string, string>>): Answer {
    const [KeyId, context, Plaintext] = JSON.parse(Buffer.from(CiphertextBlob, 'base64').toString()) as string[];
    return context === EncryptionContext
      ? { status: 200, content: { KeyId, Plaintext } }
      : { status: 400, content: { Code: 'InvalidParameter', Message: 'SECRET' } };
  }

  #lend(body: string): Answer {
    const given = Object.fromEntries(new URLSearchParams(body));
    this.exchanges.push(given);
    const id = `STS.lent${String(this.exchanges.length)}`;
    this.secrets.set(id, `secretOf${id}`);
    const Expiration = `${new Date(Date.now() + 3_600_000).toISOString().slice(0, 19)}Z`;
    return { status: 200, content: { Credentials: { AccessKeyId: id, AccessKeySecret: `secretOf${id}`, SecurityToken: `token-of-${id}`, Expiration } } }; // prettier-ignore
  }

  /** By the text of its specification, with nothing of ours. */
  #check({ headers, url = '', method = '' }: IncomingMessage, body: string): string | undefined {
    const [, id = '', names = '', signature] =
      /^ACS3-HMAC-SHA256 Credential=([^,]+),SignedHeaders=([^,]+),Signature=([0-9a-f]{64})$/.exec(String(headers.authorization)) ?? []; // prettier-ignore
    const secret = this.secrets.get(id);
    if (secret === undefined) return 'InvalidAccessKeyId.NotFound';
    const nonce = String(headers['x-acs-signature-nonce']);
    if (this.#nonces.has(nonce)) return 'SignatureNonceUsed';
    this.#nonces.add(nonce);
    const sha256 = (data: string) => createHash('sha256').update(data).digest('hex');
    const signed = names.split(';');
    assert.ok(['host', 'x-acs-action', 'x-acs-version', 'x-acs-date', 'x-acs-content-sha256'].every((name) => signed.includes(name))); // prettier-ignore
    assert.equal(signed.includes('x-acs-security-token'), id.startsWith('STS.'));
    assert.equal(headers['x-acs-version'], '2016-01-20');
    assert.equal(headers['x-acs-content-sha256'], sha256(body));
    const [path = '', query = ''] = url.split('?');
    const lines = signed.map((name) => `${name}:${String(headers[name])}\n`).join('');
    const canonical = [method, path, query.split('&').sort().join('&'), lines, names, sha256(body)].join('\n');
    const expected = createHmac('sha256', secret)
      .update(`ACS3-HMAC-SHA256\n${sha256(canonical)}`)
      .digest('hex');
    return signature === expected ? undefined : 'SignatureDoesNotMatch';
  }
}
