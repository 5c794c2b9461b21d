// A response that was verified, signed again for an SDK: v3 in its headers, v2 in the place of `sign` in its body.
import type { ForwardedResponse, LocalSigner, Resigned } from '../forwarding.ts';
import { charsetOf } from './receiving.ts';
import { readResponse } from './response.ts';
import { responseMessage } from './rest.ts';

export const resign = (response: ForwardedResponse, signer: LocalSigner): Promise<Resigned> =>
  response.apiMethod === undefined ? resignRest(response, signer) : resignGateway(response, response.apiMethod, signer);

async function resignRest({ body }: ForwardedResponse, { now, nonce, sign }: LocalSigner): Promise<Resigned> {
  const timestamp = String(now.getTime());
  const signature = await base64Of(sign(responseMessage(timestamp, nonce, body)));
  const own = { 'alipay-timestamp': timestamp, 'alipay-nonce': nonce, 'alipay-signature': signature };
  // It names a certificate of Alipay's, which did not sign this.
  return { headers: { ...own, 'alipay-sn': undefined }, body };
}

/** Nothing else of the body changes: SDKs find what is signed by its bytes. */
async function resignGateway(
  { headers, body }: ForwardedResponse,
  apiMethod: string,
  { sign }: LocalSigner,
): Promise<Resigned> {
  const { content, signatureAt } = readResponse(body, apiMethod, charsetOf(headers));
  if (signatureAt === undefined) return { headers: {}, body };
  const signature = Buffer.from(`"${await base64Of(sign(content))}"`);
  const [before, after] = [body.subarray(0, signatureAt.start), body.subarray(signatureAt.end)];
  return { headers: {}, body: Buffer.concat([before, signature, after]) };
}

const base64Of = async (signature: Promise<Uint8Array>): Promise<string> =>
  Buffer.from(await signature).toString('base64');
