// The proof that opens a notification: verifying makes it, and nobody can make one up.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PaycertError } from '../../src/errors.ts';
import type { Operations, ReceivedNotification } from '../../src/providers/provider.ts';
import { VerifiedNotification } from '../../src/providers/verified.ts';
import { loadFit, makeMaterial, now } from '../support/wechatpay.ts';
import { makeNotification } from '../../src/testing/index.ts';

const material = await makeMaterial();
const context = await loadFit(material.files);
const [platformKey] = material.platformKeys;
const message = makeNotification({ platformKey: platformKey!, now, apiV3Key: material.apiV3Key, resource: { a: 1 } });
const received: ReceivedNotification = { kind: 'notification', ...message };

describe('a verified notification', () => {
  it('opens as the bytes that were verified, whatever becomes of the buffer they came in', async () => {
    const body = Uint8Array.from(message.body);
    const verifying = VerifiedNotification.from(context.verify, { ...received, body }, now);
    body.fill(0x20);
    assert.deepEqual((await context.openNotification(await verifying)).resource, { a: 1 });
  });

  it('is not made of what verify refuses', async () => {
    const body = Buffer.from(Buffer.from(message.body).toString().replace('TRANSACTION', 'transaction'));
    await assert.rejects(VerifiedNotification.from(context.verify, { ...received, body }, now), {
      code: 'signature-invalid',
    });
  });

  it('cannot be made up: neither the compiler nor a provider takes one', async () => {
    type Proof = Parameters<Operations['openNotification']>[0];
    type IsTaken<T> = T extends Proof ? true : false;
    const isTaken: IsTaken<{ readonly body: Uint8Array; readonly keyId: string }> = false;
    // A private constructor fits no type of constructors.
    const isMade: typeof VerifiedNotification extends new (...given: never[]) => unknown ? true : false = false;
    assert.deepEqual([isTaken, isMade], [false, false]);
    const made: object[] = [{ body: message.body, keyId: platformKey!.keyId }];
    made.push(Object.create(VerifiedNotification.prototype) as object);
    made.push(Object.assign({}, await VerifiedNotification.from(context.verify, received, now)));
    for (const proof of made)
      await assert.rejects(context.openNotification(proof as Proof), (error) => !(error instanceof PaycertError));
  });
});
