// AWS KMS of a configuration: where it is, who we are to it, and what signs and opens there.
import { defaults, milliseconds } from '../config/defaults.ts';
import type { KeyServicesConfig } from '../config/schema/key-services.ts';
import { CloudKeys, cloudConcurrent } from '../keys/cloud-keys.ts';
import { awsKeys } from '../keys/aws-kms.ts';
import { awsOpener } from '../keys/aws-opener.ts';
import type { WrappingContext } from '../keys/opener.ts';
import { type AwsKms, awsKms } from '../origins/aws/kms.ts';
import { loadSigV4 } from '../origins/aws/sigv4.ts';
import { assumeRoleWithWebIdentity } from '../origins/aws/web-identity.ts';
import { type AccessKey, readAccessKey } from '../origins/cloud/access-key.ts';
import { LentKeys } from '../origins/cloud/lent-keys.ts';
import { Server } from '../origins/server.ts';
import type { Dependencies } from '../store/attempt.ts';

type Config = NonNullable<KeyServicesConfig['awskms']>;
type Needs = Pick<Dependencies, 'clock' | 'observe'>;

/** Regions in China are a partition of their own. */
const hostOf = (product: string, region: string): string =>
  `https://${product}.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;

/** Its operations. @throws PaycertError `package-missing` */
async function openAwsKms(config: Config, needs: Needs): Promise<AwsKms> {
  const { region, address = hostOf('kms', region), tls, auth } = config;
  const { accessKey, webIdentity } = auth;
  // A breaker decides when it is asked again.
  const toServer = (name: string, at: string) =>
    new Server({
      ...{ name, addresses: [at], tls, ...needs, random: Math.random },
      ...{ troubleOf: () => undefined, longestPauseMilliseconds: 0, maxSockets: cloudConcurrent },
    });
  const obtain = accessKey
    ? () => readAccessKey(accessKey)
    : whoAssumes(webIdentity, toServer('AWS STS', webIdentity?.address ?? hostOf('sts', region)), needs);
  const keys = new LentKeys<AccessKey>({ obtain, isRenewedAhead: !accessKey, random: Math.random, ...needs });
  const sigV4 = await loadSigV4();
  return awsKms({ server: toServer('AWS KMS', address), keys, sigV4, host: new URL(address).host, region, ...needs });
}

type WebIdentity = Config['auth']['webIdentity'];

/** The schema has made sure that there is one where there is no access key. */
const whoAssumes =
  (identity: WebIdentity, server: Server, { clock }: Needs) =>
  (signal: AbortSignal) => {
    const { roleArn = '', tokenFile = '', sessionName = defaults.roleSessionName } = identity ?? {};
    return assumeRoleWithWebIdentity({ roleArn, tokenFile, sessionName, server, clock }, signal);
  };

/** Keys there that sign, and those that open what they wrapped. @throws PaycertError `package-missing` */
export async function startAwsKms(config: Config, needs: Needs) {
  const deadlineMilliseconds = milliseconds(config.deadline ?? defaults.signingDeadline);
  const kms = await openAwsKms(config, needs);
  const keys = new CloudKeys(awsKeys(kms, config.region), { deadlineMilliseconds, ...needs });
  return {
    keys,
    opener: (key: string, context: WrappingContext) => awsOpener(kms, key, context),
    [Symbol.dispose]: () => keys[Symbol.dispose](),
  };
}
