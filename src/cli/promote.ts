// paycert promote and rollback: change when the next of two staged Secrets signs, with the user's own rights, and nothing else.
import { isDeepStrictEqual } from 'node:util';
import { parseSpec, paymentCredentials, setsOf } from '../config/resource.ts';
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
  readonly percent: number;
}

/** The operator writes the status of the same object. */
const attempts = 5;

/** One line for the user. @throws PaycertError `credential-rejected` where the next set is not valid, and is to sign */
async function activate(options: ActivateOptions, signal: AbortSignal): Promise<string> {
  const { client, name, namespace = ownNamespace, percent } = options;
  const target: Target = { resource: paymentCredentials, namespace, name };
  for (let left = attempts; ; left -= 1) {
    const object = await client.get(target, signal);
    const resource = readResource(object);
    const { source } = parseSpec(resource.spec);
    const { next } = setsOf(source);
    if (source.staged === undefined || next === undefined)
      throw usageError(`${name} names one Secret: a next one under spec.source.staged is what is promoted`);
    if (percent > 0) assertFit(resource, isDeepStrictEqual(source.staged.activate, { percent }));
    const before = describeActivation(source.staged.activate);
    try {
      await client.change(target, operationsOn(object, percent), 'paycert', signal);
      return `${name}: Secret ${next.name} signs ${describeActivation({ percent })}; before, ${before}`;
    } catch (error) {
      const isOvertaken = error instanceof PaycertError && error.code === 'object-conflict';
      if (!isOvertaken || left === 1) throw error;
    }
  }
}

/** Only of the version that was looked at. */
const operationsOn = ({ metadata }: KubeObject, percent: number) => [
  { op: 'replace' as const, path: '/metadata/resourceVersion', value: metadata.resourceVersion },
  { op: 'replace' as const, path: '/spec/source/staged/activate', value: { percent } },
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

function describeActivation({ at, percent = 0, from }: ActivateConfig): string {
  if (at !== undefined) return `in every Pod from ${at} on`;
  if (from !== undefined) return `in more and more Pods from ${from} on`;
  if (percent === 0) return 'in no Pod';
  return percent === 100 ? 'in every Pod' : `in about ${percent} of a hundred Pods`;
}

function percentOf(values: Invocation['values']): number {
  const given = text(values, 'percent') ?? '100';
  const percent = Number(given);
  if (!/^\d{1,3}$/.test(given) || percent < 1 || percent > 100) throw usageError('--percent is 1 to 100');
  return percent;
}

async function run({ values, positionals: [name = ''], signal }: Invocation, percent: number): Promise<number> {
  const client = connect(process.env);
  print(await activate({ client, name, namespace: text(values, 'namespace'), percent }, signal));
  return 0;
}

export const promote = (invocation: Invocation): Promise<number> => run(invocation, percentOf(invocation.values));

export const rollback = (invocation: Invocation): Promise<number> => run(invocation, 0);
