// AWS KMS of a configuration: where it is, who we are to it, and what signs and opens there.
import { defaults, milliseconds } from '../config/defaults.ts';
import type { KeyServicesConfig } from '../config/schema/key-services.ts';
import { CloudKeys } from '../keys/cloud-keys.ts';
import { awsKeys } from '../keys/aws-kms.ts';
import { awsOpener } from '../keys/aws-opener.ts';
import type { WrappingContext } from '../keys/opener.ts';
import { type AwsKms, awsKms } from '../origins/aws/kms.ts';
import { loadSigV4 } from '../origins/aws/sigv4.ts';
import { assumeRoleWithWebIdentity } from '../origins/aws/web-identity.ts';
import { type AccessKey, readAccessKey } from '../origins/cloud/access-key.ts';
import { LentKeys } from '../origins/cloud/lent-keys.ts';
import type { Server } from '../origins/server.ts';
import { type CloudNeeds, cloudServer, stsEndpoint } from './cloud-server.ts';

type Config = NonNullable<KeyServicesConfig['awskms']>;

/** Regions in China are a partition of their own. */
const hostOf = (product: string, region: string): string =>
  `https://${product}.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;

/** Its operations. @throws PaycertError `package-missing` */
async function openAwsKms(config: Config, needs: CloudNeeds): Promise<AwsKms> {
  const { region, address = hostOf('kms', region), tls, auth } = config;
  const { accessKey, webIdentity } = auth;
  const obtain = accessKey
    ? () => readAccessKey(accessKey)
    : whoAssumes(
        webIdentity,
        cloudServer(
          stsEndpoint(
            'AWS STS',
            webIdentity?.address ?? hostOf('sts', region),
            'auth.webIdentity',
            webIdentity?.caFile,
          ),
          needs,
        ),
        needs,
      );
  const keys = new LentKeys<AccessKey>({
    service: 'awskms',
    obtain,
    isRenewedAhead: !accessKey,
    random: Math.random,
    ...needs,
  });
  const sigV4 = await loadSigV4();
  const server = cloudServer({ name: 'AWS KMS', address, tls }, needs);
  return awsKms({ server, keys, sigV4, host: new URL(address).host, region, ...needs });
}

type WebIdentity = Config['auth']['webIdentity'];

/** The schema has made sure that there is one where there is no access key. */
const whoAssumes =
  (identity: WebIdentity, server: Server, { clock }: CloudNeeds) =>
  (signal: AbortSignal) => {
    const { roleArn = '', tokenFile = '', sessionName = defaults.roleSessionName } = identity ?? {};
    return assumeRoleWithWebIdentity({ roleArn, tokenFile, sessionName, server, clock }, signal);
  };

/** Keys there that sign, and those that open what they wrapped. @throws PaycertError `package-missing` */
export async function startAwsKms(config: Config, needs: CloudNeeds) {
  const deadlineMilliseconds = milliseconds(config.deadline ?? defaults.signingDeadline);
  const kms = await openAwsKms(config, needs);
  const keys = new CloudKeys(awsKeys(kms, config.region), { deadlineMilliseconds, ...needs });
  return {
    keys,
    opener: (key: string, context: WrappingContext) => awsOpener(kms, key, context),
    [Symbol.dispose]: () => keys[Symbol.dispose](),
  };
}
