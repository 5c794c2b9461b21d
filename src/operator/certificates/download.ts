// One PaymentCredential's platform certificates: read the merchant's Secret, ask the platform, write what it lists into another Secret.
import type { Clock } from '../../clock.ts';
import type { ResourceSecret, ResourceSpec } from '../../config/resource.ts';
import { defaults, milliseconds } from '../../config/defaults.ts';
import { PaycertError } from '../../errors.ts';
import { downloadCertificates } from '../../gateway/certificate-download.ts';
import type { Asked } from '../../gateway/list-rounds.ts';
import type { Destination, OwnCalls } from '../../gateway/own-calls.ts';
import type { KubeClient } from '../../kube/client.ts';
import { secrets } from '../../kube/resources.ts';
import { type CertificateList, isSameList, type Listed } from '../../providers/certificate-list.ts';
import type { Provider } from '../../providers/provider.ts';
import { secretMaterial } from '../../sources/secret.ts';
import type { Leadership } from '../leadership.ts';
import type { ResourceKey } from '../resource-key.ts';
import { type Place, readStored, writeStored } from './stored.ts';

/** What is downloaded for one resource, and where it goes. */
export interface Order {
  readonly key: ResourceKey;
  readonly spec: ResourceSpec;
  /** That signs. */
  readonly own: ResourceSecret;
  /** The Secret that it is written into. */
  readonly into: string;
  readonly provider: Provider;
  readonly list: CertificateList;
  readonly destinations: readonly Destination[];
}

export interface DownloadDependencies {
  readonly client: () => Promise<Pick<KubeClient, 'get' | 'change'>>;
  readonly leadership: Pick<Leadership, 'write'>;
  readonly calls: OwnCalls;
  readonly clock: Clock;
}

/** Somebody may write the Secret at the same moment: the list is merged with what is there then. */
const attempts = 3;

/** `wrote` gets the version that was written. @throws PaycertError */
export async function download(
  { key, spec, own, into, provider, list, destinations }: Order,
  { client: connect, leadership, calls, clock }: DownloadDependencies,
  wrote: (resourceVersion: string | undefined) => unknown,
  signal: AbortSignal,
): Promise<Asked> {
  const { namespace, name, object } = key;
  const client = await connect();
  const place: Place = { namespace, secret: into, credential: name, list };
  // First: nobody is asked for what has no place.
  let stored = await readStored(client, place, signal);
  const { data } = secretMaterial(await client.get({ resource: secrets, namespace, name: own.name }, signal), own.keys);
  const known = { data, listed: stored.listed };
  const about = { credential: object, provider, list, destinations };
  const listed = await downloadCertificates(known, about, { calls, clock, signal });
  if (listed === undefined || listed === 'absent') return listed;
  const grace = milliseconds(spec.grace ?? defaults.grace);
  for (let attempt = 1; ; attempt += 1) {
    const now = clock.now();
    const wanted: Listed = list.keep(stored.listed, listed, { now, until: new Date(now.getTime() + grace) });
    if (isSameList(stored.listed, wanted)) return { isChanged: false };
    const before = stored;
    try {
      const write = (leading: AbortSignal) => writeStored(client, before, wanted, AbortSignal.any([leading, signal]));
      wrote(await leadership.write(write));
      return { isChanged: true };
    } catch (error) {
      const isConflict = error instanceof PaycertError && error.code === 'object-conflict';
      if (!isConflict || attempt === attempts) throw error;
      stored = await readStored(client, place, signal);
    }
  }
}
