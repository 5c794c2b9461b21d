// The library inside a program: sign, verify a notification, live through a rotation. Run it: node examples/library.ts
// In a program of yours the imports are 'paycert' and 'paycert/testing'; here they are the sources of this repository.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Event, startPaycert } from '../src/index.ts';
import { createSecretVolume, createWechatpayMaterial, makeNotification, rotateMerchant } from '../src/testing/index.ts';

// Stands for what WeChat Pay and the cluster do: key material, in a directory as kubelet mounts a Secret.
const directory = await mkdtemp(join(tmpdir(), 'paycert-example-'));
const merchantId = '1900000001';
const material = await createWechatpayMaterial({ merchantId, now: new Date() });
const volume = await createSecretVolume(directory, material.files);

const rotated = Promise.withResolvers<undefined>();
const observe = (event: Event): void => {
  if (event.type === 'swapped') console.log(`current: generation ${event.generation}, key ${event.keyId ?? ''}`);
  if (event.type === 'rejected') console.log(`rejected: ${event.error.message}. ${event.error.hint}`);
  if (event.type === 'swapped' && event.generation === 2) rotated.resolve(undefined);
};

try {
  // As under `credentials` in paycert.yaml. Resolves when the material has been looked at once.
  const credentials = [
    {
      name: 'wechat-main',
      required: true,
      provider: { wechatpay: { merchantId } },
      source: { files: { path: directory } },
    },
  ];
  await using paycert = await startPaycert(credentials, { observe });

  // Take the snapshot once per operation: the next one may have other keys.
  const request = { method: 'GET', url: '/v3/certificates' };
  const { headers } = await paycert.current('wechat-main').authorize(request);
  console.log(`signed: ${headers['Authorization']?.slice(0, 60) ?? ''}…`);

  // What WeChat Pay posts to your endpoint: the raw body is verified and opened in one step.
  const [platformKey] = material.platformKeys;
  if (platformKey === undefined) throw new Error('the material has no platform key');
  const resource = { out_trade_no: '1001', trade_state: 'SUCCESS' };
  const posted = makeNotification({ platformKey, now: new Date(), apiV3Key: material.apiV3Key, resource });
  const notification = await paycert.current('wechat-main').receive({ kind: 'notification', ...posted });
  console.log(`notification: ${notification.eventType} ${JSON.stringify(notification.resource)}`);

  // The merchant certificate is renewed; nothing restarts.
  const next = await rotateMerchant(material, { now: new Date() });
  await volume.write(next.files);
  await rotated.promise;
  const { keyId } = await paycert.current('wechat-main').sign(Buffer.from('message'));
  console.log(`signs with the new key: ${keyId === next.merchant.serialNumber}`);
} finally {
  await rm(directory, { recursive: true });
}
