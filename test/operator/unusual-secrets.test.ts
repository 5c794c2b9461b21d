// Secrets and names as they are allowed and rarely seen: the status has the right value all the same.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { filesOf, issue, makeAuthority, pairFiles } from '../support/mtls.ts';
import { installDefinition, startOperator, Tenant, until, wechatpaySpec } from '../support/operator.ts';
import { makeMaterial } from '../support/sidecar.ts';

const limit = { timeout: 300_000, skip: noControlPlane };
const controlPlane = useControlPlane(installDefinition);

/** As long as the API server takes: 253 characters, of which no part may have more than 63. */
const longest = (letter: string): string => Array.from({ length: 4 }, () => letter.repeat(62)).join('.') + 'z';

type Data = Readonly<Record<string, string>>;

async function setUp(t: TestContext) {
  const tenant = await Tenant.make(controlPlane());
  const operator = await startOperator(t, controlPlane(), { namespaces: [tenant.namespace], refreshesPods: true });
  const path = `/api/v1/namespaces/${tenant.namespace}/secrets`;
  const base64 = async (rotation = 0): Promise<Data> =>
    Object.fromEntries([...(await makeMaterial(rotation)).files].map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')])); // prettier-ignore
  const create = async (name: string, data: Data, more: object = {}): Promise<string> => {
    const { metadata } = await controlPlane().admin('POST', path, { metadata: { name }, data, ...more });
    return (metadata as { resourceVersion: string }).resourceVersion;
  };
  /** Without a pause between the two: the second is another object of the same name. */
  const recreate = async (name: string, data: Data, more: object = {}): Promise<string> => {
    await controlPlane().admin('DELETE', `${path}/${name}`);
    return create(name, data, more);
  };
  const evaluated = async (name: string, version: string) => {
    await until(async () => (await tenant.status(name))?.observedSecretVersion === version, version);
    return (await tenant.status(name))!;
  };
  return { tenant, operator, base64, create, recreate, evaluated };
}

describe('names of the greatest length', () => {
  it('of resource and Secret have a status and Events like any other', limit, async (t) => {
    const { tenant, create, base64, evaluated } = await setUp(t);
    const [name, secret] = [longest('r'), longest('s')];
    assert.equal(name.length, 252);
    const version = await create(secret, await base64());
    await tenant.create(name, wechatpaySpec(secret));
    const { accepted } = await evaluated(name, version);
    assert.equal(accepted?.secretResourceVersion, version);
    await until(async () => (await tenant.events()).includes(`Normal Accepted PaymentCredential/${name}`));
    await tenant.write(secret, new Map());
    await tenant.condition(name, 'Valid', 'False MaterialMissing');
  });

  it(
    'fit no label, so that no Pod names the resource by it: nothing is touched and nothing fails',
    limit,
    async (t) => {
      const { tenant, operator, create, recreate, base64 } = await setUp(t);
      const name = longest('r');
      await create('keys', await base64());
      await tenant.create(name, wechatpaySpec('keys', { refreshPods: true }));
      await tenant.condition(name, 'Ready', 'True Ready');
      const refreshed = operator.recorder.next('pods-refreshed');
      await recreate('keys', await base64(1));
      const { pods, error } = await refreshed;
      assert.deepEqual([pods, error], [0, undefined]);
    },
  );
});

describe('an empty part', () => {
  it('that nobody reads, as cert-manager leaves ca.crt, changes nothing', limit, async (t) => {
    const { tenant, create, base64, evaluated } = await setUp(t);
    await tenant.create('wechat-main', wechatpaySpec('keys'));
    const version = await create('keys', { ...(await base64()), 'ca.crt': '' });
    assert.equal((await evaluated('wechat-main', version)).rejected, undefined);
    await tenant.condition('wechat-main', 'Ready', 'True Ready');
  });

  it('that counts is rejected by its name, what was accepted stays, and a ca.crt that is empty from the first counts as absent', limit, async (t) => {
    const { tenant, create, recreate, evaluated } = await setUp(t);
    const pair = pairFiles(await issue(await makeAuthority(), 'shop'));
    const dataOf = (texts: Readonly<Record<string, string | undefined>>): Data =>
      Object.fromEntries([...filesOf(texts)].map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]));
    const version = await create('keys', dataOf({ ...pair, 'ca.crt': '' }));
    await tenant.create('partner', { provider: { mtls: {} }, source: { secret: { name: 'keys' } } });
    const before = await evaluated('partner', version);
    assert.deepEqual([before.accepted?.secretResourceVersion, before.rejected], [version, undefined]);
    for (const [empty, reason] of [
      ['tls.crt', 'CertificateNotIssued'],
      ['tls.key', 'PartEmpty'],
    ] as const) {
      const { accepted, rejected } = await evaluated('partner', await recreate('keys', dataOf({ ...pair, [empty]: '' })));
      assert.deepEqual([accepted, rejected?.reason], [before.accepted, reason]);
      assert.match(rejected?.message ?? '', new RegExp(empty));
    }
  }); // prettier-ignore

  it(
    'in place of authorities is rejected, also by an operator that has started since it accepted them',
    limit,
    async (t) => {
      const { tenant, operator, create, recreate, evaluated } = await setUp(t);
      const authority = await makeAuthority();
      const pair = pairFiles(await issue(authority, 'shop'));
      const dataOf = (ca: string): Data =>
      Object.fromEntries([...filesOf({ ...pair, 'ca.crt': ca })].map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')])); // prettier-ignore
      const version = await create('keys', dataOf(authority.certificate));
      await tenant.create('partner', { provider: { mtls: {} }, source: { secret: { name: 'keys' } } });
      const { accepted } = await evaluated('partner', version);
      assert.deepEqual(accepted?.trust, ['ca.crt']);
      await operator.stop();
      const emptied = await recreate('keys', dataOf(''));
      await startOperator(t, controlPlane(), { namespaces: [tenant.namespace] });
      const after = await evaluated('partner', emptied);
      assert.deepEqual([after.accepted, after.rejected?.reason], [accepted, 'TrustEmptied']);
      assert.match(after.rejected?.message ?? '', /ca\.crt/);
    },
  );
});

