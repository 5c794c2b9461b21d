// What the platform sends: responses, notifications and bare messages, verified with the key that each names, then opened.
import { createHash } from 'node:crypto';
import { Message } from '../../crypto/message.ts';
import { atOnce } from '../../crypto/private-key.ts';
import { PaycertError } from '../../errors.ts';
import { publicVerifier } from '../shared/facts.ts';
import { header, withoutHeaders } from '../shared/http.ts';
import { readPlaintext } from '../shared/plaintext.ts';
import { readAs } from '../shared/senders.ts';
import { confirm, open, type Trial } from '../shared/tries.ts';
import type { SignedHash } from '../forwarding.ts';
import type { Opener, Operations, Received, Verified } from '../provider.ts';
import { take, type Taken } from '../takes.ts';
import { VerifiedNotification } from '../verified.ts';
import { aeadAlgorithm, readEnvelope } from './envelope.ts';
import { assertNoProbe, isUnsignedByDesign, readResponseSignature, responseMessage } from './messages.ts';
import { isSameKeyId, type PlatformKeys } from './platform-keys.ts';
import { schemeOf } from './schemes.ts';
import { noApiV3Key } from './sealing.ts';
import { takes } from './takes.ts';

/** As WeChat Pay names its keys; neither an APIv2 nor an APIv3 key is so long. */
const publicKeyId = /^(?:[0-9A-F]{40}|PUB_KEY_ID_[0-9]{20,40})$/;

export function receiving(
  platform: PlatformKeys,
  openers: readonly Opener[],
  ownSerials: readonly string[],
): Pick<Operations, 'verify' | 'verifiers' | 'openNotification'> {
  const verifiers = platform.all.map((key) => publicVerifier(key, schemeOf(key.publicKey).suite));

  const check = (
    message: Uint8Array,
    { signature, keyId }: { readonly signature: string; readonly keyId: string },
    about: Pick<Trial, 'now' | 'earlier' | 'transit'>,
  ): Verified => {
    const isNamed = (facts: { readonly keyId: string }) => isSameKeyId(facts.keyId, keyId);
    const named = publicKeyId.test(keyId) ? keyId : undefined;
    // Fields are opened with keys of the merchant's: those of earlier sets are known by them.
    const isOwn = () =>
      ownSerials.some((serial) => isSameKeyId(serial, keyId)) ||
      about.earlier?.openers.some(({ facts }) => facts.role.startsWith('merchant') && isNamed(facts)) === true;
    const misnamed = () => (isOwn() ? ['the merchant’s own serial number', ...(named ? [named] : [])].join(' ') : undefined); // prettier-ignore
    const trial = { ...about, owner: 'WeChat Pay', isNamed, named, misnamed };
    return { keyId: confirm(verifiers, { messages: [new Message(message)], signature }, trial).keyId };
  };

  return {
    verifiers,

    async verify(received, now, earlier) {
      if (received.kind === 'message') {
        assertNoProbe(received.signature);
        return check(received.message, received, { now, earlier });
      }
      const response = readAs('WeChat Pay APIv3', received, () => readResponse(received));
      const signed = readAs('WeChat Pay APIv3', response, () => {
        assertSigned(response);
        return readResponseSignature(response.headers, now);
      });
      const messageOf = (body: Uint8Array) => responseMessage(signed.timestamp, signed.nonce, body);
      const transit = { body: response.body, messageOf };
      return check(messageOf(signedBody(response)), signed, { now, earlier, transit });
    },

    async openNotification(notification, earlier) {
      const { body, keyId } = VerifiedNotification.contentOf(notification);
      const { id, eventType, resource } = readEnvelope(body);
      if (resource.algorithm !== aeadAlgorithm) {
        throw new PaycertError('notification-malformed', `the resource is not encrypted with ${aeadAlgorithm}`, {
          field: 'resource',
        });
      }
      const { plaintext, role } = await open(openers, resource, {
        ...{ earlier, turn: atOnce, absent: noApiV3Key, key: 'apiv3_key' },
      });
      return { id, eventType, resource: readPlaintext(plaintext), keyId, role };
    },
  };
}

type Response = Taken<Exclude<Received, { kind: 'message' }>, typeof takes.verify.http>;

/** WeChat Pay signs in headers, and sends no user back with a signature. */
function readResponse(received: Exclude<Received, { kind: 'message' }>): Response {
  if (received.kind === 'return') {
    throw new PaycertError('request-invalid', 'WeChat Pay does not sign kind "return"', { field: 'kind' });
  }
  return take(received, takes.verify.http);
}

/** Errors may come unsigned, and some downloads always do: neither is forged, and neither is proof of anything. */
function assertSigned({ kind, headers, status = 200, url }: Response): void {
  if (kind !== 'response' || header(headers, 'wechatpay-signature') !== undefined) return;
  if (status >= 300 || (url !== undefined && isUnsignedByDesign(url))) {
    throw new PaycertError('response-unsigned', 'WeChat Pay does not sign this kind of response', { field: 'headers' });
  }
}

const statementHash = 'wechatpay-statement-sha1';

/** Of a statement that is not read as a whole: its hash, and the text that is signed for it. */
export function signedHash({ headers }: Pick<Response, 'headers'>): SignedHash | undefined {
  const sha1 = header(headers, statementHash);
  if (sha1 === undefined) return undefined;
  const signed = { headers: withoutHeaders(headers, [statementHash]), body: Buffer.from(JSON.stringify({ sha1 })) };
  return { algorithm: 'sha1', digest: sha1.toLowerCase(), signed };
}

/** Overseas statements sign {"sha1":"…"} of the download, named in a header, instead of the download itself. */
export function signedBody({ kind, headers, body }: Pick<Response, 'kind' | 'headers' | 'body'>): Uint8Array {
  const sha1 = kind === 'response' ? header(headers, statementHash) : undefined;
  if (sha1 === undefined) return body;
  if (createHash('sha1').update(body).digest('hex') !== sha1.toLowerCase()) {
    const isPacked = body[0] === 0x1f && body[1] === 0x8b;
    const advice = isPacked ? ': it is packed with gzip, and the hash is that of the unpacked text' : '';
    throw new PaycertError('signature-invalid', `the statement is not the one whose hash is signed${advice}`);
  }
  return Buffer.from(JSON.stringify({ sha1 }));
}
