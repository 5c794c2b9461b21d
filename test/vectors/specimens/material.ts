// Keys, files and messages that the specimens are made of.
import { sign } from 'node:crypto';
import { toPkcs1Pem, toPkcs8Pem, toSpkiPem } from '../../../src/testing/key-pair.ts';
import { createWechatpayMaterial } from '../../../src/testing/wechatpay-material.ts';
import { encryptResource, makeNotification } from '../../../src/testing/wechatpay-message.ts';
import type { Json } from '../read.ts';

export const now = new Date('2026-03-01T00:00:00Z');
export const time = String(now.getTime() / 1000);
export const merchantId = '1900000001';
const material = await createWechatpayMaterial({ merchantId, now, platformCertificates: 1, publicKey: true });
export const { merchant, apiV3Key } = material;
export const [platform, published] = [material.platformKeys[0]!, material.platformKeys[1]!];
export const certificate = platform.issued!;

/** What lies beside vectors.json. */
export const files: Readonly<Record<string, string>> = {
  'merchant.pem': toPkcs8Pem(merchant.privateKey),
  'merchant_pkcs1.pem': toPkcs1Pem(merchant.privateKey),
  'merchant_cert.pem': merchant.certificate,
  'platform.pem': certificate.certificate,
  'published.pem': toSpkiPem(published.publicKey),
};

export const signed = (key: typeof merchant.privateKey, text: string): string =>
  sign('sha256', Buffer.from(text), key).toString('base64');
export const text = JSON.stringify({ id: 1, 名: '订单' });
export const resource = { ...encryptResource(text, { apiV3Key, associatedData: 'transaction' }) };
export const notification = makeNotification({ platformKey: platform, now, apiV3Key, resource: text });
export const received = {
  headers: notification.headers,
  body: Buffer.from(notification.body).toString(),
  now_unix: Number(time),
};

export type Specimen = readonly [kind: string, inputs: Json, expected: Json];
