// Where the API server is and who we are to it: files that are replaced, kubeconfigs, and what is loaded for either.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { findAccess } from '../../src/kube/access.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { ownNamespace, secrets, type Target } from '../../src/kube/resources.ts';
import { createAuthority } from '../../src/testing/authority.ts';
import { noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { makeDirectory } from '../support/directories.ts';

const limit = { timeout: 300_000, skip: noControlPlane };
const controlPlane = useControlPlane();
const signal = new AbortController().signal;
const rules = [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }];
const target: Target = { resource: secrets, namespace: ownNamespace, name: 'a' };

/** A pod's way to the API server, with a Secret to read. */
async function makePod() {
  const plane = controlPlane();
  const namespace = await plane.makeNamespace();
  await plane.writeSecret(namespace, 'a', { key: 'k' });
  const files = await plane.makeServiceAccount(namespace, 'shop', rules);
  const environment = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(plane.port) };
  return { plane, namespace, files, environment, client: new KubeClient(() => findAccess(environment, files)) };
}

describe('in a pod', () => {
  it('the service account reads in its own namespace', limit, async () => {
    const { client, namespace } = await makePod();
    const { metadata } = await client.get(target, signal);
    assert.equal(metadata.namespace, namespace);
  });

  it('a token that was replaced is used at once', limit, async () => {
    const { client, plane, namespace, files } = await makePod();
    await client.get(target, signal);
    await writeFile(join(files, 'token'), 'expired');
    await assert.rejects(client.get(target, signal), { code: 'cluster-unauthenticated' });
    await plane.writeToken(namespace, 'shop', files);
    await client.get(target, signal);
  });

  it('a CA that was replaced is trusted at once, and the old one not any more', limit, async () => {
    const { client, plane, files } = await makePod();
    await client.get(target, signal);
    const { certificate } = await createAuthority({ now: new Date() });
    await writeFile(join(files, 'ca.crt'), certificate);
    await assert.rejects(client.get(target, signal), { code: 'cluster-unreachable' });
    await writeFile(join(files, 'ca.crt'), await plane.ca());
    await client.get(target, signal);
  });

  it('without a token says so, with the path, and goes on when it is mounted', limit, async () => {
    const { client, plane, namespace, files } = await makePod();
    await rm(join(files, 'token'));
    await assert.rejects(client.get(target, signal), {
      code: 'cluster-unconfigured',
      message: `${join(files, 'token')} cannot be read (ENOENT)`,
    });
    await plane.writeToken(namespace, 'shop', files);
    await client.get(target, signal);
  });

  it('nothing of client-node is loaded; with a kubeconfig it is', limit, async () => {
    const { plane, namespace, files, environment } = await makePod();
    const code = `
      import { registerHooks } from 'node:module';
      const urls = [];
      registerHooks({ resolve(name, context, next) { const found = next(name, context); urls.push(found.url); return found; } });
      const { KubeClient } = await import('./src/kube/client.ts');
      const { findAccess } = await import('./src/kube/access.ts');
      const client = new KubeClient(() => findAccess(process.env, process.env.FILES));
      const { metadata } = await client.get(
        { resource: { group: '', version: 'v1', plural: 'secrets' }, namespace: process.env.NAMESPACE, name: 'a' },
        new AbortController().signal,
      );
      console.log(metadata.name, urls.some((url) => url.includes('@kubernetes/client-node')));
      process.exit();`;
    const run = async (env: Record<string, string>) => {
      const all = { PATH: process.env['PATH'], FILES: files, NAMESPACE: namespace, ...env };
      const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code], {
        env: all,
      });
      return stdout.trim();
    };
    assert.equal(await run(environment), 'a false');
    assert.equal(await run({ KUBECONFIG: await plane.kubeconfig(namespace) }), 'a true');
  });
});

describe('a kubeconfig', () => {
  it('is read again when the API server does not accept it any more', limit, async () => {
    const plane = controlPlane();
    const namespace = await plane.makeNamespace();
    await plane.writeSecret(namespace, 'a', { key: 'k' });
    const path = await plane.kubeconfig(namespace);
    const good = await readFile(path, 'utf8');
    await writeFile(path, good.replace(/"token":"[^"]*"/, '"token":"expired"'));
    const client = new KubeClient(() => findAccess({ KUBECONFIG: path }));
    await assert.rejects(client.get(target, signal), { code: 'cluster-unauthenticated' });
    await writeFile(path, good);
    assert.equal((await client.get(target, signal)).metadata.namespace, namespace);
  });

  it(
    'may name a file with the token, beside it, that is read again each time and counts before one that is written out',
    limit,
    async () => {
      const plane = controlPlane();
      const namespace = await plane.makeNamespace();
      await plane.writeSecret(namespace, 'a', { key: 'k' });
      const path = await plane.kubeconfig(namespace);
      const good = await readFile(path, 'utf8');
      const token = /"token":"([^"]*)"/.exec(good)?.[1] ?? '';
      for (const user of ['"tokenFile":"its-token"', '"token":"expired","tokenFile":"its-token"']) {
        await writeFile(path, good.replace(/"token":"[^"]*"/, user));
        const file = join(dirname(path), 'its-token');
        await rm(file, { force: true });
        const client = new KubeClient(() => findAccess({ KUBECONFIG: path }));
        await assert.rejects(client.get(target, signal), {
          code: 'cluster-unconfigured',
          message: `${file}, which the kubeconfig names, cannot be read (ENOENT)`,
        });
        await writeFile(file, `${token}\n`);
        assert.equal((await client.get(target, signal)).metadata.namespace, namespace);
        await writeFile(file, 'expired');
        await assert.rejects(client.get(target, signal), { code: 'cluster-unauthenticated' });
      }
    },
  );

  it('may be several files, of which the first says which context counts', limit, async (t) => {
    const plane = controlPlane();
    const namespace = await plane.makeNamespace();
    await plane.writeSecret(namespace, 'a', { key: 'k' });
    const other = join(await makeDirectory(t), 'other');
    await writeFile(other, JSON.stringify({ clusters: [], users: [], contexts: [], 'current-context': 'nowhere' }));
    const access = await findAccess({ KUBECONFIG: `${await plane.kubeconfig(namespace)}:${other}` });
    assert.equal(access.namespace, namespace);
  });

  it('that cannot be used is named, and nothing of it quoted', async (t) => {
    const path = join(await makeDirectory(t), 'config');
    const secret = 'client-key-data: c2VjcmV0';
    for (const text of [undefined, `{ ${secret}`, `${secret}\nclusters: [{}]`, `${secret}\nclusters: []`]) {
      if (text !== undefined) await writeFile(path, text);
      await assert.rejects(findAccess({ KUBECONFIG: path }), (error: Error & { code: string }) => {
        assert.equal(error.code, 'cluster-unconfigured');
        assert.doesNotMatch(`${error.message} ${String(error.cause)}`, /c2VjcmV0/);
        return true;
      });
    }
  });
});

describe('without a cluster', () => {
  it('it is said what to set', async () => {
    const expected = { code: 'cluster-unconfigured', message: /KUBECONFIG nor KUBERNETES_SERVICE_HOST/ };
    await assert.rejects(findAccess({}), expected);
  });

  it('an address of six parts stands in brackets', async (t) => {
    const directory = await makeDirectory(t);
    await writeFile(join(directory, 'namespace'), 'pay\n');
    const { server, namespace } = await findAccess({ KUBERNETES_SERVICE_HOST: 'fd00::1' }, directory);
    assert.deepEqual([server.href, namespace], ['https://[fd00::1]/', 'pay']);
  });
});
