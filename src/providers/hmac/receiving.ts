// What a partner signed with the shared secret: requests, each accepted once, and bare messages.
import type { KeyObject } from 'node:crypto';
import { equalCodes, hmac, secretId } from '../../crypto/mac.ts';
import { Message } from '../../crypto/message.ts';
import { PaycertError, requestInvalid } from '../../errors.ts';
import { oddForm } from '../../transit.ts';
import { acceptOnce, needSigned } from '../partner/freshness.ts';
import { header, splitUrl } from '../shared/http.ts';
import { formPairs } from '../shared/parameters.ts';
import { confirm } from '../shared/tries.ts';
import type { Claim, Earlier, KeyFacts, Operations, Received, Verified, Verifier } from '../provider.ts';
import { take } from '../takes.ts';
import type { Settings } from './options.ts';
import { ambiguousName, authorizationPrefix, type Memory, signedText } from './parameters.ts';
import { type Scheme, schemes } from './schemes.ts';
import { takes } from './takes.ts';

/** What is signed is hashed once for each key, and encoding makes it three times as long. */
const maxFormBytes = 256 * 1024;

/** Of a claim over bare bytes, whose signature is base64; a request's is written as its scheme says. */
const bare = 'HMAC-SHA256';

export function receiving(
  keys: readonly { readonly key: KeyObject; readonly facts: KeyFacts }[],
  options: Settings,
  memory: Memory,
): Pick<Operations, 'verify' | 'verifiers'> {
  const { keyId, scheme } = options;
  const { names, code } = schemes[scheme];

  const isBy = (key: KeyObject, text: Uint8Array, { signature, algorithm }: Claim): boolean =>
    algorithm === bare
      ? equalCodes(hmac('sha256', key, text), Buffer.from(signature, 'base64'))
      : equalCodes(Buffer.from(code(key, text)), Buffer.from(signature));

  const verifiers = keys.map(({ key, facts }): Verifier => ({
    facts,
    id: secretId(key),
    confirm: (claim) => (claim.messages.some(({ bytes }) => isBy(key, bytes, claim)) ? 0 : undefined),
  }));

  const check = (named: string, claim: Claim, now: Date, earlier: Earlier | undefined): Verified => {
    if (named !== keyId) throw new PaycertError('key-id-unknown', 'the signature names another key id');
    confirm(verifiers, claim, { now, earlier, owner: 'the partner' });
    return { keyId };
  };

  const verifyRequest = (received: Exclude<Received, { kind: 'message' }>, now: Date, earlier?: Earlier): Verified => {
    const { headers = {}, url, method } = readRequest(received, scheme);
    const { path, query } = splitUrl(url);
    if (received.body.byteLength > maxFormBytes) {
      const message = `the body is longer than ${maxFormBytes} bytes, more than parameters are`;
      throw new PaycertError('message-malformed', message, { field: 'body' });
    }
    const oddity = oddForm(received.body);
    if (oddity !== undefined) throw new PaycertError('message-malformed', `the body ${oddity}`, { field: 'body' });
    const pairs = [...formPairs(query, 'url'), ...formPairs(received.body, 'body')];
    const values = new Map(pairs);
    if (values.size < pairs.length) {
      // Of two values, each side may take another one.
      throw new PaycertError('message-malformed', 'a parameter stands twice', { field: 'body' });
    }
    const ambiguous = ambiguousName(options, pairs);
    if (ambiguous !== undefined) {
      const message = `${ambiguous} holds & and =, which this scheme signs like two parameters`;
      throw new PaycertError('message-malformed', message, { field: 'body' });
    }
    const authorization = header(headers, 'authorization');
    const inHeader =
      authorization?.startsWith(authorizationPrefix) === true
        ? authorization.slice(authorizationPrefix.length)
        : undefined;
    const signature = needSigned(
      names.signature === undefined ? inHeader : values.get(names.signature),
      names.signature ?? 'authorization',
    );
    const stamp = {
      timestamp: needSigned(values.get(names.timestamp), names.timestamp),
      nonce: needSigned(values.get(names.nonce), names.nonce),
      fields: { timestamp: names.timestamp, nonce: names.nonce },
    };
    const named = needSigned(values.get(names.keyId), names.keyId);
    if (memory.own.has(stamp.nonce, now))
      throw new PaycertError('nonce-seen', 'it is a request of your own', { field: names.nonce });
    return acceptOnce(memory.partner, stamp, now, () => {
      const messages = [new Message(signedText(options, pairs, { method, path }))];
      return check(named, { messages, signature }, now, earlier);
    });
  };

  return {
    verifiers,
    async verify(received, now, earlier) {
      if (received.kind !== 'message') return verifyRequest(received, now, earlier);
      const { message, signature } = received;
      return check(received.keyId, { messages: [new Message(message)], signature, algorithm: bare }, now, earlier);
    },
  };
}

/** Only requests are signed. The request scheme covers method and path as well. */
function readRequest(received: Exclude<Received, { kind: 'message' }>, scheme: Scheme) {
  if (received.kind !== 'notification')
    throw requestInvalid('kind', 'is notification: this scheme signs requests only');
  if (scheme !== 'request') return { method: 'POST', url: '/', ...take(received, takes.verify['other schemes']) };
  return take(received, takes.verify['scheme request']);
}
