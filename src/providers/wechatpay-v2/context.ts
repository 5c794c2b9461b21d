// The operations that one APIv2 key allows.
import { hash, type KeyObject, type X509Certificate } from 'node:crypto';
import { checkValue } from '../../crypto/cipher.ts';
import { PaycertError } from '../../errors.ts';
import { certificateFacts, isAlive } from '../shared/facts.ts';
import { splitUrl } from '../shared/http.ts';
import { need, takeOnly, takeReceived } from '../shared/inputs.ts';
import { joinPairs, type Pair, percentEncode } from '../shared/parameters.ts';
import type { KeyFacts, Received, RequestToAuthorize, SigningContext, Verified } from '../provider.ts';
import type { Role } from '../roles.ts';
import { VerifiedNotification } from '../verified.ts';
import { makeIdentity, oneIdentity, type TlsIdentity, withoutRevocation } from '../shared/tls-identity.ts';
import {
  isSignType,
  isUnsignedByDesign,
  openRefund,
  parameterText,
  refundKey,
  signParameters,
  type SignType,
  verifyParameters,
} from './messages.ts';
import { readXml, writeXml } from './xml.ts';

export interface WechatpayV2Options {
  /** Digits; signed as `mch_id`. */
  readonly merchantId: string;
  /** Signed as `appid` where the caller names none. */
  readonly appId?: string;
}

/** Key and certificate of the merchant, for TLS. */
export interface ClientPair {
  readonly privateKey: KeyObject;
  readonly certificate: X509Certificate;
}

export interface FitParts {
  readonly key: KeyObject;
  readonly previous?: KeyObject;
  readonly client?: ClientPair;
}

interface Secret {
  readonly key: KeyObject;
  readonly refundKey: KeyObject;
  readonly facts: KeyFacts;
}

const secret = (key: KeyObject, role: Role): Secret => {
  const keyId = checkValue(key);
  return { key, refundKey: refundKey(key), facts: { role, keyId, algorithm: 'APIv2 key', fingerprint: keyId } };
};

const invalid = (field: string, message: string) =>
  new PaycertError('request-invalid', `${field} ${message}`, { field });

/** Interfaces differ in what they call the merchant and the app. */
const merchantNames = ['mch_id', 'mchid', 'combine_mch_id'];
const appNames = ['appid', 'mch_appid', 'wxappid', 'combine_appid'];

