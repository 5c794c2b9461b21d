// Whatever a Secret holds or lacks, a condition says it, with the field and the remedy; and nothing of it is kept or told.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { readSecretFacts } from '../../src/operator/secrets.ts';
import { makeCanaryMaterial } from '../support/canary-material.ts';
import { noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { installDefinition, startOperator, Tenant, until, wechatpaySpec } from '../support/operator.ts';
import { call, makeMaterial } from '../support/sidecar.ts';

const limit = { timeout: 300_000, skip: noControlPlane };
const controlPlane = useControlPlane(installDefinition);

describe('a Secret', () => {
  it('that is not there is said so, and taken when it comes', limit, async (t) => {
    const tenant = await Tenant.make(controlPlane());
    await startOperator(t, controlPlane());
    await tenant.create('wechat-main', wechatpaySpec('keys'));
    const { message, accepted } = await tenant.condition('wechat-main', 'Ready', 'False SecretMissing');
    assert.match(message, /no Secret "keys" here\. Create the object named/);
    assert.equal(accepted, undefined);
    await tenant.write('keys', (await makeMaterial()).files);
    await tenant.condition('wechat-main', 'Ready', 'True Ready');
  });

  it('that is deleted keeps what was accepted, and says so', limit, async (t) => {
    const tenant = await Tenant.make(controlPlane());
    await tenant.write('keys', (await makeMaterial()).files);
    await startOperator(t, controlPlane());
    await tenant.create('wechat-main', wechatpaySpec('keys'));
    const good = await tenant.condition('wechat-main', 'Ready', 'True Ready');
    await tenant.removeSecret('keys');
    const gone = await tenant.condition('wechat-main', 'Ready', 'False SecretMissing');
    assert.match(gone.message, /keep what was accepted before/);
    assert.deepEqual([gone.accepted, gone.keys], [good.accepted, good.keys]);
  });

  for (const [what, data, reason, expected] of [
    ['with other keys', { 'tls.key': 'x', 'tls.crt': 'y' }, 'MaterialMissing', /apiclient_key\.pem/],
    ['with a key named __proto__', { ['__proto__']: 'x' }, 'MaterialMissing', /apiclient_key\.pem/],
    ['of 1 MiB', { 'apiclient_key.pem': randomBytes(1024 * 1024 - 100) }, 'PemMalformed', /apiclient_key\.pem/],
    ['without data', {}, 'MaterialMissing', /apiclient_key\.pem/],
  ] as const)
    it(`${what} is rejected, and the field is named`, limit, async (t) => {
      const tenant = await Tenant.make(controlPlane());
      // Not by way of an object literal, which would take __proto__ for something else.
      await tenant.write('keys', new Map(Object.entries(data).map(([key, text]) => [key, Buffer.from(text)])));
      await startOperator(t, controlPlane());
      await tenant.create('wechat-main', wechatpaySpec('keys'));
      await until(async () => (await tenant.status('wechat-main')) !== undefined);
      const status = await tenant.status('wechat-main');
      const ready = status?.conditions.find(({ type }) => type === 'Ready');
      assert.deepEqual([ready?.status, ready?.reason], ['False', reason]);
      assert.match(ready?.message ?? '', expected);
      assert.equal(status?.rejected?.reason, reason);
    });

  it('may have other names for its keys', limit, async (t) => {
    const tenant = await Tenant.make(controlPlane());
    const { files } = await makeMaterial();
    const renamed = new Map([...files].map(([name, bytes]) => [name === 'apiclient_key.pem' ? 'key' : name, bytes]));
    await tenant.write('keys', renamed);
    await startOperator(t, controlPlane());
    const source = { secret: { name: 'keys', keys: { 'apiclient_key.pem': 'key' } } };
    await tenant.create('wechat-main', wechatpaySpec('keys', { source }));
    await tenant.condition('wechat-main', 'Ready', 'True Ready');
  });

  it('that cannot do what is required is not Ready, and Valid', limit, async (t) => {
    const tenant = await Tenant.make(controlPlane());
    const { files } = await makeMaterial();
    await tenant.write('keys', new Map([...files].filter(([name]) => !name.startsWith('apiv3'))));
    await startOperator(t, controlPlane());
    await tenant.create('wechat-main', wechatpaySpec('keys', { require: ['sign', 'decrypt'] }));
    const { message } = await tenant.condition('wechat-main', 'Ready', 'False RequirementUnmet');
    assert.match(message, /cannot decrypt.*spec\.require/);
    await tenant.condition('wechat-main', 'Valid', 'True Accepted');
  });
});

describe('what the operator says and keeps', () => {
  it('gives no secret away, whatever people do wrong', limit, async (t) => {
    const tenant = await Tenant.make(controlPlane());
    const { canaries, sets } = await makeCanaryMaterial();
    for (const [name, files] of Object.entries(sets)) {
      // kubectl apply leaves all of it in an annotation.
      const data = Object.fromEntries([...files].map(([key, bytes]) => [key, Buffer.from(bytes).toString('base64')]));
      const flat = new Map([...files].filter(([key]) => !key.includes('/')));
      const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({ data }) };
      await tenant.write(name, flat, { annotations, labels: { 'paycert.dev/provider': 'wechatpay' } });
      await tenant.create(name, wechatpaySpec(name));
    }
    const operator = await startOperator(t, controlPlane(), { isSilent: true });
    for (const name of Object.keys(sets)) await until(async () => (await tenant.status(name)) !== undefined, name);
    const outputs = [
      JSON.stringify(operator.recorder.events),
      ...(await Promise.all(Object.keys(sets).map(async (name) => JSON.stringify(await tenant.status(name))))),
      JSON.stringify(await controlPlane().admin('GET', `/api/v1/namespaces/${tenant.namespace}/events`)),
      (await call(operator.address, '/metrics')).content,
      (await call(operator.address, '/readyz')).content,
    ];
    for (const output of outputs) {
      assert.ok(output.length > 2);
      assert.deepEqual(canaries.find(output), []);
    }
    // The finder finds: the annotation would give it away, and is not cached.
    const path = `/api/v1/namespaces/${tenant.namespace}/secrets/good`;
    const object = (await controlPlane().admin('GET', path)) as never as Parameters<typeof readSecretFacts>[0];
    assert.notDeepEqual(canaries.find(JSON.stringify(object.metadata)), []);
    assert.deepEqual(Object.keys(readSecretFacts(object)).sort(), ['copiedIn', 'labels', 'resourceVersion', 'uid']);
    assert.deepEqual(canaries.find(JSON.stringify(readSecretFacts(object))), []);
  });
});

