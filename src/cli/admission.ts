// Reviews of the operator put together: the listener, whose certificate it shows, and who renews that.
import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Observe } from '../events.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Reviewer } from '../operator/admission/reviewer.ts';
import { type Configuration, ServingSecret } from '../operator/admission/serving-secret.ts';
import { files } from '../sources/files.ts';
import { secret } from '../sources/secret.ts';
import type { Task } from '../tasks.ts';
import { AdmissionListener } from './admission-listener.ts';
import type { AdmissionFlags } from './admission-options.ts';
import { pollMilliseconds, ServingCertificate } from './serving-certificate.ts';

interface Dependencies {
  readonly reviewer: Reviewer;
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly observe: Observe;
}

export function openAdmission(
  { address, certificate }: AdmissionFlags,
  { reviewer, client: connected, clock, observe }: Dependencies,
): { readonly listener: AdmissionListener; readonly leading: readonly Task[] } {
  const client = async () => connected;
  const open = (shown: ServingCertificate) => new AdmissionListener({ address, certificate: shown, reviewer, observe });
  const file = 'admission-certificate';
  if ('tls' in certificate) {
    const source = files({ paths: [certificate.tls], pollMilliseconds, clock, observe });
    const place = { name: certificate.tls, field: '--admission-tls', file } as const;
    return { listener: open(new ServingCertificate(source, place, observe)), leading: [] };
  }
  const { secret: kept, webhooks, mutating, hostNames } = certificate;
  const configurations: Configuration[] = [{ kind: 'validating', name: webhooks }];
  if (mutating !== undefined) configurations.push({ kind: 'mutating', name: mutating });
  const source = secret({ secret: kept.name, namespace: kept.namespace, client, clock, random: Math.random, observe });
  const place = { name: `${kept.namespace}/${kept.name}`, field: '--admission-secret', file } as const;
  const keeper = new ServingSecret({ secret: kept, configurations, hostNames, client, clock, random: randomBytes, observe }); // prettier-ignore
  return {
    listener: open(new ServingCertificate(source, place, observe)),
    leading: [(signal) => keeper.run(signal)],
  };
}
