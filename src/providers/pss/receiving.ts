// What a partner signed: requests, each accepted once, and bare messages.
import { Message } from '../../crypto/message.ts';
import { requestInvalid } from '../../errors.ts';
import { acceptOnce, needSigned } from '../partner/freshness.ts';
import { header } from '../shared/http.ts';
import type { Nonces } from '../shared/nonces.ts';
import { confirm, type Trial } from '../shared/tries.ts';
import type { Operations, Received, Verified, Verifier } from '../provider.ts';
import { take } from '../takes.ts';
import { canonicalMessage } from './message.ts';
import { takes } from './takes.ts';

export function receiving(
  verifiers: readonly Verifier[],
  nonces: Nonces,
  ownId: string | undefined,
): Pick<Operations, 'verify' | 'verifiers'> {
  const check = (message: Uint8Array, signature: string, trial: Omit<Trial, 'owner'>): Verified => {
    const claim = { messages: [new Message(message)], signature };
    return { keyId: confirm(verifiers, claim, { ...trial, owner: 'the partner' }).keyId };
  };

  const verifyRequest = (received: Exclude<Received, { kind: 'message' }>, trial: Omit<Trial, 'owner'>): Verified => {
    if (received.kind !== 'notification')
      throw requestInvalid('kind', 'is notification: this scheme signs requests only');
    const { method, url, headers, body } = take(received, takes.verify.request);
    const signed = (name: string): string => needSigned(header(headers, name), name);
    const [signature, timestamp, nonce, host] = [
      signed('x-signature'),
      signed('x-ts'),
      signed('x-nonce'),
      signed('host'),
    ];
    const stamp = { timestamp, nonce, fields: { timestamp: 'x-ts', nonce: 'x-nonce' } };
    const messageOf = (signed: Uint8Array) => canonicalMessage({ method, url, host, timestamp, nonce, body: signed });
    return acceptOnce(nonces, stamp, trial.now, () =>
      check(messageOf(body), signature, { ...trial, transit: { body, messageOf } }),
    );
  };

  return {
    verifiers,
    verify: async (received, now, earlier) =>
      received.kind === 'message'
        ? check(received.message, received.signature, {
            now,
            earlier,
            isNamed: ({ keyId }) => keyId === received.keyId,
            misnamed: () => (received.keyId === ownId ? `this side’s own key id ${ownId}` : undefined),
          })
        : verifyRequest(received, { now, earlier }),
  };
}
