// What Alipay signed, and with which of its keys: responses of v2 and v3, notifications, and the return of the paying user.
import { Message } from '../../crypto/message.ts';
import { PaycertError, requestInvalid } from '../../errors.ts';
import { oddForm } from '../../transit.ts';
import { type PlatformKey, publicVerifier } from '../shared/facts.ts';
import { header } from '../shared/http.ts';
import type { Pair } from '../shared/parameters.ts';
import { readAs } from '../shared/senders.ts';
import { confirm, type Transit } from '../shared/tries.ts';
import type { Claim, Earlier, OpenedNotification, Operations, Received, Verified } from '../provider.ts';
import { take, type Taken } from '../takes.ts';
import { VerifiedNotification } from '../verified.ts';
import { decodeFields, parseForm, signedText } from './form.ts';
import type { AlipayOptions } from './options.ts';
import { readResponse, type Response } from './response.ts';
import { readResponseSignature, responseMessage } from './rest.ts';
import { isSignType, schemeOf } from './schemes.ts';
import { takes } from './takes.ts';

type Http = Exclude<Received, { kind: 'message' }>;

/** SNs that requests name: of the app's certificates, and of the roots together. */
export interface OwnSerials {
  readonly app: readonly string[];
  readonly root: string | undefined;
}

function misnamed({ app, root }: OwnSerials, keyId = ''): string | undefined {
  const serial = keyId.toLowerCase();
  if (app.includes(serial)) return `the app’s own SN ${serial}`;
  return root?.split('_').some((one) => serial.split('_').includes(one)) === true
    ? 'the SN of the roots, `alipay_root_cert_sn`'
    : undefined;
}

/** An SN: nothing else may be shown as the name of a key. */
const serialIn = (keyId = ''): string | undefined => /^[0-9a-f]{32}$/i.exec(keyId)?.[0].toLowerCase();

/** What was received, read once. */
interface Reading extends Claim {
  readonly keyId: string | undefined;
  /** Names of the rules that the messages follow, in their order. */
  readonly rules?: readonly string[];
  readonly transit?: Transit;
}

export function receiving(
  keys: readonly PlatformKey[],
  { appId, mode }: Pick<AlipayOptions, 'appId' | 'mode'>,
  own: OwnSerials,
): Pick<Operations, 'verify' | 'verifiers' | 'openNotification'> {
  const verifiers = keys.map((key) => publicVerifier(key, schemeOf(key.publicKey).suite));

  /** With the key that is named; where none is, with every one that has not expired. */
  const check = (
    { keyId, rules, transit, ...claim }: Reading,
    named: string | undefined,
    now: Date,
    earlier: Earlier | undefined,
  ): Verified => {
    const isNamed = (facts: { readonly keyId: string }) => keyId === undefined || facts.keyId === keyId.toLowerCase();
    const trial = {
      now,
      earlier,
      owner: 'Alipay',
      isNamed,
      named,
      misnamed: () => misnamed(own, keyId),
      ...(transit && { transit }),
    };
    const { at, ...verified } = confirm(verifiers, claim, trial);
    const rule = rules?.[at];
    return rule === undefined ? verified : { ...verified, rule };
  };

  return {
    verifiers,
    async verify(received, now, earlier) {
      const reading = readOwn(received, now, mode);
      // Of bytes that a caller has taken apart, its key id is whatever it says.
      const named = received.kind === 'message' ? undefined : serialIn(reading.keyId);
      return check(reading, named, now, earlier);
    },
    openNotification: async (notification) => readNotification(VerifiedNotification.contentOf(notification), appId),
  };
}

const readOwn = (received: Received, now: Date, mode: AlipayOptions['mode']): Reading =>
  received.kind === 'message' ? read(received, now, mode) : readAs('Alipay', received, () => read(received, now, mode));

function read(received: Received, now: Date, mode: AlipayOptions['mode']): Reading {
  switch (received.kind) {
    case 'message':
      return {
        messages: [new Message(received.message)],
        signature: received.signature,
        keyId: received.keyId,
      };
    case 'notification': {
      const { body } = take(received, takes.verify.notification);
      const oddity = oddForm(body);
      if (oddity !== undefined) throw new PaycertError('message-malformed', `the body ${oddity}`, { field: 'body' });
      return { ...readForm(parseForm(body, 'body'), 'body', mode), transit: { body, messageOf: (one) => one } };
    }
    case 'return':
      return readForm(readReturn(received), 'url', mode);
    case 'response':
      assertNamed(received);
      return received.apiMethod === undefined
        ? readRest(take(received, takes.verify.v3), now, mode)
        : readGateway(take(received, takes.verify.v2), mode);
  }
}

