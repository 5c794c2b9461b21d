// The key services of a configuration, and their end. What talks to one is loaded where one is configured.
import { defaults, milliseconds } from '../config/defaults.ts';
import type { KeyServicesConfig } from '../config/schema/key-services.ts';
import type { WrappingKeyConfig } from '../config/schema/unwrap.ts';
import type { WrappingContext } from '../crypto/wrapped.ts';
import { PaycertError } from '../errors.ts';
import type { Dependencies } from '../store/attempt.ts';
import { KeyServices } from '../keys/key-services.ts';
import { localOpener } from '../keys/local-opener.ts';
import type { Opener } from '../keys/opener.ts';
import { Origins } from './origins.ts';

export interface RunningKeyServices extends Disposable {
  readonly resolve: KeyServices['resolve'];
  /** What opens values that were wrapped with that key. @throws PaycertError `key-service-missing` */
  readonly opener: (key: WrappingKeyConfig, context: WrappingContext) => Opener;
}

/** Nothing is asked before material refers to a key, or is wrapped. */
export async function startKeyServices(
  { hashivault: config, local }: KeyServicesConfig,
  dependencies: Pick<Dependencies, 'clock' | 'observe'>,
): Promise<RunningKeyServices> {
  const transit = config && (await startTransit(config, dependencies));
  const services = new KeyServices(transit ? { hashivault: transit } : {});
  return {
    resolve: (data, signal) => services.resolve(data, signal),
    opener({ hashivault }, context) {
      const opener = hashivault
        ? transit?.opener(hashivault.key, context)
        : local && localOpener(local.keyFile, context);
      return opener ?? missing(hashivault ? 'hashivault' : 'local');
    },
    [Symbol.dispose]: () => transit?.[Symbol.dispose](),
  };
}

/** Where none is configured. */
export const noKeyServices: Pick<RunningKeyServices, 'resolve' | 'opener'> = {
  resolve: (data, signal) => new KeyServices({}).resolve(data, signal),
  opener: (key) => missing(Object.keys(key).join()),
};

function missing(service: string): never {
  const message = `values are wrapped with a key of ${service}, and keyServices does not say where that is`;
  throw new PaycertError('key-service-missing', message, { field: `keyServices.${service}` });
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
