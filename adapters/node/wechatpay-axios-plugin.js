// wechatpay-axios-plugin without a key: the sidecar signs its APIv3 requests and verifies its responses, by whatever keys are current.
import { createPublicKey } from 'node:crypto';
import { Wechatpay } from 'wechatpay-axios-plugin';
import { throwAwayKey } from './throw-away-key.js';

/**
 * The SDK, to be used as its documentation says. APIv2 (`v2/…`) is not signed here: the signing proxy does it.
 * @param {{ paycert: import('./paycert.js').Paycert, mchid: string, baseURL?: string, timeout?: number, [more: string]: unknown }} options
 *   beside the first two what the SDK and axios take
 */
export function createWechatpay({ paycert, ...config }) {
  const privateKey = throwAwayKey();
  const sdk = new Wechatpay({ ...config, serial: 'none', privateKey, certs: { unused: createPublicKey(privateKey) } });
  const { v3 } = sdk.client;
  const [, ...parse] = v3.defaults.transformResponse;
  const received = new WeakMap();

  // In place of its verifier, which has to decide at once: the bytes are kept until the sidecar has seen them.
  v3.defaults.transformResponse = [keep, ...parse];
  function keep(data) {
    received.set(this, data);
    return data;
  }

  v3.interceptors.request.clear();
  v3.interceptors.request.use(async (request) => {
    // Written out once, so that what is sent is what was signed.
    const url = new URL(v3.getUri(request)).href;
    Object.assign(request, { url, baseURL: undefined, params: undefined });
    // Of an upload the part `meta` is signed.
    const body = JSON.stringify(request.meta ?? request.data);
    const encryptionKeyId = request.headers.get('Wechatpay-Serial') ?? undefined;
    const question = { method: request.method.toUpperCase(), url, body, encryptionKeyId };
    const { headers } = await paycert.ask('authorize', question);
    request.headers.set('Authorization', headers.Authorization);
    if (headers['Wechatpay-Serial'] !== undefined) request.headers.set('Wechatpay-Serial', headers['Wechatpay-Serial']);
    return request;
  });

  v3.interceptors.response.use(async (response) => {
    const { config: request, status, headers } = response;
    const body = received.get(request);
    // A stream is a download, which is unsigned by design, or else it is refused for want of its body.
    const bytes = typeof body === 'string' || body instanceof Uint8Array ? body : '';
    const method = request.method.toUpperCase();
    await paycert.assertGenuine({ method, url: request.url, status, headers: headers.toJSON(), body: bytes });
    return response;
  });
  return sdk;
}
