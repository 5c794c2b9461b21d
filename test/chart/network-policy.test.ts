// The NetworkPolicy of docs/kubernetes.md: the admin port is for Prometheus alone, and every other port is as open as before.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { defaults } from '../../src/config/defaults.ts';
import { blocksUnder } from '../agreement/documents.ts';
import { noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { run } from './helm.ts';

interface Port {
  readonly protocol: string;
  readonly port: number;
  readonly endPort?: number;
}
interface Policy {
  readonly spec: {
    readonly ingress: readonly { readonly ports: readonly Port[]; readonly from?: readonly object[] }[];
  };
}

const [block] = blocksUnder('docs/kubernetes.md', 'NetworkPolicy for sidecars');
const { spec } = parse(block!.text) as Policy;
const permits = (protocol: string, wanted: number) =>
  spec.ingress.filter(({ ports }) =>
    ports.some(({ protocol: of, port, endPort = port }) => of === protocol && wanted >= port && wanted <= endPort),
  );
const admin = Number(defaults.adminAddress.split(':').at(-1));

describe('the NetworkPolicy for sidecars', () => {
  it('lets nobody reach the admin port but those whom it names', () => {
    const rules = permits('TCP', admin);
    assert.equal(rules.length, 1);
    assert.ok((rules[0]?.from?.length ?? 0) > 0);
  });

  it('leaves every other port open to all', () => {
    for (const protocol of ['TCP', 'UDP', 'SCTP'])
      for (let port = 1; port <= 65_535; port += 1)
        if (protocol !== 'TCP' || port !== admin)
          assert.ok(
            permits(protocol, port).some(({ from }) => from === undefined),
            `${protocol} ${port}`,
          );
  });

  describe('for a real API server', { skip: noControlPlane, timeout: 900_000 }, () => {
    const controlPlane = useControlPlane();
    it('is valid, field by field', async () => {
      const kubeconfig = await controlPlane().kubeconfig('default');
      const args = ['apply', '--dry-run=server', '--validate=strict', '--kubeconfig', kubeconfig, '-f', '-'];
      const { code, stderr } = await run('kubectl', args, block!.text);
      assert.deepEqual([code, stderr], [0, '']);
    });
  });
});
