// What WeChat Pay v2 sends: bodies with `sign`, and refund notifications, whose encrypted part is the only proof they have.
import { hash } from 'node:crypto';
import { atOnce } from '../../crypto/private-key.ts';
import { PaycertError, requestInvalid } from '../../errors.ts';
import { readAs } from '../shared/senders.ts';
import { confirm, open } from '../shared/tries.ts';
import type { Earlier, Opener, Operations, Received, Verifier } from '../provider.ts';
import { take } from '../takes.ts';
import { VerifiedNotification } from '../verified.ts';
import { isUnsignedByDesign, parameterText, signedText } from './messages.ts';
import { takes } from './takes.ts';
import { readXml } from './xml.ts';

/** The `eventType` of a refund: it comes without a signature. */
export const refundType = 'REFUND';

export function receiving(
  verifiers: readonly Verifier[],
  openers: readonly Opener[],
): Pick<Operations, 'verify' | 'verifiers' | 'decrypt' | 'openers' | 'openNotification'> {
  const openSealed = (ciphertext: string, earlier: Earlier | undefined) =>
    open(openers, { ciphertext }, { earlier, turn: atOnce, absent: undecryptable });

  return {
    verifiers,
    openers,

    async verify(received, now, earlier) {
      const parameters = readResponse(received);
      const signature = parameters.get('sign') ?? '';
      if (received.kind === 'notification' && isOwn(parameters))
        throw new PaycertError('message-malformed', 'the body is a request or payment parameters of your own', {
          field: 'body',
        });
      if (signature !== '') {
        const claim = {
          messages: [signedText([...parameters])],
          signature,
          algorithm: parameters.get('sign_type') ?? '',
        };
        return {
          keyId: confirm(verifiers, claim, {
            ...{ now, earlier, owner: 'WeChat Pay' },
            ...('body' in received && { transit: { body: received.body, messageOf: (one) => one } }),
          }).keyId,
        };
      }
      const sealed = readSealed(parameters);
      if (received.kind === 'notification' && sealed !== undefined)
        return { keyId: (await openSealed(sealed, earlier)).keyId };
      if (received.kind === 'response' && parameters.get('return_code') !== 'SUCCESS') throw unsigned();
      throw new PaycertError('signature-missing', 'the body has no sign', { field: 'sign' });
    },

    async decrypt(input, _turn, earlier) {
      return openSealed(take(input, takes.decrypt.resource).ciphertext, earlier);
    },

    async openNotification(notification, earlier) {
      const { body, keyId } = VerifiedNotification.contentOf(notification);
      const parameters = readXml(body);
      const sealed = readSealed(parameters);
      if (sealed !== undefined) {
        const { plaintext, role } = await openSealed(sealed, earlier);
        const refund = readXml(plaintext);
        return { ...describe(refundType, refund), resource: Object.fromEntries(refund), keyId, role };
      }
      const eventType = parameters.has('transaction_id') ? 'TRANSACTION' : 'OTHER';
      return { ...describe(eventType, parameters), resource: Object.fromEntries(parameters), keyId };
    },
  };
}

const undecryptable = () =>
  new PaycertError('decryption-failed', 'the ciphertext cannot be opened with any key that is loaded');

const unsigned = () =>
  new PaycertError('response-unsigned', 'WeChat Pay does not sign this kind of response', { field: 'body' });

function readResponse(received: Received): ReadonlyMap<string, string> {
  if (received.kind === 'message' || received.kind === 'return')
    throw requestInvalid('kind', 'is response or notification: WeChat Pay v2 signs the parameters of a body');
  take(received, takes.verify.http);
  if (received.kind === 'response' && received.url !== undefined && isUnsignedByDesign(received.url)) throw unsigned();
  return readAs('WeChat Pay v2', received, () => readXml(received.body));
}

/** What only a merchant signs: requests, and what paying clients are given. */
const ownNames = ['notify_url', 'spbill_create_ip', 'package', 'partnerid', 'prepayid'];

/** The one key signs both ways, so that what a merchant has signed would verify if it were sent back. */
const isOwn = (parameters: ReadonlyMap<string, string>): boolean =>
  !parameters.has('return_code') && ownNames.some((name) => parameters.has(name));

/** What stands around a refund's `req_info`, unsigned. Anything else beside it could be taken for a signed parameter. */
const aroundRefund = new Set([
  ...['return_code', 'return_msg', 'appid', 'mch_id', 'sub_appid', 'sub_mch_id', 'nonce_str', 'req_info'],
]);

function readSealed(parameters: ReadonlyMap<string, string>): string | undefined {
  return [...parameters.keys()].every((name) => aroundRefund.has(name)) ? parameters.get('req_info') : undefined;
}

/** The platform's own id, else a digest of what does not change when it is sent again. */
function describe(eventType: string, parameters: ReadonlyMap<string, string>) {
  const id = parameters.get(eventType === refundType ? 'refund_id' : 'transaction_id') ?? '';
  const constant = [...parameters].filter(([name]) => name !== 'nonce_str');
  return { id: id === '' ? hash('sha256', parameterText(constant), 'hex').slice(0, 32) : id, eventType };
}
