// Which files of a directory WeChat Pay APIv3 needs, as the certificate tool, the console and people leave them.
import { wireSerial } from '../../crypto/x509.ts';
import { PaycertError } from '../../errors.ts';
import type { Draft, Told } from '../platform.ts';
import { findFiles, type Found, isPair, isSecretKey, namedAlike } from '../shared/found.ts';
import { isPlatformOfWechat } from '../shared/holder.ts';
import { findMerchant } from '../shared/merchant-files.ts';

type Files = ReadonlyMap<string, Uint8Array>;

const isPlatform = ({ certificates: [leaf] }: Found): boolean => leaf !== undefined && isPlatformOfWechat(leaf);

/** The files that a request for APIv3 needs, under the names that the platform gives them. */
export async function draft(files: Files, told: Told): Promise<Draft | undefined> {
  const found = findFiles(files);
  const platform = found.filter(isPlatform);
  const [apiV3Key, previous] = [namedAlike(files, 'apiv3_key'), namedAlike(files, 'apiv3_key.previous')];
  const merchant = await findMerchant(files, found, told);
  if (merchant === undefined) {
    if (platform.length === 0 && apiV3Key === undefined && !files.has('apiclient_key.pem')) return undefined;
    throw new PaycertError('usage', 'no merchant certificate says which merchant this is: give --merchant-id');
  }
  // With an APIv2 key and nothing of APIv3, it is a merchant of v2.
  const isV2 = namedAlike(files, 'apiv2_key') !== undefined && apiV3Key === undefined && platform.length === 0;
  if (isV2) return undefined;
  const privateKeys = found.flatMap(({ privateKey }) => privateKey ?? []);
  const publicKey =
    found.find(({ name, publicKey: key }) => key !== undefined && name === 'pub_key.pem') ??
    found.find(({ publicKey: key }) => key !== undefined && !privateKeys.some((own) => isPair(own, key)));
  const id = found.find(({ text }) => /^PUB_KEY_ID_\w+$/.test(text));
  return {
    options: { merchantId: merchant.merchantId },
    label: merchant.merchantId,
    parts: new Map([
      ...merchant.parts,
      ...(apiV3Key === undefined ? [] : [['apiv3_key', apiV3Key] as const]),
      ...(previous === undefined ? [] : [['apiv3_key.previous', previous] as const]),
      ...platform.map((one) => [platformName(one), one.name] as const),
      ...(publicKey && id
        ? ([
            ['pub_key.pem', publicKey.name],
            ['pub_key_id', id.name],
          ] as const)
        : []),
    ]),
  };
}

const platformName = ({ name, certificates: [leaf] }: Found): string =>
  /^wechatpay_.*\.pem$/.test(name) && isSecretKey(name)
    ? name
    : `wechatpay_${wireSerial(leaf?.serialNumber ?? '')}.pem`;
