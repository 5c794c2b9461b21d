// Silence about money: what the platform has signed and no key opens is logged, in the status, counted, and without its content.
import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { type Event, startPaycert } from '../../src/index.ts';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import { encryptField, encryptResource, makeNotification } from '../../src/testing/wechatpay-message.ts';
import { Canaries } from '../support/canary.ts';
import { paycert } from '../support/paycert.ts';
import { generateKeyPair } from '../../src/testing/key-pair.ts';
import { type ProviderSidecar, startProviders } from '../support/provider-sidecar.ts';
import { call, makeDirectory, makeMaterial, merchantId } from '../support/sidecar.ts';

const otherKey = 'Zq8wKx2vTn5mRb7cLd3fGh6jPs9yUe4a';

const route = (name: string, operation: string) => `/v1/credentials/${name}/${operation}`;

interface Status {
  readonly unopened?: readonly { readonly kind: string; readonly code: string; readonly count: number }[];
}

const resourceUnder = (apiV3Key: string) => {
  const { associated_data: associatedData, ...rest } = encryptResource('{"secret":"words of the order"}', { apiV3Key });
  return { ...rest, associatedData };
};

const fieldForAnother = async () => ({ ciphertext: encryptField((await generateKeyPair()).publicKey, 'hello') });

describe('in a sidecar', { timeout: 900_000 }, () => {
  let scene: ProviderSidecar;
  const stops: (() => unknown)[] = [];
  before(async () => {
    // What a test context would do at the end of one test, these tests share until the last.
    const t = { after: (stop: () => unknown) => stops.push(stop) } as unknown as TestContext;
    scene = await startProviders(t);
  });
  after(async () => {
    for (const stop of stops.reverse()) await stop();
  });
  const notify = (apiV3Key: string, resource: object = { out_trade_no: '1' }) => {
    const { headers, body } = makeNotification({
      platformKey: scene.wechat.platformKeys[0]!,
      now: new Date(),
      apiV3Key,
      resource,
    });
    const input = { headers, body: Buffer.from(body).toString() };
    return call(scene.sidecar.socket, route('wechat-main', 'notification'), { body: input });
  };
  const statusOf = async (name: string): Promise<Status> =>
    JSON.parse((await call(scene.sidecar.socket, `/v1/credentials/${name}`)).content) as Status;
  const metrics = async () => (await call(scene.sidecar.admin, '/metrics')).content;

  it('a notification that verifies and does not open is an error in the log, in the status, and counted', async () => {
    const [line] = await Promise.all([scene.sidecar.event('unopened'), notify(otherKey), notify(otherKey)]);
    assert.deepEqual(
      [line['level'], line['credential'], line['kind'], line['code']],
      ['error', 'wechat-main', 'notification', 'decryption-failed'],
    );
    const labels = '{credential="wechat-main",kind="notification",reason="decryption-failed"} 2';
    const text = await metrics();
    for (const name of ['paycert_unopened_total', 'paycert_unopened']) assert.ok(text.includes(name + labels), name);
    const { unopened } = await statusOf('wechat-main');
    assert.deepEqual(
      unopened?.map(({ kind, code, count }) => [kind, code, count]),
      [['notification', 'decryption-failed', 2]],
    );
    const open = JSON.parse((await call(scene.sidecar.admin, '/status')).content) as {
      credentials: (Status & { name: string })[];
    };
    assert.equal(open.credentials.find(({ name }) => name === 'wechat-main')?.unopened?.[0]?.count, 2);
    const { stdout } = await paycert(['status', 'wechat-main', '--socket', scene.sidecar.socket]);
    assert.match(stdout, /not opened: wechat-main: 2 signed notifications since .+decryption-failed/);
  });

  it('one that opens ends it, but for the counter', async () => {
    assert.equal((await notify(scene.wechat.apiV3Key)).status, 200);
    assert.equal((await statusOf('wechat-main')).unopened, undefined);
    assert.doesNotMatch(await metrics(), /^paycert_unopened\{/m);
    assert.match(await metrics(), /^paycert_unopened_total\{credential="wechat-main",kind="notification".+ 2$/m);
  });

  it('a forged one is none of these: nobody but the platform causes an alert', async () => {
    const before = await metrics();
    const body = JSON.stringify({ id: '1', event_type: 'x', resource: {} });
    const headers = { 'Wechatpay-Timestamp': String(Math.floor(Date.now() / 1000)) };
    await call(scene.sidecar.socket, route('wechat-main', 'notification'), { body: { headers, body } });
    const lines = (text: string) => text.split('\n').filter((line) => line.startsWith('paycert_unopened'));
    assert.deepEqual(lines(await metrics()), lines(before));
  });

  for (const [name, what, input] of [
    ['wechat-main', 'a resource under another APIv3 key', () => resourceUnder(otherKey)],
    ['wechat-main', 'a field for another merchant key', fieldForAnother],
    ['wechat-v2', 'a refund under another APIv2 key', () => ({ ciphertext: Buffer.alloc(64, 7).toString('base64') })],
    [
      'alipay-main',
      'content under another AES key',
      () => ({ algorithm: 'AES', ciphertext: Buffer.alloc(64, 7).toString('base64') }),
    ],
  ] as const)
    it(`${name}: ${what} is counted and in the status`, async () => {
      const body = await input();
      const [line, answer] = await Promise.all([
        scene.sidecar.event('unopened', { credential: name, kind: 'ciphertext' }),
        call(scene.sidecar.socket, route(name, 'decrypt'), { body }),
      ]);
      assert.equal(answer.status, 422, answer.content);
      assert.deepEqual([line['level'], line['code']], ['warn', 'decryption-failed']);
      const { unopened = [] } = await statusOf(name);
      assert.deepEqual(
        unopened.map(({ kind, code }) => [kind, code]),
        [['ciphertext', 'decryption-failed']],
      );
      assert.match(
        await metrics(),
        new RegExp(`^paycert_unopened_total\\{credential="${name}",kind="ciphertext"`, 'm'),
      );
    });

  it('neither ciphertext nor key is in any of it', async () => {
    const canaries = new Canaries();
    for (const [name, secret] of Object.entries(scene.secrets)) canaries.add(name, Buffer.from(secret));
    const sealed = resourceUnder(otherKey);
    canaries.add('ciphertext', Buffer.from(sealed.ciphertext, 'base64'));
    canaries.add('other key', Buffer.from(otherKey));
    await call(scene.sidecar.socket, route('wechat-main', 'decrypt'), { body: sealed });
    const status = await call(scene.sidecar.socket, '/v1/credentials');
    const open = await call(scene.sidecar.admin, '/status');
    const { stdout } = await paycert(['status', '--socket', scene.sidecar.socket]);
    const said = [await metrics(), status.content, open.content, stdout, JSON.stringify(scene.sidecar.lines)];
    for (const text of said) {
      assert.match(text, /decryption-failed|unopened/);
      assert.deepEqual(canaries.find(text), []);
    }
  });
});

describe('in a program with the library', { timeout: 900_000 }, () => {
  it('the same is an event and an entry, until new keys are current', async (t) => {
    const directory = await makeDirectory(t);
    const material = await makeMaterial();
    const volume = await createSecretVolume(directory, material.files);
    const events: Event[] = [];
    const swapped = Promise.withResolvers<undefined>();
    const observe = (event: Event) => {
      events.push(event);
      if (event.type === 'swapped' && event.generation === 2) swapped.resolve(undefined);
    };
    const description = {
      name: 'shop',
      provider: { wechatpay: { merchantId } },
      source: { files: { path: directory } },
    };
    await using running = await startPaycert([description], { observe });
    const options = { platformKey: material.platformKeys[0]!, now: new Date(), resource: {} };
    const sealed = makeNotification({ ...options, apiV3Key: otherKey });
    await assert.rejects(running.current('shop').receive({ kind: 'notification', ...sealed }), {
      code: 'decryption-failed',
    });
    const found = events.find(({ type }) => type === 'unopened');
    assert.ok(found?.type === 'unopened');
    assert.deepEqual([found.kind, found.error.code], ['notification', 'decryption-failed']);
    const countOf = () => running.entries()[0]?.snapshot?.unopened.map(({ count }) => count);
    assert.deepEqual(countOf(), [1]);
    await volume.write((await makeMaterial(1)).files);
    await swapped.promise;
    assert.deepEqual(countOf(), []);
  });
});
