// A Secret as a source under a reload loop, on the API server of a test.
import type { TestContext } from 'node:test';
import { type Clock, systemClock } from '../../src/clock.ts';
import { findAccess } from '../../src/kube/access.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { secret } from '../../src/sources/secret.ts';
import type { Source } from '../../src/sources/source.ts';
import type { ControlPlane } from './control-plane.ts';
import { Watching, type WatchingOptions } from './watching.ts';

export const secretName = 'wechat-main';

/** What the provider of tests makes a context of: its key id. */
const contentOf = (keyId: string) => ({ context: JSON.stringify({ keyId }) });

export interface SecretSourceOptions {
  readonly plane: ControlPlane;
  /** Another way to the API server than straight. */
  readonly server?: string;
  readonly clock?: Clock;
}

export interface SecretSource {
  readonly namespace: string;
  readonly client: KubeClient;
  readonly write: (keyId: string) => Promise<void>;
  readonly remove: () => Promise<void>;
}

/** A namespace with a Secret whose key is `0`. */
export async function makeSecret({ plane, server }: SecretSourceOptions): Promise<SecretSource> {
  const namespace = await plane.makeNamespace();
  await plane.writeSecret(namespace, secretName, contentOf('0'));
  const kubeconfig = await plane.kubeconfig(namespace, server);
  return {
    namespace,
    client: new KubeClient(() => findAccess({ KUBECONFIG: kubeconfig })),
    write: (keyId) => plane.writeSecret(namespace, secretName, contentOf(keyId)),
    remove: async () => {
      await plane.admin('DELETE', `/api/v1/namespaces/${namespace}/secrets/${secretName}`);
    },
  };
}

type Parts = Parameters<NonNullable<WatchingOptions['source']>>[0];

/** Watches it until the test ends, alone or as part of another source. */
export const watchSecret = (
  t: TestContext,
  client: Pick<KubeClient, 'get' | 'list' | 'watch'>,
  clock: Clock = systemClock,
  wrap: (source: Source, parts: Parts) => Source = (source) => source,
): Watching =>
  new Watching(t, {
    clock,
    source: (parts) => {
      const options = { secret: secretName, client: async () => client, random: () => 0.5 };
      return wrap(secret({ ...options, ...parts }), parts);
    },
  });
