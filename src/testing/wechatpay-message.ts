// What WeChat Pay sends: signed responses, encrypted notifications, probes. Written from its documents, on node:crypto alone.
import { constants, createCipheriv, publicEncrypt, randomBytes, randomUUID, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { PlatformKey } from './wechatpay-material.ts';

/** Raw bytes and the headers that sign them. */
export interface PlatformMessage {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/**
 * Signs a response or a notification as WeChat Pay does: `TIMESTAMP ⏎ NONCE ⏎ BODY ⏎`, RSA PKCS#1 v1.5 with SHA-256. Text is
 * taken as its UTF-8 bytes.
 * @example
 * import { signMessage } from 'paycert/testing';
 *
 * const [platformKey] = wechatpay.platformKeys;
 * const { headers } = signMessage('{"code":"SUCCESS"}', { platformKey });
 * console.log(headers['Wechatpay-Serial'] === platformKey.keyId); // → true
 */
export function signMessage(
  content: string | Uint8Array,
  { platformKey, now = new Date(), nonce = randomBytes(16).toString('hex') }: SignMessageOptions,
): PlatformMessage {
  const body = typeof content === 'string' ? Buffer.from(content) : content;
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

/** What a message is signed with. */
export interface SignMessageOptions {
  readonly platformKey: PlatformKey;
  /** The time that the message carries. Now unless given. */
  readonly now?: Date;
  /** 32 random hexadecimal digits unless given. */
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

/**
 * AES-256-GCM under the APIv3 key. Text is taken as its UTF-8 bytes. Throws `RangeError` unless the key has 32 bytes.
 * @example
 * import { encryptResource } from 'paycert/testing';
 *
 * const { algorithm, ciphertext } = encryptResource('{}', { apiV3Key: 'k'.repeat(32), associatedData: 'transaction' });
 * console.log(algorithm, Buffer.from(ciphertext, 'base64').length); // → AEAD_AES_256_GCM 18
 */
export function encryptResource(
  plaintext: string | Uint8Array,
  { apiV3Key, associatedData = '' }: { readonly apiV3Key: string; readonly associatedData?: string },
): EncryptedResource {
  const nonce = randomBytes(6).toString('hex');
  const cipher = createCipheriv('aes-256-gcm', Buffer.from(apiV3Key), Buffer.from(nonce), { authTagLength: 16 });
  cipher.setAAD(Buffer.from(associatedData));
  const ciphertext = Buffer.concat([cipher.update(Buffer.from(plaintext)), cipher.final(), cipher.getAuthTag()]);
  const encoded = ciphertext.toString('base64');
  return { algorithm: 'AEAD_AES_256_GCM', ciphertext: encoded, associated_data: associatedData, nonce };
}

/** What a notification says, and the keys that seal it. */
export interface NotificationOptions extends SignMessageOptions {
  /** 32 bytes. */
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

/**
 * A signed and encrypted notification, ready to be posted. Throws `RangeError` unless the APIv3 key has 32 bytes.
 * @example
 * import { makeNotification } from 'paycert/testing';
 *
 * const [platformKey] = wechatpay.platformKeys;
 * const { body } = makeNotification({ platformKey, apiV3Key: wechatpay.apiV3Key, resource: { id: '1' } });
 * console.log(JSON.parse(Buffer.from(body).toString()).event_type); // → TRANSACTION.SUCCESS
 */
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
    create_time: formatTime(options.now ?? new Date()),
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

/**
 * The same message as WeChat Pay's probe: a signature that looks like one and must be refused, `signature-probe`.
 * @example
 * import { makeProbe, signMessage } from 'paycert/testing';
 *
 * const [platformKey] = wechatpay.platformKeys;
 * const { headers } = makeProbe(signMessage('{}', { platformKey }));
 * console.log(headers['Wechatpay-Signature'].slice(0, 19)); // → WECHATPAY/SIGNTEST/
 */
export function makeProbe(message: PlatformMessage): PlatformMessage {
  const signature = `WECHATPAY/SIGNTEST/${message.headers['Wechatpay-Signature']?.slice(19) ?? ''}`;
  return { ...message, headers: { ...message.headers, 'Wechatpay-Signature': signature } };
}

/**
 * One sensitive field for the holder of that key: RSAES-OAEP with SHA-1, in base64. Text is taken as its UTF-8 bytes.
 * Throws what OpenSSL says where it is longer than the key can take: 214 bytes for 2048 bits.
 * @example
 * import { encryptField, generateKeyPair } from 'paycert/testing';
 *
 * const { publicKey } = await generateKeyPair();
 * console.log(encryptField(publicKey, '张三').length); // → 344
 */
export function encryptField(publicKey: KeyObject, plaintext: string | Uint8Array): string {
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  return publicEncrypt({ key: publicKey, padding, oaepHash: 'sha1' }, Buffer.from(plaintext)).toString('base64');
}

/** RFC 3339 at Beijing's offset, as WeChat Pay writes times: `2018-06-08T10:34:56+08:00`. */
export function formatTime(time: Date): string {
  return `${new Date(time.getTime() + 8 * 3_600_000).toISOString().slice(0, 19)}+08:00`;
}