describe('spec.suspend', () => {
  it('makes it not Ready while the Secret stays Valid, and is undone', limit, async (t) => {
    const tenant = await Tenant.make(controlPlane());
    await tenant.write('keys', (await makeMaterial()).files);
    await startOperator(t, controlPlane());
    await tenant.create('wechat-main', wechatpaySpec('keys', { suspend: true }));
    const { message } = await tenant.condition('wechat-main', 'Ready', 'False Suspended');
    assert.match(message, /spec\.suspend to false/);
    await tenant.condition('wechat-main', 'Valid', 'True Accepted');
    await tenant.patch('wechat-main', { suspend: false });
    await tenant.condition('wechat-main', 'Ready', 'True Ready');
  });
});

describe('what only the operator can check of a spec', () => {
  it('is said in a condition that names the field', limit, async (t) => {
    const tenant = await Tenant.make(controlPlane());
    const provider = { wechatpay: { merchantId: '1900000001', responseKey: { publicKeyPercent: 5, extra: 1 } } };
    await startOperator(t, controlPlane());
    await tenant.create('wechat-main', wechatpaySpec('keys', { provider }));
    const { message } = await tenant.condition('wechat-main', 'Ready', 'False ResourceInvalid');
    assert.match(message, /^spec\.provider\.wechatpay\.responseKey/);
  });
});
