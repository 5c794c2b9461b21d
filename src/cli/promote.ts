// paycert promote and rollback: change when the next of two staged Secrets signs, with the user's own rights, and nothing else.
import { activationText, parseSpec, paymentCredentials, setsOf } from '../config/resource.ts';
import type { ActivateConfig } from '../config/schema/source.ts';
import { PaycertError } from '../errors.ts';
import { connect, type KubeClient } from '../kube/client.ts';
import { type KubeObject, ownNamespace, type Target } from '../kube/resources.ts';
import { type PaymentCredential, readResource } from '../operator/resource.ts';
import { type Invocation, text, usageError } from './command.ts';
import { print, printable } from './table.ts';

interface ActivateOptions {
  readonly client: Pick<KubeClient, 'get' | 'change'>;
  readonly name: string;
  readonly namespace: string | undefined;
  readonly activate: Share;
}

/** Of the Pods unless it says otherwise. */
interface Share {
  readonly percent: number;
  readonly of?: 'requests';
}

/** The operator writes the status of the same object. */
const attempts = 5;

/** One line for the user. @throws PaycertError `credential-rejected` where the next set is not valid, and is to sign */
async function activate(options: ActivateOptions, signal: AbortSignal): Promise<string> {
  const { client, name, namespace = ownNamespace, activate: wanted } = options;
  const target: Target = { resource: paymentCredentials, namespace, name };
  for (let left = attempts; ; left -= 1) {
    const object = await client.get(target, signal);
    const resource = readResource(object);
    const { source } = parseSpec(resource.spec);
    const { next } = setsOf(source);
    if (source.staged === undefined || next === undefined)
      throw usageError(`${name} names one Secret: a next one under spec.source.staged is what is promoted`);
    if (wanted.percent > 0) assertFit(resource, activationText(source.staged.activate) === activationText(wanted));
    const before = describeActivation(source.staged.activate);
    try {
      await client.change(target, operationsOn(object, wanted), 'paycert', signal);
      return `${name}: Secret ${next.name} signs ${describeActivation(wanted)}; before, ${before}`;
    } catch (error) {
      const isOvertaken = error instanceof PaycertError && error.code === 'object-conflict';
      if (!isOvertaken || left === 1) throw error;
    }
  }
}

/** Only of the version that was looked at. */
const operationsOn = ({ metadata }: KubeObject, wanted: Share) => [
  { op: 'replace' as const, path: '/metadata/resourceVersion', value: metadata.resourceVersion },
  { op: 'replace' as const, path: '/spec/source/staged/activate', value: wanted },
];

/** What an operator found, if one has looked at this spec. */
function assertFit({ name, generation, status }: PaymentCredential, isSame: boolean): void {
  const { conditions = [] } = status ?? {};
  const refused = isSame
    ? conditions.find(({ type, status: is }) => type === 'CanaryRejected' && is === 'True')
    : undefined;
  if (refused)
    throw new PaycertError(
      'credential-rejected',
      `${name} is as it was: roll it back first. ${printable(refused.message)}`,
    );
  const condition = conditions.find(({ type }) => type === 'Staged');
  if (condition?.status !== 'False' || condition.observedGeneration !== generation) return;
  const message = `${name} is as it was: its next set is not valid. ${printable(condition.message)}`;
  throw new PaycertError('credential-rejected', message);
}

function describeActivation({ at, percent = 0, of, from }: ActivateConfig): string {
  const parts = of === 'requests' ? 'requests' : 'Pods';
  if (at !== undefined) return `in every Pod from ${at} on`;
  if (from !== undefined) return `in more and more ${parts} from ${from} on`;
  if (percent === 0) return 'in no Pod';
  return percent === 100 ? 'in every Pod' : `in about ${percent} of a hundred ${parts}`;
}

function percentOf(values: Invocation['values']): number {
  const given = text(values, 'percent') ?? '100';
  const percent = Number(given);
  if (!/^\d{1,3}$/.test(given) || percent < 1 || percent > 100) throw usageError('--percent is 1 to 100');
  return percent;
}

async function run({ values, positionals: [name = ''], signal }: Invocation, wanted: Share): Promise<number> {
  const client = connect(process.env);
  print(await activate({ client, name, namespace: text(values, 'namespace'), activate: wanted }, signal));
  return 0;
}

export function promote(invocation: Invocation): Promise<number> {
  const { values } = invocation;
  const of = text(values, 'of') === 'requests' ? { of: 'requests' as const } : {};
  return run(invocation, { percent: percentOf(values), ...of });
}

export const rollback = (invocation: Invocation): Promise<number> => run(invocation, { percent: 0 });