describe('an immutable Secret', () => {
  it('is accepted, and so is the one that replaces it', limit, async (t) => {
    const { tenant, create, recreate, base64, evaluated } = await setUp(t);
    const first = await create('keys', await base64(), { immutable: true });
    await tenant.create('wechat-main', wechatpaySpec('keys'));
    const before = await evaluated('wechat-main', first);
    const after = await evaluated('wechat-main', await recreate('keys', await base64(1), { immutable: true }));
    assert.ok(before.accepted && after.accepted);
    assert.notEqual(after.accepted.snapshotId, before.accepted.snapshotId);
    await tenant.condition('wechat-main', 'Ready', 'True Ready');
  });
});

describe('a Secret that is deleted and made again within a second', () => {
  it('is the new one at the end, however often and whatever it holds', limit, async (t) => {
    const { tenant, create, recreate, base64, evaluated } = await setUp(t);
    const [old, renewed] = [await base64(), await base64(1)];
    await tenant.create('wechat-main', wechatpaySpec('keys'));
    const first = await evaluated('wechat-main', await create('keys', old));
    let version = '';
    for (const data of [renewed, {}, old, renewed]) version = await recreate('keys', data);
    const last = await evaluated('wechat-main', version);
    assert.deepEqual([last.accepted?.secretResourceVersion, last.rejected], [version, undefined]);
    assert.notEqual(last.accepted?.snapshotId, first.accepted?.snapshotId);
    await tenant.condition('wechat-main', 'Ready', 'True Ready');
  });

  it('with the same keys is accepted since before', limit, async (t) => {
    const { tenant, create, recreate, base64, evaluated } = await setUp(t);
    const data = await base64();
    await tenant.create('wechat-main', wechatpaySpec('keys'));
    const first = await evaluated('wechat-main', await create('keys', data));
    const again = await evaluated('wechat-main', await recreate('keys', data));
    assert.deepEqual(
      [again.accepted?.snapshotId, again.accepted?.time],
      [first.accepted?.snapshotId, first.accepted?.time],
    );
  });
});
