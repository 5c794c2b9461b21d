// Aliyun KMS of a configuration: where it is, who we are to it, and what signs and opens there. Requests are signed as our own provider signs them.
import { defaults, milliseconds } from '../config/defaults.ts';
import type { KeyServicesConfig } from '../config/schema/key-services.ts';
import { aliyunKeys } from '../keys/aliyun-kms.ts';
import { aliyunOpener } from '../keys/aliyun-opener.ts';
import { CloudKeys } from '../keys/cloud-keys.ts';
import type { WrappingContext } from '../keys/opener.ts';
import { randomNonce } from '../nonce.ts';
import { type Acs3, type AliyunKms, aliyunKms } from '../origins/aliyun/kms.ts';
import { assumeRoleWithOidc } from '../origins/aliyun/oidc-role.ts';
import { type AccessKey, readAccessKey } from '../origins/cloud/access-key.ts';
import { LentKeys } from '../origins/cloud/lent-keys.ts';
import type { Server } from '../origins/server.ts';
import { platforms } from '../providers/registry.ts';
import { type CloudNeeds, cloudServer, stsEndpoint } from './cloud-server.ts';

type Config = NonNullable<KeyServicesConfig['aliyunkms']>;

const hostOf = (product: string, region: string): string => `https://${product}.${region}.aliyuncs.com`;

/** Each key is loaded once, as a set of files of the provider. */
export function acs3Of({ clock }: Pick<CloudNeeds, 'clock'>, nonce: () => string): Acs3 {
  const loaded = new WeakMap<AccessKey, ReturnType<typeof load>>();
  return async ({ url, action, headers }, key) => {
    const loading = loaded.get(key) ?? load(key);
    loaded.set(key, loading);
    const { authorize } = (await loading).operations;
    if (authorize === undefined) throw new TypeError('an access key that was read signs nothing');
    const request = { method: 'POST', url, apiMethod: action, headers };
    return authorize(request, { now: clock.now(), nonce: nonce() });
  };
}

async function load({ id, secret, token }: AccessKey) {
  const parts = { access_key_id: id, access_key_secret: secret, ...(token !== undefined && { security_token: token }) };
  const files = new Map(Object.entries(parts).map(([name, text]) => [name, Buffer.from(text)]));
  const context = await platforms.aliyun.create({}).load(files);
  const [problem] = context.set.problems;
  if (problem !== undefined) throw problem;
  return context;
}

/** Its operations. */
function openAliyunKms(config: Config, needs: CloudNeeds): AliyunKms {
  const { region, address = hostOf('kms', region), tls, auth } = config;
  const { accessKey, rrsa } = auth;
  const obtain = accessKey
    ? () => readAccessKey(accessKey)
    : whoAssumes(
        rrsa,
        cloudServer(
          stsEndpoint('Aliyun STS', rrsa?.address ?? hostOf('sts', region), 'auth.rrsa', rrsa?.caFile),
          needs,
        ),
        needs,
      );
  const keys = new LentKeys<AccessKey>({
    service: 'aliyunkms',
    obtain,
    isRenewedAhead: !accessKey,
    random: Math.random,
    ...needs,
  });
  const server = cloudServer({ name: 'Aliyun KMS', address, tls }, needs);
  return aliyunKms({ server, keys, acs3: acs3Of(needs, randomNonce), origin: new URL(address).origin });
}

type Rrsa = Config['auth']['rrsa'];

/** The schema has made sure that there is one where there is no access key. */
const whoAssumes =
  (rrsa: Rrsa, server: Server, { clock }: CloudNeeds) =>
  (signal: AbortSignal) => {
    const { roleArn = '', providerArn = '', tokenFile = '', sessionName = defaults.roleSessionName } = rrsa ?? {};
    return assumeRoleWithOidc(
      { roleArn, providerArn, tokenFile, sessionName, server, clock, nonce: randomNonce },
      signal,
    );
  };

/** Keys there that sign, and what opens values with others. */
export function startAliyunKms(config: Config, needs: CloudNeeds) {
  const kms = openAliyunKms(config, needs);
  const deadlineMilliseconds = milliseconds(config.deadline ?? defaults.signingDeadline);
  const keys = new CloudKeys(aliyunKeys(kms), { deadlineMilliseconds, ...needs });
  return {
    keys,
    opener: (key: string, context: WrappingContext) => aliyunOpener(kms, key, context),
    [Symbol.dispose]: () => keys[Symbol.dispose](),
  };
}
