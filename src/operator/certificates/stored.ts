// The Secret that downloaded certificates are written into: it must say that it is meant for that, and nothing else in it is touched.
import { PaycertError } from '../../errors.ts';
import type { KubeClient, Operation } from '../../kube/client.ts';
import { type KubeObject, secrets, type Target } from '../../kube/resources.ts';
import type { CertificateList, Listed } from '../../providers/certificate-list.ts';
import { secretMaterial } from '../../sources/secret.ts';
import { fieldManager } from '../field-manager.ts';
import { certificatesOfLabel } from '../labels.ts';

export interface Place {
  readonly namespace: string;
  /** The Secret. */
  readonly secret: string;
  /** The PaymentCredential whose certificates it holds. */
  readonly credential: string;
  readonly list: Pick<CertificateList, 'isListed'>;
}

export interface Stored {
  readonly target: Target;
  readonly listed: Listed;
  readonly resourceVersion: string;
  readonly hasData: boolean;
}

/** @throws PaycertError `certificates-secret-refused`, and why it cannot be read */
export async function readStored(
  client: Pick<KubeClient, 'get'>,
  { namespace, secret, credential, list }: Place,
  signal: AbortSignal,
): Promise<Stored> {
  const target = { resource: secrets, namespace, name: secret };
  const found = await client.get(target, signal);
  assertMeant(found, secret, credential);
  const { data } = secretMaterial(found);
  return {
    target,
    listed: new Map([...data].filter(([name]) => list.isListed(name))),
    resourceVersion: found.metadata.resourceVersion ?? '',
    hasData: found['data'] !== undefined,
  };
}

/** Whether its owner has said so, and it can be changed at all. */
function assertMeant({ metadata, immutable }: KubeObject, secret: string, credential: string): void {
  const refused = (what: string) => new PaycertError('certificates-secret-refused', `Secret "${secret}" ${what}`);
  if (![credential, 'any'].includes(metadata.labels?.[certificatesOfLabel] ?? ''))
    throw refused(`has no label ${certificatesOfLabel} with the value ${credential} or any`);
  if (immutable === true) throw refused('is immutable: nothing can be written into it');
}

/**
 * All of it or nothing, and only into the version that was read. The version that there is then.
 * @throws PaycertError `object-conflict` where there is another
 */
export async function writeStored(
  client: Pick<KubeClient, 'change'>,
  { target, listed, resourceVersion, hasData }: Stored,
  wanted: Listed,
  signal: AbortSignal,
): Promise<string | undefined> {
  const gone = [...listed.keys()].filter((name) => !wanted.has(name));
  const operations: Operation[] = [
    { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion },
    ...(hasData ? [] : [{ op: 'add', path: '/data', value: {} }]),
    ...gone.map((name) => ({ op: 'remove', path: `/data/${name}` })),
    ...[...wanted].map(([name, bytes]) => ({
      op: 'add',
      path: `/data/${name}`,
      value: Buffer.from(bytes).toString('base64'),
    })),
  ];
  const { metadata } = await client.change(target, operations, fieldManager, signal);
  return metadata.resourceVersion;
}
