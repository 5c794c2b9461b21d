// paycert wait: asks for a PaymentCredential until its status is about a version of the Secret, and says whether that is ready, or everywhere.
import { type Clock, systemClock } from '../clock.ts';
import { paymentCredentials } from '../config/resource.ts';
import { PaycertError } from '../errors.ts';
import { connect, type KubeClient } from '../kube/client.ts';
import { ownNamespace } from '../kube/resources.ts';
import { isVersion } from '../kube/versions.ts';
import { readResource } from '../operator/resource.ts';
import { gateOf, type Wanted } from '../operator/status/gate.ts';
import { type Invocation, required, text, usageError } from './command.ts';
import { duration } from './duration.ts';
import { print } from './table.ts';

export interface WaitOptions {
  readonly name: string;
  /** That of the kubeconfig's context, unless it is given. */
  readonly namespace: string | undefined;
  readonly secretVersion: string;
  /** `rolled-out`: every Pod that runs has it, too. */
  readonly wanted?: Wanted;
  readonly timeoutMilliseconds: number;
  readonly client: Pick<KubeClient, 'get'>;
  readonly clock: Clock;
}

const pauseMilliseconds = 1000;

/** The API server may restart while an upgrade is waited for. */
const passing: ReadonlySet<string> = new Set(['cluster-unreachable', 'cluster-failing']);

/**
 * What the status says, once that version or a later one is evaluated and ready.
 * @throws PaycertError `credential-rejected` at once when it is evaluated and not ready, `wait-timeout`
 */
export async function waitFor(options: WaitOptions, signal: AbortSignal): Promise<string> {
  const {
    name,
    namespace = ownNamespace,
    secretVersion,
    wanted = 'ready',
    timeoutMilliseconds,
    client,
    clock,
  } = options;
  const deadline = clock.now().getTime() + timeoutMilliseconds;
  let last = 'nothing was read';
  for (;;) {
    try {
      const object = await client.get({ resource: paymentCredentials, namespace, name }, signal);
      const { isOpen, says } = gateOf(readResource(object), secretVersion, wanted);
      if (isOpen) return says;
      last = says;
    } catch (error) {
      if (!(error instanceof PaycertError) || !passing.has(error.code)) throw error;
      last = error.message;
    }
    const rest = deadline - clock.now().getTime();
    if (rest <= 0) break;
    await clock.sleep(Math.min(pauseMilliseconds, rest), signal);
  }
  const done = wanted === 'ready' ? 'evaluated' : 'seen in every Pod';
  const message = `${name}: version ${secretVersion} of the Secret was not ${done} within ${timeoutMilliseconds / 1000} s. Last: ${last}`;
  throw new PaycertError('wait-timeout', message);
}

export async function wait({ values, positionals: [name = ''], signal }: Invocation): Promise<number> {
  const secretVersion = required(values, 'secret-version');
  if (!isVersion(secretVersion)) throw usageError('--secret-version is metadata.resourceVersion of a Secret');
  const says = await waitFor(
    {
      name,
      namespace: text(values, 'namespace'),
      secretVersion,
      wanted: text(values, 'for') === 'rolled-out' ? 'rolled-out' : 'ready',
      timeoutMilliseconds: duration(text(values, 'timeout') ?? '60s', 'timeout'),
      client: connect(process.env),
      clock: systemClock,
    },
    signal,
  );
  print(`${name}: ${says}`);
  return 0;
}
