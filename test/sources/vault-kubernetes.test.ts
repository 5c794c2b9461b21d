// The log-in of a pod at Vault, between a real API server and a real OpenBao: a projected token with an audience of its own.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import { PaycertError } from '../../src/errors.ts';
import { buildCredential } from '../../src/running/build.ts';
import { noBao, useBao } from '../support/bao.ts';
import { noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { textsOf } from '../support/directories.ts';

const skip = noControlPlane === false ? noBao : noControlPlane;
const controlPlane = useControlPlane();
const bao = useBao();
const signal = new AbortController().signal;

describe('a pod', () => {
  it(
    'logs in with a token for Vault, read again each time, and not with one for another audience',
    { timeout: 300_000, skip },
    async () => {
      const [plane, vault] = [controlPlane(), bao()];
      const namespace = await plane.makeNamespace();
      await plane.makeServiceAccount(namespace, 'shop', []);
      await plane.makeServiceAccount(namespace, 'reviewer', []);
      await plane.admin('POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
        metadata: { name: 'vault-reviewer' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:auth-delegator' },
        subjects: [{ kind: 'ServiceAccount', name: 'reviewer', namespace }],
      });
      const tokenOf = async (account: string, audiences: readonly string[]): Promise<string> => {
        const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`;
        const { status } = await plane.admin('POST', path, { spec: { expirationSeconds: 3600, audiences } });
        return (status as { token: string }).token;
      };
      await vault.owner('POST', 'sys/auth/kubernetes', { type: 'kubernetes' });
      await vault.owner('POST', 'auth/kubernetes/config', {
        kubernetes_host: `https://127.0.0.1:${String(plane.port)}`,
        kubernetes_ca_cert: (await plane.ca()).toString(),
        token_reviewer_jwt: await tokenOf('reviewer', []),
        disable_local_ca_jwt: true,
      });
      await vault.policy('shop', { 'secret/data/shop': ['read'] });
      await vault.owner('POST', 'auth/kubernetes/role/shop', {
        bound_service_account_names: ['shop'],
        bound_service_account_namespaces: [namespace],
        audience: 'vault',
        token_policies: 'shop',
      });
      await vault.write('shop', { k: 'v' });

      const tokenFile = await vault.file(await tokenOf('shop', []));
      const auth = { kubernetes: { role: 'shop', tokenFile } };
      const read = () =>
        buildCredential(
          {
            name: 'shop',
            provider: { wechatpay: { merchantId: '1900000001' } },
            source: { vault: { address: vault.url, path: 'shop', auth } },
          },
          { clock: systemClock, observe: () => undefined, environment: {} },
        ).source.read(signal);
      const refused = await read().catch((error: unknown) => error);
      assert.ok(refused instanceof PaycertError && refused.code === 'origin-unauthenticated');
      assert.match(refused.message, /^log in at auth\/kubernetes: .* the role "shop" .*: its audience is another/);

      await writeFile(tokenFile, await tokenOf('reviewer', ['vault']));
      const other = await read().catch((error: unknown) => error);
      assert.ok(other instanceof PaycertError && /for other service accounts/.test(other.message), String(other));

      await writeFile(tokenFile, await tokenOf('shop', ['vault']));
      assert.deepEqual(textsOf((await read()).data), { k: 'v' });
    },
  );
});
