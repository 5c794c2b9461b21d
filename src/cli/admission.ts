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

export interface Reviews {
  readonly listener: AdmissionListener;
  /** Of every replica. */
  readonly tasks: readonly Task[];
  /** Of the one that leads. */
  readonly leading: readonly Task[];
}

export function openAdmission(
  { address, certificate }: AdmissionFlags,
  { reviewer, client: connected, clock, observe }: Dependencies,
): Reviews {
  const client = async () => connected;
  const open = (shown: ServingCertificate, keeper?: ServingSecret): Reviews => {
    const listener = new AdmissionListener({ address, certificate: shown, reviewer, observe });
    const run: Task = (signal) => listener.run(signal);
    if (keeper === undefined) return { listener, tasks: [run], leading: [] };
    return { listener, tasks: [run, (signal) => keeper.begin(signal)], leading: [(signal) => keeper.run(signal)] };
  };
  const file = 'admission-certificate';
  if ('tls' in certificate) {
    const source = files({ paths: [certificate.tls], pollMilliseconds, clock, observe });
    const place = { name: certificate.tls, field: '--admission-tls', file } as const;
    return open(new ServingCertificate(source, place, observe));
  }
  const { secret: kept, webhooks, mutating, hostNames } = certificate;
  const configurations: Configuration[] = [{ kind: 'validating', name: webhooks }];
  if (mutating !== undefined) configurations.push({ kind: 'mutating', name: mutating });
  const source = secret({ secret: kept.name, namespace: kept.namespace, client, clock, random: Math.random, observe });
  const place = {
    name: `${kept.namespace}/${kept.name}`,
    field: '--admission-secret',
    file,
    isMadeHere: true,
  } as const;
  const keeper = new ServingSecret({ secret: kept, configurations, hostNames, client, clock, random: randomBytes, observe }); // prettier-ignore
  return open(new ServingCertificate(source, place, observe), keeper);
}
