// One Alipay credential whose certificates are asked for by their SN.
import type { TestContext } from 'node:test';
import { certificateBySerial } from '../../src/providers/alipay/downloaded.ts';
import { alipay } from '../../src/providers/alipay/provider.ts';
import type { AlipayKey } from '../../src/testing/alipay-material.ts';
import { makeGatewayResponse } from '../../src/testing/alipay-message.ts';
import type { Files } from '../../src/testing/secret-volume.ts';
import { appId, now } from './alipay.ts';
import { Downloading, name } from './downloading.ts';

const apiMethod = 'alipay.trade.query';
const content = '{"code":"10000","trade_status":"TRADE_SUCCESS"}';

export class Asking extends Downloading {
  constructor(t: TestContext, files: Files) {
    super(t, { files, platform: 'alipay', now });
  }

  decorated(address: string, application = appId) {
    const provider = alipay({ appId: application, mode: 'certificate' });
    const destinations = [{ origin: 'https://openapi.alipay.com', address }];
    const options = { credential: name, provider, bySerial: certificateBySerial, destinations };
    return { provider, source: this.certificates.addAsked(this.source, options) };
  }

  /** Verifies a response of v2 that Alipay signed with that key. */
  verify(alipayKey: AlipayKey): Promise<string> {
    return this.keyOf({ kind: 'response', apiMethod, body: makeGatewayResponse(apiMethod, content, { alipayKey }) });
  }
}
