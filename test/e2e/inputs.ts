// What people get wrong: each mistake is refused, or said in a condition, by the name of the field and with what to do.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { run } from '../chart/helm.ts';
import { condition } from './questions.ts';
import type { World } from './world.ts';

export function inputs(world: () => World): void {
  const material = () => world().current.files;
  const { wechatpay } = { wechatpay: { merchantId: '1900000001' } };

  for (const [what, spec, said] of [
    ['an unknown field', { suspended: true }, /unknown field "spec\.suspended"/],
    ['two providers', { provider: { wechatpay, aliyun: {} } }, /spec\.provider.*must have at most 1/],
    ['no provider', { provider: {} }, /spec\.provider.*should have at least 1/],
    [
      'a Secret of another namespace',
      { source: { secret: { name: 'a', namespace: 'b' } } },
      /unknown field "spec\.source\.secret\.namespace"/,
    ],
    [
      'a merchant id that is none',
      { provider: { wechatpay: { merchantId: 'me' } } },
      /spec\.provider\.wechatpay\.merchantId: .*: merchantId must be 6 to 16 digits/,
    ],
  ] as const)
    // prettier-ignore
    it(`refuses ${what}, by name`, async () => {
      const resource = JSON.stringify(world().credential('refused', spec));
      const { code, stderr } = await run('kubectl', ['apply', '-n', world().pay, '-f', '-'], resource);
      assert.equal(code, 1);
      assert.match(stderr, said);
    });

  it('does not let a resource become another merchant', async () => {
    const changed = world().credential('wechat-main', { provider: { wechatpay: { merchantId: '1900000002' } } });
    const { stderr } = await run('kubectl', ['apply', '-n', world().pay, '-f', '-'], JSON.stringify(changed));
    assert.match(stderr, /merchantId.*(immutable|never change|cannot change)/);
  });

  const stored: readonly [what: string, name: string, files: () => Map<string, Uint8Array> | undefined, condition: string, said: RegExp][] = [
    ['a Secret that is missing', 'missing', () => undefined, 'Ready False SecretMissing', /there is no Secret "missing" here\. Create/],
    ['a Secret with other keys', 'wrong-keys', () => new Map([['tls.key', Buffer.from('x')]]), 'Ready False MaterialMissing', /apiclient_key\.pem/],
    ['a Secret with a key __proto__ alone', 'proto', () => new Map([['__proto__', Buffer.from('x')]]), 'Ready False MaterialMissing', /apiclient_key\.pem/],
    ['a key __proto__ beside good ones', 'proto-beside', () => new Map([...material(), ['__proto__', Buffer.from('x')]]), 'Ready True Ready', /It has every required capability/],
    ['a Secret of almost 1 MiB', 'large', () => new Map([...material(), ['filler', Buffer.alloc(1_000_000, 'x')]]), 'Ready True Ready', /It has every required capability/],
  ]; // prettier-ignore
  for (const [what, name, files, wanted, said] of stored)
    it(`says what is to be said of ${what}`, async () => {
      const given = files();
      if (given) await world().writeSecret(name, given);
      await world().apply([world().credential(name)]);
      const { message } = await condition(world(), name, wanted, 15);
      assert.match(message, said);
    });

  it('is spared a Secret above 1 MiB, which the API server refuses', async () => {
    const files = new Map([...material(), ['filler', Buffer.alloc(2 ** 20, 'x')]]);
    await assert.rejects(world().writeSecret('too-large', files), /may not be more than 1048576 bytes/);
  });
}
