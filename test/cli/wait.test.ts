// paycert wait against a real API server: a gate that holds while the operator is away or rolls, and shuts at once on a rejection.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { waitFor } from '../../src/cli/wait.ts';
import { PaycertError } from '../../src/errors.ts';
import { noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { anyAddress, hastyClock, makePod, startAdminPort } from '../support/fleet.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { installDefinition, makeAccount, rule, startOperator, Tenant, until, wechatpaySpec } from '../support/operator.ts'; // prettier-ignore
import { paycert } from '../support/paycert.ts';
import { makeMaterial } from '../support/sidecar.ts';

const limit = { timeout: 300_000, skip: noControlPlane };
const controlPlane = useControlPlane(installDefinition);
const bad = new Map([['apiclient_key.pem', Buffer.from('bad')]]);

async function prepare() {
  const tenant = await Tenant.make(controlPlane());
  const { files } = await makeMaterial();
  await tenant.write('keys', files);
  await tenant.create('gate', wechatpaySpec('keys'));
  /** What a pipeline prints after it has written the Secret. */
  const write = async (what: typeof bad | typeof files) => {
    await tenant.write('keys', what);
    const path = `/api/v1/namespaces/${tenant.namespace}/secrets/keys`;
    return ((await controlPlane().admin('GET', path))['metadata'] as { resourceVersion: string }).resourceVersion;
  };
  // The least that it needs.
  const env = await makeAccount(tenant, [rule('paycert.dev', ['paymentcredentials'], 'get')]);
  const wait = (version: string, ...more: string[]) =>
    paycert(['wait', 'gate', '-n', tenant.namespace, '--secret-version', version, ...more], { env });
  return { tenant, files, write, wait };
}

describe('paycert wait', () => {
  it(
    'holds through a roll of the operator: passes once the new Secret is ready, and never for the old one',
    limit,
    async (t) => {
      const { tenant, files, write, wait } = await prepare();
      const only = { namespaces: [tenant.namespace] };
      const first = await startOperator(t, controlPlane(), only);
      await tenant.condition('gate', 'Ready', 'True Ready');
      await first.stop();

      const rejected = await write(bad);
      const away = await wait(rejected, '--timeout', '1500ms');
      assert.equal(away.code, 75, 'Ready is True and about the Secret before');
      assert.match(
        away.stderr,
        /not evaluated within 1\.5 s.*Ready.*about version [0-9]+ of the Secret.*\(wait-timeout\)/,
      );
      // Longer than an operator takes to start, on any machine.
      const patience = ['--timeout', '240s'];
      const second = wait(rejected, ...patience);
      await startOperator(t, controlPlane(), only);
      const shut = await second;
      assert.equal(shut.code, 1);
      assert.match(shut.stderr, /gate is not ready with version [0-9]+ of the Secret: .*\(credential-rejected\)/);

      const good = await write(files);
      const open = await wait(good, ...patience);
      assert.deepEqual([open.code, open.stderr], [0, '']);
      assert.equal(open.stdout, `gate: version ${good} of the Secret is evaluated and ready\n`);
      const later = await wait(rejected, ...patience);
      assert.equal(later.code, 0, 'a later version was evaluated, and is ready');
    },
  );

  it('--for rolled-out passes when every Pod has it, and never while one is old or unknown, or there is none', limit, async (t) => {
    const { tenant, files, write, wait } = await prepare();
    const rolledOut = (version: string, timeout = '240s') => wait(version, '--for', 'rolled-out', '--timeout', timeout);
    /** It passes never, and says that as soon as the operator has seen it. */
    const staysShut = (version: string, says: RegExp) =>
      until(async () => {
        const { code, stderr } = await rolledOut(version, '100ms');
        assert.equal(code, 75, stderr);
        return says.test(stderr);
      }, String(says));
    const quick = { clock: hastyClock(20), asksFleet: true, mayBeAsked: anyAddress };
    await startOperator(t, controlPlane(), { namespaces: [tenant.namespace], ...quick });
    await staysShut(await write(files), /was not seen in every Pod within 0\.1 s\. Last: RolledOut Unknown, NoPods: .*\(wait-timeout\)/);

    const pod = await startAdminPort(t, { gate: files });
    await makePod(tenant, 'shop-1', pod);
    const first = await rolledOut(await write(files));
    assert.deepEqual([first.code, first.stderr], [0, '']);
    assert.match(first.stdout, /^gate: RolledOut True, RolledOut: Snapshot [0-9a-f]{16} is in all Pods that run \(1\)/);

    const next = (await makeMaterial(1)).files;
    const version = await write(next);
    await staysShut(version, /RolledOut False, InProgress/);
    await pod.load('gate', next);
    assert.equal((await rolledOut(version)).code, 0);
    await pod.close();
    await staysShut(await write((await makeMaterial(2)).files), /RolledOut Unknown, (PodsUnknown|NotAsked)/);
    const bad = await rolledOut(await write(new Map([['apiclient_key.pem', Buffer.from('bad')]])));
    assert.equal(bad.code, 1, 'what is rejected comes to no Pod');
  }); // prettier-ignore

  it(
    'says at once what can never pass: a name that is not there, a version that is not one, no permission',
    limit,
    async () => {
      const { tenant, wait } = await prepare();
      const nobody = { KUBECONFIG: await controlPlane().kubeconfig(tenant.namespace, undefined, 'no-token') };
      const refused = await paycert(['wait', 'gate', '--secret-version', '1'], { env: nobody });
      assert.match(refused.stderr, /cluster-unauthenticated/);
      const env = { KUBECONFIG: await controlPlane().kubeconfig(tenant.namespace) };
      const other = await paycert(['wait', 'other', '--secret-version', '1'], { env });
      assert.deepEqual([other.code, /object-missing/.test(other.stderr)], [75, true]);
      for (const version of ['', 'latest', '-1', '0']) assert.equal((await wait(version)).code, 64, version);
    },
  );

  it('waits through a restart of the API server, and no longer than it was told', async () => {
    const clock = new FakeClock(new Date('2026-03-01T00:00:00Z'));
    let asked = 0;
    const client = {
      get: async () => {
        asked += 1;
        clock.advance(60_000);
        throw new PaycertError('cluster-unreachable', 'the API server cannot be reached');
      },
    };
    const options = { name: 'gate', namespace: 'pay', secretVersion: '9', timeoutMilliseconds: 59_999, client, clock };
    const ended = waitFor(options, new AbortController().signal);
    await assert.rejects(ended, { code: 'wait-timeout', message: /within 59\.999 s\. Last: the API server cannot/ });
    assert.equal(asked, 1);
  });
});
