// Two tenants of one operator: what one does to the API server, the other does not feel.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eventually, kubectl } from './kubernetes.ts';
import type { World } from './world.ts';
import type { Json } from '../support/control-plane.ts';

const credentials = 40;
const changes = 10;
/** On a quiet machine it is 2 s: docs/performance.md. */
const limit = 5;

export function tenants(world: () => World): void {
  it('judges a change of one tenant in seconds while another one floods the operator, and shows neither to the other', async (t) => {
    const { kubernetes, pay } = world();
    const [noisy, quiet] = [`${pay}-noisy`, `${pay}-quiet`];
    for (const name of [noisy, quiet]) await kubernetes.json('POST', '/api/v1/namespaces', { metadata: { name } });
    const files = Object.fromEntries(
      [...world().current.files].map(([key, bytes]) => [key, Buffer.from(bytes).toString('base64')]),
    );
    const write = (method: 'POST' | 'PUT', namespace: string, data: Json) =>
      kubernetes.json(method, `/api/v1/namespaces/${namespace}/secrets${method === 'PUT' ? '/wechat-main' : ''}`, {
        metadata: { name: 'wechat-main' },
        data,
      });
    for (const namespace of [noisy, quiet]) await write('POST', namespace, files);
    const named = Array.from({ length: credentials }, (_, index) => ({
      ...world().credential(`credential-${index}`),
      spec: { ...(world().credential('wechat-main')['spec'] as Json) },
    }));
    await world().apply(named, noisy);
    await world().apply([world().credential('wechat-main')], quiet);

    const stop = new AbortController();
    let written = 0;
    const writer = async () => {
      while (!stop.signal.aborted) {
        written += 1;
        await write('PUT', noisy, { ...files, filler: Buffer.alloc(300_000, `${written} `).toString('base64') });
      }
    };
    const flood = Promise.all([writer(), writer(), writer()]);
    const end = async () => {
      stop.abort();
      await flood;
    };
    t.after(async () => {
      await end();
      await kubectl('delete', 'namespace', noisy, quiet, '--wait=false');
    });
    const seconds: number[] = [];
    const path = `/apis/paycert.dev/v1alpha1/namespaces/${quiet}/paymentcredentials/wechat-main`;
    for (let change = 0; change < changes; change += 1) {
      const { metadata } = await write('PUT', quiet, {
        ...files,
        note: Buffer.from(String(change)).toString('base64'),
      });
      const { resourceVersion } = metadata as { resourceVersion: string };
      const started = Date.now();
      await eventually('the change is judged', limit, async () => {
        const { observedSecretVersion } = ((await kubernetes.json('GET', path))['status'] ?? {}) as Json;
        return observedSecretVersion === resourceVersion;
      });
      seconds.push((Date.now() - started) / 1000);
    }
    await end();
    t.diagnostic(`${written} writes of the other; seconds until a change was judged: ${seconds.join(', ')}`);
    assert.ok(written > changes);
    const shown = await kubectl('get', 'paymentcredentials,events', '-n', quiet, '-o', 'yaml');
    assert.ok(!shown.includes(noisy), 'the quiet tenant sees the other one');
  });
}
