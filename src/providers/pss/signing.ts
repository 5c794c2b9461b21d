// What our private key signs: bytes, and requests with the four headers of the scheme.
import type { PrivateKey } from '../../crypto/private-key.ts';
import { rsaPss } from '../../crypto/suites.ts';
import { seconds } from '../shared/freshness.ts';
import { signedHost, withHeaders } from '../shared/http.ts';
import type { Operations } from '../provider.ts';
import { take } from '../takes.ts';
import { canonicalMessage } from './message.ts';
import { takes } from './takes.ts';

/** `keyId` is sent as `X-App-Id`. */
export const signing = (privateKey: PrivateKey, keyId: string): Pick<Operations, 'sign' | 'authorize'> => ({
  sign: async (message, turn) => ({ signature: await privateKey.sign(rsaPss, message, turn), keyId }),

  async authorize(request, { now, nonce }, turn) {
    const { method: given, url, headers = {}, body = Buffer.alloc(0) } = take(request, takes.authorize.request);
    const method = given.toUpperCase();
    const host = signedHost(url, headers);
    const timestamp = seconds(now);
    const message = canonicalMessage({ method, url, host, timestamp, nonce, body });
    const signature = Buffer.from(await privateKey.sign(rsaPss, message, turn)).toString('base64');
    const sent = { 'X-App-Id': keyId, 'X-Ts': timestamp, 'X-Nonce': nonce, 'X-Signature': signature };
    return { method, url, headers: withHeaders(headers, sent), keyId };
  },
});
