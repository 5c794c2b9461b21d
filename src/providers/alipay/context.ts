// The operations that one set of Alipay keys allows. Made from fit parts only.
import { createPublicKey, type KeyObject } from 'node:crypto';
import { checkValue } from '../../crypto/cipher.ts';
import { signRsaSha256 } from '../../crypto/signature.ts';
import { certificateFingerprint, describeAlgorithm } from '../../crypto/x509.ts';
import { PaycertError } from '../../errors.ts';
import { certificateFacts, expiryWarnings, isAlive, publicFacts, publicKeyFacts } from '../shared/facts.ts';
import { defaultHeaders, header, withHeaders } from '../shared/http.ts';
import { need, takeOnly } from '../shared/inputs.ts';
import type { NamedKey } from '../shared/material.ts';
import type {
  AuthorizedRequest,
  Capability,
  KeyFacts,
  Moment,
  OpenedNotification,
  RequestToAuthorize,
  SigningContext,
} from '../provider.ts';
import { VerifiedNotification } from '../verified.ts';
import { openContent, sealContent } from './content.ts';
import { decodeFields, formatForm, parseForm } from './form.ts';
import { type AlipayOptions, gateways } from './options.ts';
import type { Parts, Roots } from './parts.ts';
import { collectPlatformKeys, partWarnings } from './platform-keys.ts';
import { paymentForms, type Sender, signCall } from './request.ts';
import { authorizationFields, requestMessage, scheme } from './rest.ts';
import { ownCertificate } from './rules.ts';
import { isRsaSigned, rootSerialOf, serialOf } from './serials.ts';
import { Verifier } from './verifier.ts';

const formType = 'application/x-www-form-urlencoded;charset=utf-8';

