// The key services of a configuration, and their end. What talks to one is loaded where one is configured.
import { defaults, milliseconds } from '../config/defaults.ts';
import type { KeyServicesConfig } from '../config/schema/key-services.ts';
import type { WrappingKeyConfig } from '../config/schema/unwrap.ts';
import { PaycertError } from '../errors.ts';
import type { Dependencies } from '../store/attempt.ts';
import { KeyServices } from '../keys/key-services.ts';
import { localOpener } from '../keys/local-opener.ts';
import type { Opener, WrappingContext } from '../keys/opener.ts';
import { loadOptional } from '../optional-package.ts';
import { Origins } from './origins.ts';

export interface RunningKeyServices extends AsyncDisposable {
  readonly resolve: KeyServices['resolve'];
  /** What opens values that were wrapped with that key. @throws PaycertError `key-service-missing` */
  readonly opener: (key: WrappingKeyConfig, context: WrappingContext) => Opener;
}

type Needed = Pick<Dependencies, 'clock' | 'observe'>;

/** Nothing is asked before material refers to a key, or is wrapped. @throws PaycertError `package-missing` */
export async function startKeyServices(
  { hashivault, awskms, aliyunkms, pkcs11, local }: KeyServicesConfig,
  dependencies: Needed,
): Promise<RunningKeyServices> {
  await using starting = new AsyncDisposableStack();
  const transit = hashivault && starting.use(await startTransit(hashivault, dependencies));
  const aws = awskms && starting.use(await (await import('./aws-kms.ts')).startAwsKms(awskms, dependencies));
  const aliyun = aliyunkms && starting.use((await import('./aliyun-kms.ts')).startAliyunKms(aliyunkms, dependencies));
  const tokens = pkcs11 && starting.use(await startPkcs11(pkcs11, dependencies));
  const services = new KeyServices({
    ...(transit && { hashivault: transit }),
    ...(aws && { awskms: aws.keys }),
    ...(aliyun && { aliyunkms: aliyun.keys }),
    ...(tokens && { pkcs11: tokens }),
  });
  const started = starting.move();
  return {
    resolve: (data, signal) => services.resolve(data, signal),
    opener(key, context) {
      const opener = key.hashivault
        ? transit?.opener(key.hashivault.key, context)
        : key.awskms
          ? aws?.opener(key.awskms.key, context)
          : key.aliyunkms
            ? aliyun?.opener(key.aliyunkms.key, context)
            : local && localOpener(local.keyFile, context);
      return opener ?? missing(Object.keys(key).join());
    },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
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

async function startTransit(config: NonNullable<KeyServicesConfig['hashivault']>, dependencies: Needed) {
  const { Transit } = await import('../keys/transit.ts');
  return new Transit({
    session: new Origins(dependencies).transit(config),
    mount: config.mount ?? defaults.transitMount,
    deadlineMilliseconds: milliseconds(config.deadline ?? defaults.signingDeadline),
    ...dependencies,
  });
}

async function startPkcs11(config: NonNullable<KeyServicesConfig['pkcs11']>, dependencies: Needed) {
  const { Pkcs11 } = await import('../keys/pkcs11/pkcs11.ts');
  // Found here and loaded there: a start that can never sign fails at once.
  await loadOptional('pkcs11js', 'keyServices.pkcs11', async () => import.meta.resolve('pkcs11js'));
  return new Pkcs11({
    module: config.module,
    tokens: config.tokens,
    environment: config.environment ?? {},
    sessions: config.sessions ?? defaults.tokenSessions,
    deadlineMilliseconds: milliseconds(config.deadline ?? defaults.signingDeadline),
    random: Math.random,
    ...dependencies,
  });
}