export function createContext({ key, previous, client }: FitParts, options: WechatpayV2Options): SigningContext {
  const { merchantId } = options;
  const current = secret(key, 'apiv2');
  // The order in which they are tried.
  const secrets = previous === undefined ? [current] : [current, secret(previous, 'apiv2-previous')];
  const clientFacts = client && certificateFacts(client.certificate, 'merchant');

  /** What the caller gives, and what every request has. A parameter that is given empty is left out. */
  const complete = (parameters: Readonly<Record<string, string>>, nonce: string): Pair[] => {
    const names = Object.keys(parameters);
    const foreign = merchantNames.find((name) => (parameters[name] ?? '') !== '' && parameters[name] !== merchantId);
    if (foreign !== undefined) throw invalid(`parameters.${foreign}`, 'is not the merchant of this credential');
    if (names.includes('sign')) throw invalid('parameters.sign', 'is set by paycert');
    const lacks = (known: readonly string[]) => !known.some((name) => names.includes(name));
    return Object.entries({
      ...(lacks(appNames) && options.appId !== undefined && { appid: options.appId }),
      ...(lacks(merchantNames) && { mch_id: merchantId }),
      nonce_str: nonce,
      ...parameters,
    }).filter(([, value]) => value !== '');
  };

  const open = (sealed: string) => {
    for (const { refundKey: opener, facts } of secrets) {
      const plaintext = openRefund(opener, sealed);
      // ECB authenticates nothing, and some bytes open with any key: only XML that can be read counts.
      if (plaintext !== undefined && isXml(plaintext)) return { plaintext, keyId: facts.keyId, role: facts.role };
    }
    throw undecryptable();
  };

  return {
    keys: [...secrets.map(({ facts }) => facts), ...(clientFacts ? [clientFacts] : [])],
    problems: [],
    namesNoKey: true,
    signer: { facts: current.facts },
    // The key has no end, and most calls need no certificate.
    capabilities: () => new Set(['sign', 'verify', 'decrypt']),
    warnings: (now) => (clientFacts === undefined || isAlive(clientFacts, now) ? [] : [clientExpired()]),
    ...(client && { tls: oneIdentity(clientIdentity(client)) }),

    async authorize(request: RequestToAuthorize, { nonce }) {
      takeOnly(request, ['method', 'url', 'parameters']);
      const method = (request.method ?? 'POST').toUpperCase();
      if (method !== 'POST' && method !== 'GET') throw invalid('method', 'of WeChat Pay v2 is GET or POST');
      const url = need(request, 'url');
      const pairs = complete(need(request, 'parameters'), nonce);
      const named = pairs.find(([name]) => name === 'sign_type')?.[1] ?? 'MD5';
      if (!isSignType(named)) throw invalid('parameters.sign_type', 'is neither MD5 nor HMAC-SHA256');
      const signed: Pair[] = [...pairs, ['sign', signParameters(named, key, pairs)]];
      const { keyId } = current.facts;
      if (method === 'GET') {
        if (splitUrl(url).query !== '') throw invalid('url', 'has a query: parameters hold it');
        return { method, url: `${url}?${joinPairs(signed, percentEncode)}`, headers: {}, keyId };
      }
      const headers = { 'Content-Type': 'text/xml; charset=utf-8' };
      return { method, url, headers, body: Buffer.from(writeXml(signed)), keyId };
    },

    async verify(received: Received): Promise<Verified> {
      const parameters = readResponse(received);
      const sign = parameters.get('sign') ?? '';
      if (sign !== '') {
        const fit = secrets.find((one) => verifyParameters(one.key, [...parameters], sign));
        if (fit === undefined) throw new PaycertError('signature-invalid', 'the signature does not match');
        return { keyId: fit.facts.keyId };
      }
      const sealed = readSealed(parameters);
      if (received.kind === 'notification' && sealed !== undefined) return { keyId: open(sealed).keyId };
      if (received.kind === 'response' && parameters.get('return_code') !== 'SUCCESS') throw unsigned();
      throw new PaycertError('signature-missing', 'the body has no sign', { field: 'sign' });
    },

    async decrypt(input) {
      if ('algorithm' in input) throw invalid('algorithm', 'is nothing that WeChat Pay v2 has: give ciphertext alone');
      return open(input.ciphertext);
    },

    async openNotification(notification) {
      const { body, keyId } = VerifiedNotification.contentOf(notification);
      const parameters = readXml(body);
      const sealed = readSealed(parameters);
      if (sealed !== undefined) {
        const { plaintext, role } = open(sealed);
        const refund = readXml(plaintext);
        return { ...describe('REFUND', refund), resource: Object.fromEntries(refund), keyId, role };
      }
      const eventType = parameters.has('transaction_id') ? 'TRANSACTION' : 'OTHER';
      return { ...describe(eventType, parameters), resource: Object.fromEntries(parameters), keyId };
    },

    async paymentParameters(input, { now, nonce }): Promise<Record<string, string>> {
      takeOnly(input, ['type', 'appId', 'prepayId', 'signType']);
      const [type, prepayId] = [need(input, 'type'), need(input, 'prepayId')];
      const appId = input.appId ?? options.appId;
      if (appId === undefined) throw invalid('appId', 'is missing, and so is appId of the configuration');
      const signType: SignType = input.signType ?? 'MD5';
      const timestamp = String(Math.floor(now.getTime() / 1000));
      const seal = (parameters: Readonly<Record<string, string>>): string =>
        signParameters(signType, key, Object.entries(parameters));
      if (type === 'app') {
        const parameters = {
          appid: appId,
          partnerid: merchantId,
          prepayid: prepayId,
          package: 'Sign=WXPay',
          noncestr: nonce,
          timestamp,
        };
        return { ...parameters, sign: seal(parameters) };
      }
      const parameters = { appId, timeStamp: timestamp, nonceStr: nonce, package: `prepay_id=${prepayId}`, signType };
      return { ...parameters, paySign: seal(parameters) };
    },
  };
}

/** For every server; it trusts whom Node trusts, as WeChat Pay's certificate is a public one. */
const clientIdentity = ({ privateKey, certificate }: ClientPair): TlsIdentity =>
  makeIdentity({
    name: 'apiclient',
    privateKey,
    certificates: [certificate],
    authorities: [],
    minVersion: 'TLSv1.2',
    revocation: withoutRevocation,
  });

const unsigned = () =>
  new PaycertError('response-unsigned', 'WeChat Pay does not sign this kind of answer', { field: 'body' });

const undecryptable = () =>
  new PaycertError('decryption-failed', 'the ciphertext cannot be opened with any key that is loaded');

const clientExpired = () =>
  new PaycertError('client-certificate-expired', 'apiclient_cert.pem has expired', { field: 'apiclient_cert.pem' });

function readResponse(received: Received): ReadonlyMap<string, string> {
  if (received.kind === 'message' || received.kind === 'return')
    throw invalid('kind', 'is response or notification: WeChat Pay v2 signs the parameters of a body');
  takeReceived(received);
  if (received.kind === 'response' && received.url !== undefined && isUnsignedByDesign(received.url)) throw unsigned();
  return readXml(received.body);
}

/** What stands around a refund's `req_info`, unsigned. Anything else beside it could be taken for a signed parameter. */
const aroundRefund = new Set([
  ...['return_code', 'return_msg', 'appid', 'mch_id', 'sub_appid', 'sub_mch_id', 'nonce_str', 'req_info'],
]);

function readSealed(parameters: ReadonlyMap<string, string>): string | undefined {
  return [...parameters.keys()].every((name) => aroundRefund.has(name)) ? parameters.get('req_info') : undefined;
}

function isXml(bytes: Uint8Array): boolean {
  try {
    return readXml(bytes).size > 0;
  } catch (error) {
    if (error instanceof PaycertError) return false;
    throw error;
  }
}

/** The platform's own id, else a digest of what does not change when it is sent again. */
function describe(eventType: string, parameters: ReadonlyMap<string, string>) {
  const id = parameters.get(eventType === 'REFUND' ? 'refund_id' : 'transaction_id') ?? '';
  const constant = [...parameters].filter(([name]) => name !== 'nonce_str');
  return { id: id === '' ? hash('sha256', parameterText(constant), 'hex').slice(0, 32) : id, eventType };
}