/** From parts that passed every rule: there is one private key, and what `mode` needs. */
export function createContext(parts: Parts, privateKey: KeyObject, options: AlipayOptions): SigningContext {
  const { appId, mode, gateway = 'production', userAgent = 'paycert' } = options;
  const own = mode === 'certificate' ? ownCertificate(parts)?.leaf : undefined;
  const app: KeyFacts = own ? certificateFacts(own, 'merchant', serialOf(own)) : publicKeyFacts(privateKey, 'merchant');
  const roots = mode === 'certificate' && parts.roots ? [rootFacts(parts.roots)] : [];
  const platformKeys = collectPlatformKeys(parts, mode);
  const verifier = new Verifier(platformKeys, mode);
  const aesKeys = parts.aesKeys.map(aesFacts);
  const aesKey = aesKeys.find(({ facts }) => facts.role === 'aes')?.key;
  const [root] = roots;
  const sender: Sender = { appId, ...(root && { serials: { app: app.keyId, root: root.keyId } }) };
  const loadWarnings = partWarnings(parts, { mode, gateway });

  const signText = async (message: Uint8Array): Promise<string> =>
    (await signRsaSha256(privateKey, message)).toString('base64');

  const authorizeGateway = async (request: RequestToAuthorize, moment: Moment): Promise<AuthorizedRequest> => {
    takeOnly(request, ['apiMethod', 'bizContent', 'parameters', 'appAuthToken']);
    const { query, form } = await signCall(request, { sender, moment, aesKey }, signText);
    return {
      method: 'POST',
      url: `${gateways[gateway]}?${formatForm(query)}`,
      headers: { Accept: 'application/json', 'User-Agent': userAgent, 'Content-Type': formType },
      body: Buffer.from(formatForm(form)),
      keyId: app.keyId,
    };
  };

  const authorizeRest = async (request: RequestToAuthorize, { now, nonce }: Moment): Promise<AuthorizedRequest> => {
    takeOnly(request, ['method', 'url', 'headers', 'body', 'appAuthToken']);
    const { headers = {}, body: given = Buffer.alloc(0) } = request;
    const [method, url] = [need(request, 'method'), need(request, 'url')];
    const appAuthToken = request.appAuthToken ?? header(headers, 'alipay-app-auth-token');
    const sealing = header(headers, 'alipay-encrypt-type');
    const sealWith = { key: aesKey, nonce, field: 'headers.alipay-encrypt-type' };
    const sealed = sealing === undefined ? undefined : Buffer.from(sealContent(given, sealing, sealWith));
    const body = sealed ?? given;
    const fields = authorizationFields(sender, nonce, now);
    const sign = await signText(requestMessage(fields, { method, url, body }, appAuthToken));
    const ownHeaders = {
      'alipay-request-id': header(headers, 'alipay-request-id') ?? nonce,
      ...(sender.serials && { 'alipay-root-cert-sn': sender.serials.root }),
      ...(appAuthToken !== undefined && { 'alipay-app-auth-token': appAuthToken }),
      ...(sealed && { 'Content-Type': 'text/plain' }),
      Authorization: `${scheme} ${fields},sign=${sign}`,
    };
    const defaults = defaultHeaders({ ...headers, ...ownHeaders }, body, userAgent);
    return {
      method: method.toUpperCase(),
      url,
      headers: { ...defaults, ...withHeaders(headers, ownHeaders) },
      ...(sealed && { body: sealed }),
      keyId: app.keyId,
    };
  };

  return {
    keys: [app, ...platformKeys.map(publicFacts), ...roots, ...aesKeys.map(({ facts }) => facts)],
    problems: [],
    namesNoKey: true,
    capabilities(now) {
      const able = new Set<Capability>();
      if (isAlive(app, now)) able.add('sign');
      if (platformKeys.some((key) => isAlive(key, now))) able.add('verify');
      if (aesKeys.length > 0) able.add('decrypt');
      return able;
    },
    warnings: (now) => [...loadWarnings, ...expiryWarnings(platformKeys, now)],
    signer: { facts: app, publicKey: createPublicKey(privateKey) },

    async sign(message) {
      return { signature: await signRsaSha256(privateKey, message), keyId: app.keyId };
    },

    authorize: (request, moment) =>
      request.apiMethod === undefined && request.url !== undefined
        ? authorizeRest(request, moment)
        : authorizeGateway(request, moment),

    verify: async (received, now) => verifier.verify(received, now),

    async decrypt(input) {
      takeOnly(input, ['algorithm', 'ciphertext']);
      if (!('algorithm' in input)) {
        throw new PaycertError('request-invalid', 'algorithm is missing: AES or AES_V2', { field: 'algorithm' });
      }
      if (aesKeys.length === 0) throw new PaycertError('no-aes-key', 'there is no AES key to decrypt with');
      for (const { key, facts } of aesKeys) {
        const plaintext = openContent(input.ciphertext, input.algorithm, key);
        if (plaintext !== undefined) return { plaintext, keyId: facts.keyId, role: facts.role };
      }
      // One code and one message for every cause: which byte was wrong is nobody's business.
      throw new PaycertError('decryption-failed', 'the ciphertext cannot be opened with any key that is loaded');
    },

    async openNotification(notification) {
      const { body, keyId } = VerifiedNotification.contentOf(notification);
      return readNotification(body, keyId, appId);
    },

    async paymentParameters(input, moment) {
      takeOnly(input, ['apiMethod', 'bizContent', 'parameters', 'appAuthToken']);
      return paymentForms(await signCall(input, { sender, moment, aesKey }, signText), gateways[gateway]);
    },
  };
}

/** The parameters of a notification, decoded once. `notify_id` is stable across retries. */
function readNotification(body: Uint8Array, keyId: string, appId: string): OpenedNotification {
  const parameters = decodeFields(parseForm(body, 'body'), 'body');
  const { app_id: meantFor, notify_id: id = '', notify_type: type, service, msg_method: method } = parameters;
  if (meantFor !== undefined && meantFor !== appId) {
    throw new PaycertError('notification-misdirected', 'app_id is not the `appId` of this credential', {
      field: 'app_id',
    });
  }
  return { id, eventType: type ?? method ?? service ?? '', resource: parameters, keyId };
}

/** The roots as one key: requests name them together, and any change of them changes what is signed. */
function rootFacts({ certificates }: Roots): KeyFacts {
  const counted = certificates.filter(isRsaSigned);
  const ends = counted.map(({ validToDate }) => validToDate.getTime());
  return {
    role: 'root',
    keyId: rootSerialOf(counted),
    algorithm: [...new Set(counted.map(({ publicKey }) => describeAlgorithm(publicKey)))].join(', '),
    fingerprint: counted.map(certificateFingerprint).join('_'),
    notAfter: new Date(Math.min(...ends)),
  };
}

/** Current first, then previous: the order in which they are tried. */
function aesFacts([name, key]: NamedKey) {
  const role = name === 'aes_key' ? ('aes' as const) : ('aes-previous' as const);
  return { key, facts: { role, keyId: checkValue(key), algorithm: 'AES-128-CBC', fingerprint: checkValue(key) } };
}
