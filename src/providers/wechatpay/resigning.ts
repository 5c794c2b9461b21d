// A response that was verified, signed again for an SDK: the same body, under another key and a new time.
import type { ForwardedResponse, LocalSigner, Resigned } from '../forwarding.ts';
import { seconds } from '../shared/freshness.ts';
import { responseMessage } from './messages.ts';
import { signedBody } from './receiving.ts';
import { rsaScheme } from './schemes.ts';

export async function resign(
  { headers, body }: ForwardedResponse,
  { keyId, nonce, now, sign }: LocalSigner,
): Promise<Resigned> {
  const timestamp = seconds(now);
  const signature = await sign(responseMessage(timestamp, nonce, signedBody({ kind: 'response', headers, body })));
  const own = {
    'wechatpay-timestamp': timestamp,
    'wechatpay-nonce': nonce,
    'wechatpay-serial': keyId,
    'wechatpay-signature': Buffer.from(signature).toString('base64'),
    'wechatpay-signature-type': rsaScheme.name,
  };
  return { headers: own, body };
}
