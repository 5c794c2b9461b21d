// What Alipay signed, and with which of its keys: answers of v2 and v3, notifications, and the return of the paying user.
import { verifyRsaSha256 } from '../../crypto/signature.ts';
import { PaycertError } from '../../errors.ts';
import { isAlive, type PlatformKey } from '../shared/facts.ts';
import { header } from '../shared/http.ts';
import { need, takeReceived } from '../shared/inputs.ts';
import type { Pair } from '../shared/parameters.ts';
import type { Received, Verified } from '../provider.ts';
import { readResponse } from './response.ts';
import { parseForm, signedText } from './form.ts';
import { responseMessage, readResponseSignature } from './rest.ts';

type Mode = 'certificate' | 'key';

export class Verifier {
  readonly #keys: readonly PlatformKey[];
  readonly #mode: Mode;

  constructor(keys: readonly PlatformKey[], mode: Mode) {
    this.#keys = keys;
    this.#mode = mode;
  }

  /** @throws PaycertError of kind `refused` or `request`; `no-platform-key` */
  verify(received: Received, now: Date): Verified {
    switch (received.kind) {
      case 'message':
        return this.#judge(received.message, received.signature, now, received.keyId);
      case 'notification':
        takeReceived(received);
        return this.#verifyForm(parseForm(received.body, 'body'), 'body', now);
      case 'return':
        return this.#verifyForm(readReturn(received), 'url', now);
      case 'response':
        takeReceived(received, 'apiMethod');
        return received.apiMethod === undefined
          ? this.#verifyRest(received, now)
          : this.#verifyGateway(received.body, received.apiMethod, now);
    }
  }

  /** v2: one member of the body is signed, and another names the certificate. */
  #verifyGateway(body: Uint8Array, apiMethod: string, now: Date): Verified {
    const { content, signature, certificateSerial, isFailure } = readResponse(body, apiMethod);
    if (signature === undefined) {
      if (isFailure) throw unsigned('body');
      throw new PaycertError('signature-missing', 'the body reports a success and has no sign', { field: 'sign' });
    }
    const keyId = this.#mode === 'certificate' ? certificateSerial : undefined;
    try {
      return this.#judge(content, signature, now, keyId);
    } catch (error) {
      // The gateway has signed with bare slashes what it sent with escaped ones; Alipay's own SDK tries both.
      const text = Buffer.from(content).toString('latin1');
      if (!isInvalid(error) || !text.includes('\\/')) throw error;
      return this.#judge(Buffer.from(text.replaceAll('\\/', '/'), 'latin1'), signature, now, keyId);
    }
  }

  /** v3: headers and the whole body. Errors may come unsigned. */
  #verifyRest(received: Exclude<Received, { kind: 'message' }>, now: Date): Verified {
    const { body, status = 200 } = received;
    const headers = need(received, 'headers');
    if (status >= 300 && header(headers, 'alipay-signature') === undefined) throw unsigned('headers');
    const { timestamp, nonce, signature, keyId } = readResponseSignature(headers, now, this.#mode);
    return this.#judge(responseMessage(timestamp, nonce, body), signature, now, keyId);
  }

  /**
   * V1 leaves `sign` and `sign_type` out, V2 only `sign`; the name of the certificate is signed in neither. Documents
   * disagree about empty values: without them first, then with them (protocols 2.4).
   */
  #verifyForm(fields: readonly Pair[], field: string, now: Date): Verified {
    const values = new Map(fields);
    const valueOf = (name: string) => values.get(name) ?? '';
    const [signature, signType, serial] = [valueOf('sign'), valueOf('sign_type'), valueOf('alipay_cert_sn')];
    if (signature === '') throw new PaycertError('signature-missing', `${field} has no sign`, { field: 'sign' });
    if (signType !== '' && signType !== 'RSA2') {
      const message = `${field} is signed with another algorithm than RSA2`;
      throw new PaycertError('signature-algorithm-unsupported', message, { field: 'sign_type' });
    }
    const keyId = this.#mode === 'certificate' && serial !== '' ? serial : undefined;
    const v2 = fields.filter(([name]) => name !== 'sign' && name !== 'alipay_cert_sn');
    const v1 = v2.filter(([name]) => name !== 'sign_type');
    const attempts = [v1, v2].flatMap((signed, index) =>
      [signed.filter(([, value]) => value !== ''), signed].map((some) => ({ some, rule: `V${index + 1}` })),
    );
    let refusal: unknown;
    for (const { some, rule } of attempts) {
      try {
        return { ...this.#judge(signedText(some), signature, now, keyId), rule };
      } catch (error) {
        if (!isInvalid(error)) throw error;
        refusal = error;
      }
    }
    throw refusal;
  }

  /** With the key that is named; where none is, with every one that has not expired. */
  #judge(message: Uint8Array, signature: string, now: Date, keyId: string | undefined): Verified {
    const alive = this.#keys.filter((key) => isAlive(key, now));
    if (alive.length === 0) throw new PaycertError('no-platform-key', 'there is no key of Alipay that is valid');
    const candidates = keyId === undefined ? alive : alive.filter((key) => key.keyId === keyId.toLowerCase());
    if (candidates.length === 0) {
      throw new PaycertError('key-id-unknown', 'no certificate of Alipay has the SN that the signature names');
    }
    const bytes = Buffer.from(signature, 'base64');
    const key = candidates.find(({ publicKey }) => verifyRsaSha256(publicKey, message, bytes));
    if (key === undefined) throw new PaycertError('signature-invalid', 'the signature does not match');
    return { keyId: key.keyId };
  }
}

/** The query is the form; what a router cut off or put in makes another one. */
function readReturn(received: Exclude<Received, { kind: 'message' }>): readonly Pair[] {
  takeReceived(received);
  if (received.body.byteLength > 0) {
    throw new PaycertError('request-invalid', 'body is nothing that a return has: its query is the form', {
      field: 'body',
    });
  }
  const [, query = ''] = /\?([^#]*)/s.exec(need(received, 'url')) ?? [];
  return parseForm(Buffer.from(query), 'url');
}

const isInvalid = (error: unknown): boolean => error instanceof PaycertError && error.code === 'signature-invalid';

const unsigned = (field: string) => new PaycertError('response-unsigned', 'Alipay did not sign this error', { field });
