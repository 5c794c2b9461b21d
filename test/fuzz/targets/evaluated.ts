// What the operator writes of a Secret: the status after it, and the Events of the change.
import type { ResourceSpec } from '../../../src/config/resource.ts';
import { evaluate, type SecretEvaluation } from '../../../src/operator/status/evaluate.ts';
import { noticesOf } from '../../../src/operator/status/events.ts';
import { statusOf } from '../../../src/operator/status/status.ts';
import type { PaymentCredential, Status } from '../../../src/operator/resource.ts';
import { material } from '../../../src/sources/source.ts';
import { now } from '../corpus.ts';

export type ProviderConfig = ResourceSpec['provider'];
export type Data = ReadonlyMap<string, Uint8Array>;

const specOf = (provider: ProviderConfig): ResourceSpec => ({ provider, source: { secret: { name: 'keys' } } });

export const evaluated = (provider: ProviderConfig, data: Data, accepted: Status['accepted']) =>
  evaluate({ credential: { provider }, material: material(data), accepted }, now);

/** As the API server keeps it. */
export function statusAfter(provider: ProviderConfig, secret: SecretEvaluation, previous: Status | undefined) {
  const spec = specOf(provider);
  const resource: PaymentCredential = {
    kind: 'PaymentCredential',
    namespace: 'pay',
    name: 'shop',
    uid: 'u',
    resourceVersion: '1',
    generation: 1,
    spec,
    status: previous,
  };
  const status = JSON.parse(JSON.stringify(statusOf(resource, { spec, secret, error: undefined }, now))) as Status;
  return { status, notices: noticesOf('PaymentCredential', previous, status) };
}
