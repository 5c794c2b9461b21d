// A response that was verified, signed again for an SDK: the code in the place of `sign`, made with another APIv2 key.
import type { ForwardedResponse, LocalSigner, Resigned } from '../forwarding.ts';
import { signParameters, signTypeOf } from './messages.ts';
import { readXml } from './xml.ts';

/** Nothing else of the XML changes. */
export function resign({ body }: ForwardedResponse, { secret }: LocalSigner): Resigned {
  const elements = readXml(body);
  const given = elements.get('sign') ?? '';
  const code = signParameters(signTypeOf(elements.get('sign_type') ?? '', given), secret, [...elements]);
  // A text cannot hold the code that is made of it, so there is one place; none where its characters are written as references.
  const at = given === '' ? -1 : Buffer.from(body).indexOf(given);
  if (at < 0) return { headers: {}, body };
  const parts = [body.subarray(0, at), Buffer.from(code), body.subarray(at + given.length)];
  return { headers: {}, body: Buffer.concat(parts) };
}
