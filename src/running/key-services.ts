// The key services of a configuration, and their end. What talks to one is loaded where one is configured.
import { defaults, milliseconds } from '../config/defaults.ts';
import type { KeyServicesConfig } from '../config/schema/key-services.ts';
import type { Dependencies } from '../store/attempt.ts';
import { KeyServices } from '../keys/key-services.ts';
import { Origins } from './origins.ts';

export interface RunningKeyServices extends Disposable {
  readonly resolve: KeyServices['resolve'];
}

/** Nothing is asked before material refers to a key. */
export async function startKeyServices(
  { hashivault: config }: KeyServicesConfig,
  dependencies: Pick<Dependencies, 'clock' | 'observe'>,
): Promise<RunningKeyServices> {
  const transit = config && (await startTransit(config, dependencies));
  const services = new KeyServices(transit ? { hashivault: transit } : {});
  return {
    resolve: (data, signal) => services.resolve(data, signal),
    [Symbol.dispose]: () => transit?.[Symbol.dispose](),
  };
}

type TransitConfig = NonNullable<KeyServicesConfig['hashivault']>;

async function startTransit(config: TransitConfig, dependencies: Pick<Dependencies, 'clock' | 'observe'>) {
  const { Transit } = await import('../keys/transit.ts');
  return new Transit({
    session: new Origins(dependencies).transit(config),
    mount: config.mount ?? defaults.transitMount,
    deadlineMilliseconds: milliseconds(config.deadline ?? defaults.signingDeadline),
    ...dependencies,
  });
}