/** A response of v2 has no signature in its headers: without the name of its call it would be read as one of v3. */
function assertNamed({ apiMethod, headers = {}, body }: Http): void {
  if (apiMethod !== undefined || header(headers, 'alipay-signature') !== undefined) return;
  const start = Buffer.from(body.buffer, body.byteOffset, Math.min(body.byteLength, 160)).toString('latin1');
  const [, member] = /^\s*\{\s*"(\w{1,128})_response"\s*:/.exec(start) ?? [];
  if (member === undefined) return;
  const meant = member === 'error' ? '' : `, which here is ${member.replaceAll('_', '.')}`;
  throw requestInvalid('apiMethod', `is missing: a response of v2 is verified by the name of its call${meant}`);
}

/** v2: one member of the body is signed, and another names the certificate. */
function readGateway(received: Taken<Http, typeof takes.verify.v2>, mode: AlipayOptions['mode']): Reading {
  const { content, bare, signature, certificateSerial, report } = responseOf(received);
  if (signature === undefined) {
    if (report().isFailure) throw unsigned('body');
    throw new PaycertError('signature-missing', 'the body reports a success and has no sign', { field: 'sign' });
  }
  return {
    // The gateway has signed with bare slashes what it sent with escaped ones; Alipay's own SDK tries both.
    messages: [content, ...(bare === undefined ? [] : [bare])].map((bytes) => new Message(bytes)),
    signature,
    keyId: mode === 'certificate' ? certificateSerial : undefined,
    transit: { body: received.body, messageOf: (body) => responseOf({ ...received, body }).content },
  };
}

/** What stands before the gateway reports its errors as pages: with a status, and in no form that is Alipay’s. */
function responseOf({ body, headers = {}, apiMethod, status = 200 }: Taken<Http, typeof takes.verify.v2>): Response {
  try {
    return readResponse(body, apiMethod, charsetOf(headers));
  } catch (error) {
    throw status >= 300 && error instanceof PaycertError ? unsigned('body') : error;
  }
}

export const charsetOf = (headers: Readonly<Record<string, string>>): string | undefined =>
  /charset\s*=\s*"?([A-Za-z0-9_-]{1,20})/i.exec(header(headers, 'content-type') ?? '')?.[1];

/** v3: headers and the whole body. Errors may come unsigned. */
function readRest(received: Taken<Http, typeof takes.verify.v3>, now: Date, mode: AlipayOptions['mode']): Reading {
  const { body, headers, status = 200 } = received;
  if (status >= 300 && header(headers, 'alipay-signature') === undefined) throw unsigned('headers');
  const { timestamp, nonce, signature, keyId } = readResponseSignature(headers, now, mode);
  const messageOf = (signed: Uint8Array) => responseMessage(timestamp, nonce, signed);
  return { messages: [new Message(messageOf(body))], signature, keyId, transit: { body, messageOf } };
}

/**
 * V1 leaves `sign` and `sign_type` out, V2 only `sign`; the name of the certificate is signed in neither. Documents
 * disagree about empty values: without them first, then with them (protocols 2.4).
 */
function readForm(fields: readonly Pair[], field: string, mode: AlipayOptions['mode']): Reading {
  const values = new Map(fields);
  const valueOf = (name: string) => values.get(name) ?? '';
  const [signature, signType, serial] = [valueOf('sign'), valueOf('sign_type'), valueOf('alipay_cert_sn')];
  if (signature === '') throw new PaycertError('signature-missing', `${field} has no sign`, { field: 'sign' });
  if (signType !== '' && !isSignType(signType)) {
    const message = `${field} is signed with another algorithm than RSA2`;
    throw new PaycertError('signature-algorithm-unsupported', message, { field: 'sign_type' });
  }
  const v2 = fields.filter(([name]) => name !== 'sign' && name !== 'alipay_cert_sn');
  const v1 = v2.filter(([name]) => name !== 'sign_type');
  const rules = new Map<string, string>();
  for (const [index, signed] of [v1, v2].entries()) {
    const filled = signed.filter(([, value]) => value !== '');
    for (const some of filled.length === signed.length ? [signed] : [filled, signed]) {
      const text = signedText(some).toString('latin1');
      if (!rules.has(text)) rules.set(text, `V${index + 1}`);
    }
  }
  return {
    messages: [...rules.keys()].map((text) => new Message(Buffer.from(text, 'latin1'))),
    rules: [...rules.values()],
    signature,
    keyId: mode === 'certificate' && serial !== '' ? serial : undefined,
  };
}

/** The query is the form; what a router cut off or put in makes another one. */
function readReturn(received: Http): readonly Pair[] {
  const { url, body } = take(received, takes.verify.return);
  if (body.byteLength > 0) {
    throw new PaycertError('request-invalid', 'body is nothing that a return has: its query is the form', {
      field: 'body',
    });
  }
  const [, query = ''] = /\?([^#]*)/s.exec(url) ?? [];
  return parseForm(Buffer.from(query), 'url');
}

type Content = ReturnType<typeof VerifiedNotification.contentOf>;

/** The parameters of a notification, decoded once. `notify_id` is stable across retries. */
function readNotification({ body, keyId }: Content, appId: string): OpenedNotification {
  const parameters = decodeFields(parseForm(body, 'body'), 'body');
  const { app_id: meantFor, notify_id: id = '', notify_type: type, service, msg_method: method } = parameters;
  if (meantFor !== undefined && meantFor !== appId) {
    throw new PaycertError('notification-misdirected', 'app_id is not the `appId` of this credential', {
      field: 'app_id',
    });
  }
  return { id, eventType: type ?? method ?? service ?? '', resource: parameters, keyId };
}

const unsigned = (field: string) => new PaycertError('response-unsigned', 'Alipay did not sign this error', { field });
