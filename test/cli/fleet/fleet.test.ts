// paycert fleet on a real API server, which asks real admin ports with the user's own rights: which Pods have what, and which sidecars are older.
import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { describe, it, type TestContext } from 'node:test';
import { olderSidecars } from '../../../src/cli/fleet/versions.ts';
import { generateKeyPair, withMismatchedPair } from '../../../src/testing/index.ts';
import { noControlPlane, useControlPlane } from '../../support/control-plane.ts';
import { anyAddress, hastyClock, makePod, startAdminPort } from '../../support/fleet.ts';
import { installDefinition, makeAccount, rule, startOperator, Tenant, wechatpaySpec } from '../../support/operator.ts'; // prettier-ignore
import { paycert } from '../../support/paycert.ts';
import { makeMaterial } from '../../support/sidecar.ts';

/** The API server asks no address of this machine alone. */
const ip = Object.values(networkInterfaces())
  .flatMap((all) => all ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
const skip = noControlPlane || (ip === undefined && 'this machine has no address but its own');
const limit = { timeout: 300_000, skip };
const controlPlane = useControlPlane(installDefinition);
const name = 'wechat-main';
const toSee = [
  rule('paycert.dev', ['paymentcredentials'], 'get', 'list'),
  rule('', ['pods'], 'list'),
  rule('', ['pods/proxy'], 'get'),
];

async function start(t: TestContext) {
  const tenant = await Tenant.make(controlPlane());
  const [before, after] = [(await makeMaterial()).files, (await makeMaterial(1)).files];
  await tenant.write('keys', after);
  const options = { host: '0.0.0.0' };
  const a = await startAdminPort(t, { [name]: after }, options);
  const b = await startAdminPort(t, { [name]: before }, { ...options, version: '0.0.1' });
  const gone = await startAdminPort(t, {}, options);
  await gone.close();
  for (const [pod, { port }] of Object.entries({ a, b, gone })) await makePod(tenant, `shop-${pod}`, { port, ip: ip! });
  await startOperator(t, controlPlane(), { namespaces: [tenant.namespace], clock: hastyClock(20), asksFleet: true, mayBeAsked: anyAddress }); // prettier-ignore
  await tenant.create(name, wechatpaySpec('keys'));
  await tenant.condition(name, 'RolledOut', 'False InProgress');
  const as = async (rules: Parameters<typeof makeAccount>[1]) => {
    const env = { ...(await makeAccount(tenant, rules)), NO_COLOR: '1' };
    return (...words: string[]) => paycert(['fleet', ...words, '-n', tenant.namespace], { env });
  };
  return { tenant, as };
}

describe('paycert fleet', () => {
  it('shows each Pod with its state, snapshot, key and version, and what is wrong', limit, async (t) => {
    const fleet = await (await start(t)).as(toSee);
    const { code, stdout, stderr } = await fleet(name);
    assert.deepEqual([code, stderr], [0, '']);
    const lines = stdout.split('\n').map((line) => line.replaceAll(/ {2,}/g, ' | '));
    assert.equal(lines[0], 'CREDENTIAL | ROLLED OUT | CURRENT | OLD | DEFERRED | REJECTED | UNKNOWN | LONGEST IN USE | SINCE'); // prettier-ignore
    assert.match(lines[1] ?? '', /^wechat-main \| False \| 1 \| 1 \| 0 \| 0 \| 1 \| [0-9A-F]{40} \| 20\d\d-/);
    assert.equal(lines[3], 'POD | READY | STATE | SNAPSHOT | SIGNS WITH | LOADED | SIDECAR');
    assert.match(lines[4] ?? '', /^shop-a \| yes \| current \| [0-9a-f]{16} \| [0-9A-F]{40} \| 20.* \| 1\.0\.0$/);
    assert.match(lines[5] ?? '', /^shop-b \| yes \| old \| [0-9a-f]{16} \| [0-9A-F]{40} \| 20.* \| 0\.0\.1$/);
    assert.match(lines[6] ?? '', /^shop-gone \| yes \| unknown \| -/);
    assert.match(
      stdout,
      /not everywhere: wechat-main: Pods with snapshot [0-9a-f]{16}: 1 of 3\. Others: 1 old, 1 unknown\./,
    );
    assert.match(stdout, /unknown: shop-gone: through the API server it does not answer \(cluster-failing\)/);
    assert.match(stdout, /older sidecar: shop-b runs 0\.0\.1; the newest here is 1\.0\.0/);
  });

  it('lists every credential without a name, and Pods that have something else', limit, async (t) => {
    const { tenant, as } = await start(t);
    await tenant.create('another', wechatpaySpec('nothing'));
    const { stdout } = await (await as(toSee))();
    assert.match(stdout, /^another .*\n?wechat-main /m);
    assert.match(stdout, /^shop-b +wechat-main +yes +old /m);
    assert.doesNotMatch(stdout, /^shop-a /m);
  });

  it('names no snapshot of a Secret that cannot be read, which no Pod has', limit, async (t) => {
    const { tenant, as } = await start(t);
    const spoiled = await withMismatchedPair(await makeMaterial(1), await generateKeyPair());
    await tenant.write('keys', spoiled);
    await tenant.condition(name, 'RolledOut', 'False StoredRejected');
    const { stdout } = await (await as(toSee))(name);
    assert.match(stdout, /^shop-a +yes +old /m);
    assert.match(stdout, /is to be nowhere\. Pods that run: 3\. Others: /);
    assert.doesNotMatch(stdout, /e3b0c44298fc1c14/, 'the digest of nothing');
  });

  it('is JSON for programs', limit, async (t) => {
    const { stdout } = await (await (await start(t)).as(toSee))(name, '--output', 'json');
    const { credentials } = JSON.parse(stdout) as { credentials: { rolledOut: object; pods: { name: string; state: string }[] }[] }; // prettier-ignore
    assert.equal((credentials[0]?.rolledOut as { reason: string }).reason, 'InProgress');
    assert.deepEqual(
      credentials[0]?.pods.map(({ name, state }) => `${name} ${state}`),
      ['shop-a current', 'shop-b old', 'shop-gone unknown'],
    );
  });

  it('shows what the operator counted, and what is missing, to those who may not ask Pods', limit, async (t) => {
    for (const rules of [toSee.slice(0, 1), toSee.slice(0, 2)]) {
      const { as } = await start(t);
      const { code, stdout } = await (await as(rules))(name);
      assert.equal(code, 0);
      assert.match(stdout, /^wechat-main +False +1 +1 +0 +0 +1 /m);
      assert.match(stdout, /no Pods: (list|get) pods.*the API server forbids it/);
    }
  });
});

describe('olderSidecars', () => {
  it('compares versions as numbers, with its own too, and leaves alone what is no version', () => {
    const pods = ['0.9.0', '0.10.0', '0.10.0-rc.1', 'dev', undefined].map((version, at) => ({
      pod: `p${String(at)}`,
      version,
    }));
    const found = (own: string) => olderSidecars([{ pods }] as never, own).map(([pod, , newest]) => `${pod} ${newest}`);
    assert.deepEqual(found('0.1.0'), ['p0 0.10.0']);
    assert.deepEqual(found('1.0.0'), ['p0 1.0.0', 'p1 1.0.0', 'p2 1.0.0']);
  });
});
