// The operator's metrics over TLS, for accounts that a real API server permits; its certificate is renewed while it runs.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { TLSSocket } from 'node:tls';
import { describe, it, type TestContext } from 'node:test';
import { mountedCertificate } from '../../src/cli/serving-certificate.ts';
import { systemClock } from '../../src/clock.ts';
import { createAuthority, createSecretVolume } from '../../src/testing/index.ts';
import { noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { installDefinition, startOperator, until } from '../support/operator.ts';
import { makeDirectory } from '../support/sidecar.ts';

const authority = await createAuthority({ now: new Date() });

async function pair(days: number): Promise<ReadonlyMap<string, Buffer>> {
  const now = Date.now();
  const [notBefore, notAfter] = [new Date(now - 60_000), new Date(now + days * 86_400_000)];
  const issued = await authority.issue({ commonName: 'operator', hostNames: ['operator.test'], notBefore, notAfter });
  const key = issued.privateKey.export({ type: 'pkcs8', format: 'pem' });
  return new Map([
    ['tls.crt', Buffer.from(issued.certificate)],
    ['tls.key', Buffer.from(key)],
  ]);
}

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
  readonly validTo: string;
}

const ask = (address: string, path: string, token?: string): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const [host, port] = address.split(':');
    const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    const options = { host, port, path, headers, ca: authority.certificate, servername: 'operator.test', agent: false };
    const call = request(options, (response) => {
      assert.ok(response.socket instanceof TLSSocket);
      const { valid_to: validTo } = response.socket.getPeerCertificate();
      text(response).then((body) => resolve({ status: response.statusCode, body, validTo }), reject);
    });
    call.on('error', reject).end();
  });

describe('metrics of the operator', { skip: noControlPlane, timeout: 900_000 }, () => {
  const plane = useControlPlane(installDefinition);

  async function account(name: string, mayRead: boolean): Promise<string> {
    const namespace = await plane().makeNamespace();
    const directory = await plane().makeServiceAccount(namespace, name, []);
    const rbac = '/apis/rbac.authorization.k8s.io/v1';
    if (mayRead) {
      await plane().admin('POST', `${rbac}/clusterroles`, {
        metadata: { name },
        rules: [{ nonResourceURLs: ['/metrics'], verbs: ['get'] }],
      });
      await plane().admin('POST', `${rbac}/clusterrolebindings`, {
        metadata: { name },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
        subjects: [{ kind: 'ServiceAccount', name, namespace }],
      });
    }
    return readFile(join(directory, 'token'), 'utf8');
  }

  async function start(t: TestContext) {
    const volume = await createSecretVolume(join(await makeDirectory(t), 'tls'), await pair(30));
    const running = await startOperator(t, plane(), { tls: volume.directory, metricsAuth: true });
    return { ...running, volume };
  }

  it('are for accounts that may get /metrics; probes need no token', async (t) => {
    const { address } = await start(t);
    const [prometheus, shop] = [await account('prometheus', true), await account('shop', false)];
    const read = await ask(address, '/metrics', prometheus);
    assert.equal(read.status, 200);
    assert.match(read.body, /^paycert_build_info/m);
    for (const [token, status] of [
      [undefined, 401],
      ['nobody', 401],
      [shop, 403],
    ] as const) {
      const { status: got, body } = await ask(address, '/metrics', token);
      assert.equal(got, status, body);
      assert.doesNotMatch(body, /paycert_build_info/);
      if (token !== undefined) assert.ok(!body.includes(token));
    }
    assert.equal((await ask(address, '/livez')).status, 200);
    await until(async () => (await ask(address, '/readyz')).status === 200, 'ready');
  });

  it('show a renewed certificate without a restart, and keep the last good one beside a pair that is none', async (t) => {
    const { address, recorder, volume } = await start(t);
    const first = (await ask(address, '/livez')).validTo;
    const presented = recorder.next('certificate-presented');
    await volume.write(await pair(60));
    await presented;
    const second = (await ask(address, '/livez')).validTo;
    assert.notEqual(second, first);
    const rejected = recorder.next('config-rejected');
    const [[, cert], [, other]] = [[...(await pair(90))][0]!, [...(await pair(90))][1]!];
    await volume.write(new Map([['tls.crt', cert], ['tls.key', other]])); // prettier-ignore
    const { error } = await rejected;
    assert.equal(error.code, 'listener-unusable');
    assert.match(error.message, /no pair of a certificate and its private key/);
    assert.equal((await ask(address, '/livez')).validTo, second);
  });

  it('do not start without a certificate', async (t) => {
    const certificate = mountedCertificate(await makeDirectory(t), systemClock, () => undefined);
    await assert.rejects(certificate.read(t.signal), {
      code: 'listener-unusable',
      message: /tls\.crt or tls\.key is missing/,
    });
  });
});
