// What the platform sends: answers, notifications and bare messages, verified with the key that each names.
import { createHash } from 'node:crypto';
import { verifyRsaSha256 } from '../../crypto/signature.ts';
import { PaycertError } from '../../errors.ts';
import { header } from '../shared/http.ts';
import { need, takeReceived } from '../shared/inputs.ts';
import type { Received, SigningContext } from '../provider.ts';
import { responseMessage, assertNoProbe, isUnsignedByDesign, readResponseSignature } from './messages.ts';
import type { PlatformKeys } from './platform-keys.ts';

export function createVerify(platform: PlatformKeys): NonNullable<SigningContext['verify']> {
  const verifyMessage = (message: Uint8Array, signature: string, keyId: string, now: Date) => {
    if (platform.alive(now).length === 0)
      throw new PaycertError('no-platform-key', 'there is no platform key that is valid');
    const key = platform.find(keyId, now);
    if (key === undefined)
      throw new PaycertError('key-id-unknown', 'no platform key has the id that the signature names');
    if (!verifyRsaSha256(key.publicKey, message, Buffer.from(signature, 'base64'))) {
      throw new PaycertError('signature-invalid', 'the signature does not match');
    }
    return { keyId: key.keyId };
  };

  return async (received: Received, now: Date) => {
    if (received.kind === 'message') {
      assertNoProbe(received.signature);
      return verifyMessage(received.message, received.signature, received.keyId, now);
    }
    const answer = readResponse(received);
    assertSigned(answer);
    const { timestamp, nonce, signature, keyId } = readResponseSignature(answer.headers, now);
    return verifyMessage(responseMessage(timestamp, nonce, signedBody(answer)), signature, keyId, now);
  };
}

type Answer = Exclude<Received, { kind: 'message' }> & { readonly headers: Readonly<Record<string, string>> };

/** WeChat Pay signs in headers, and sends no user back with a signature. */
function readResponse(received: Exclude<Received, { kind: 'message' }>): Answer {
  takeReceived(received);
  if (received.kind === 'return') {
    throw new PaycertError('request-invalid', 'kind return is nothing that WeChat Pay signs', { field: 'kind' });
  }
  return { ...received, headers: need(received, 'headers') };
}

/** Errors may come unsigned, and some downloads always do: neither is forged, and neither is proof of anything. */
function assertSigned({ kind, headers, status = 200, url }: Answer): void {
  if (kind !== 'response' || header(headers, 'wechatpay-signature') !== undefined) return;
  if (status >= 300 || (url !== undefined && isUnsignedByDesign(url))) {
    throw new PaycertError('response-unsigned', 'WeChat Pay does not sign this kind of answer', { field: 'headers' });
  }
}

/** Overseas statements sign {"sha1":"…"} of the download, named in a header, instead of the download itself. */
function signedBody({ kind, headers, body }: Answer): Uint8Array {
  const sha1 = kind === 'response' ? header(headers, 'wechatpay-statement-sha1') : undefined;
  if (sha1 === undefined) return body;
  if (createHash('sha1').update(body).digest('hex') !== sha1.toLowerCase()) {
    throw new PaycertError('signature-invalid', 'the statement is not the one whose hash is signed');
  }
  return Buffer.from(JSON.stringify({ sha1 }));
}
