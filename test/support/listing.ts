// One WeChat Pay credential whose platform certificates are listed by its platform.
import type { TestContext } from 'node:test';
import type { PaycertError } from '../../src/errors.ts';
import { certificateList } from '../../src/providers/wechatpay/certificate-list.ts';
import { wechatpay } from '../../src/providers/wechatpay/provider.ts';
import { type PlatformKey, signMessage, type WechatpayMaterial } from '../../src/testing/index.ts';
import type { Files } from '../../src/testing/secret-volume.ts';
import { Downloading, hour, name } from './downloading.ts';
import { merchantId, now } from './wechatpay.ts';

/** What the merchant itself has: none of the platform's certificates. */
export const ownFiles = ({ files }: { readonly files: Files }): Files =>
  new Map([...files].filter(([part]) => !part.startsWith('wechatpay_')));

export class Listing extends Downloading {
  /** Why the key service cannot be used. */
  keyTrouble: PaycertError | undefined;

  constructor(t: TestContext, files: Files) {
    super(t, { files, platform: 'wechatpay', now });
  }

  decorated(address: string, merchant = merchantId) {
    const provider = wechatpay({ merchantId: merchant });
    const destinations = [{ origin: 'https://api.mch.weixin.qq.com', address }];
    const resolve = async () => new Map(this.keyTrouble ? [['apiclient_key.pem', this.keyTrouble]] : []);
    const options = { credential: name, provider, list: certificateList, destinations, resolve, everyMilliseconds: 6 * hour }; // prettier-ignore
    return { provider, source: this.certificates.add(this.source, options) };
  }

  /** Verifies a response that the platform signed with that key. */
  verify(platformKey: PlatformKey): Promise<string> {
    return this.keyOf({ kind: 'response', ...signMessage('{}', { platformKey, now: this.clock.now() }) });
  }
}

export const serialsOf = ({ platformKeys }: Pick<WechatpayMaterial, 'platformKeys'>): readonly string[] =>
  platformKeys.flatMap(({ issued }) => (issued ? [issued.serialNumber] : [])).sort();
