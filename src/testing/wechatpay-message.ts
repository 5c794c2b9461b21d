// What WeChat Pay sends: signed responses, encrypted notifications, probes. Written from its documents, on node:crypto alone.
import { constants, createCipheriv, publicEncrypt, randomBytes, randomUUID, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { PlatformKey } from './wechatpay-material.ts';

/** Raw bytes and the headers that sign them. */
export interface PlatformMessage {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** Signs `TIMESTAMP ⏎ NONCE ⏎ BODY ⏎` with RSA PKCS#1 v1.5 and SHA-256 (protocols 1.3). */
export function signMessage(
  body: Uint8Array,
  { platformKey, now, nonce = randomBytes(16).toString('hex') }: SignMessageOptions,
): PlatformMessage {
  const timestamp = String(Math.floor(now.getTime() / 1000));
  const message = Buffer.concat([Buffer.from(`${timestamp}\n${nonce}\n`), body, Buffer.from('\n')]);
  return {
    headers: {
      'Wechatpay-Timestamp': timestamp,
      'Wechatpay-Nonce': nonce,
      'Wechatpay-Serial': platformKey.keyId,
      'Wechatpay-Signature': sign('sha256', message, platformKey.privateKey).toString('base64'),
      'Wechatpay-Signature-Type': 'WECHATPAY2-SHA256-RSA2048',
    },
    body,
  };
}

export interface SignMessageOptions {
  readonly platformKey: PlatformKey;
  readonly now: Date;
  readonly nonce?: string;
}

/** The envelope of everything that is encrypted with the APIv3 key (protocols 1.5). */
export interface EncryptedResource {
  readonly algorithm: 'AEAD_AES_256_GCM';
  /** Base64 of the ciphertext and its 16-byte tag. */
  readonly ciphertext: string;
  readonly associated_data: string;
  /** 12 characters. */
  readonly nonce: string;
}

/** AES-256-GCM under the APIv3 key. Throws `RangeError` unless the key has 32 bytes. */
export function encryptResource(
  plaintext: string,
  { apiV3Key, associatedData = '' }: { readonly apiV3Key: string; readonly associatedData?: string },
): EncryptedResource {
  const nonce = randomBytes(6).toString('hex');
  const cipher = createCipheriv('aes-256-gcm', Buffer.from(apiV3Key), Buffer.from(nonce), { authTagLength: 16 });
  cipher.setAAD(Buffer.from(associatedData));
  const ciphertext = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  const encoded = ciphertext.toString('base64');
  return { algorithm: 'AEAD_AES_256_GCM', ciphertext: encoded, associated_data: associatedData, nonce };
}

export interface NotificationOptions extends SignMessageOptions {
  readonly apiV3Key: string;
  /** `TRANSACTION.SUCCESS` unless given. */
  readonly eventType?: string;
  /** What is encrypted: a text as it is, anything else as JSON. */
  readonly resource: unknown;
  /** Both its `original_type` and its associated data; `transaction` unless given. */
  readonly originalType?: string;
  readonly summary?: string;
  readonly id?: string;
}

/** A signed and encrypted notification, ready to be posted (protocols 1.4). */
export function makeNotification(options: NotificationOptions): PlatformMessage {
  const {
    eventType = 'TRANSACTION.SUCCESS',
    originalType = 'transaction',
    summary = '支付成功',
    id = randomUUID(),
  } = options;
  const { resource, apiV3Key } = options;
  const plaintext = typeof resource === 'string' ? resource : JSON.stringify(resource);
  const envelope = {
    id,
    create_time: formatTime(options.now),
    resource_type: 'encrypt-resource',
    event_type: eventType,
    summary,
    resource: {
      original_type: originalType,
      ...encryptResource(plaintext, { apiV3Key, associatedData: originalType }),
    },
  };
  const signed = signMessage(Buffer.from(JSON.stringify(envelope)), options);
  return { ...signed, headers: { 'Content-Type': 'application/json', ...signed.headers } };
}

/** The same message as WeChat Pay's probe: a signature that looks like one and must be refused (protocols 1.4). */
export function makeProbe(message: PlatformMessage): PlatformMessage {
  const signature = `WECHATPAY/SIGNTEST/${message.headers['Wechatpay-Signature']?.slice(19) ?? ''}`;
  return { ...message, headers: { ...message.headers, 'Wechatpay-Signature': signature } };
}

/** One sensitive field for the holder of that key: RSAES-OAEP with SHA-1, base64 (protocols 1.9). */
export function encryptField(publicKey: KeyObject, text: string): string {
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  return publicEncrypt({ key: publicKey, padding, oaepHash: 'sha1' }, Buffer.from(text)).toString('base64');
}

/** RFC 3339 at Beijing's offset, as WeChat Pay writes times: `2018-06-08T10:34:56+08:00`. */
export function formatTime(time: Date): string {
  return `${new Date(time.getTime() + 8 * 3_600_000).toISOString().slice(0, 19)}+08:00`;
}
