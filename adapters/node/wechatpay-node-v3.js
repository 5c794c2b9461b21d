// wechatpay-node-v3 without a key: the sidecar signs what it sends and hands to clients, and verifies what comes back.
import WxPay from 'wechatpay-node-v3';
import { throwAwayKey } from './throw-away-key.js';

const platform = 'https://api.mch.weixin.qq.com';

/** The SDK sends through one object: this one, which signs, sends exactly that, and hands on nothing that does not verify. */
class SignedRequests {
  #paycert;
  #origin;

  /**
   * @param {import('./paycert.js').Paycert} paycert
   * @param {string} origin
   */
  constructor(paycert, origin) {
    this.#paycert = paycert;
    this.#origin = origin;
  }

  get(url, headers) {
    return this.#send('GET', url, { headers });
  }

  post(url, params, headers) {
    // Pictures come this way too.
    if (params?.pic_buffer !== undefined) return this.upload(url, params, headers);
    const body = JSON.stringify(params);
    return this.#send('POST', url, { headers, signed: body, body });
  }

  /** Of an upload the part `meta` is signed. */
  upload(url, { fileinfo, pic_buffer: content }, headers) {
    const meta = JSON.stringify(fileinfo);
    const body = new FormData();
    body.append('meta', meta);
    body.append('file', new Blob([content]), fileinfo.filename);
    // The boundary is the form's.
    const { 'Content-Type': _, ...rest } = headers;
    return this.#send('POST', url, { headers: rest, signed: meta, body });
  }

  async #send(method, address, { headers, signed, body }) {
    const url = new URL(address.replace(platform, ''), this.#origin).href;
    const { 'Wechatpay-Serial': encryptionKeyId, Authorization: _, 'Accept-Encoding': __, ...own } = headers;
    const question = { method, url, body: signed, encryptionKeyId };
    const { headers: authorized } = await this.#paycert.ask('authorize', question);
    const { Authorization, 'Wechatpay-Serial': serial } = authorized;
    const sent = { ...own, Authorization, ...(serial && { 'Wechatpay-Serial': serial }) };
    const response = await fetch(url, { method, headers: sent, body, redirect: 'error' });
    const bytes = Buffer.from(await response.arrayBuffer());
    const { status } = response;
    if (!response.ok)
      return { status, error: bytes.toString(), errRaw: { status, response: { text: bytes.toString() } } };
    await this.#paycert.assertGenuine({
      method,
      url,
      status,
      headers: Object.fromEntries(response.headers),
      body: bytes,
    });
    const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '');
    return {
      status,
      data: isJson && bytes.length > 0 ? JSON.parse(bytes.toString()) : isText(response) ? bytes.toString() : bytes,
    };
  }
}

const isText = ({ headers }) => (headers.get('content-type') ?? '').startsWith('text/');

/** What the SDK would do with a key of its own. */
const instead = (name, use) => new Error(`${name} needs a key, which paycert keeps: use ${use}`);

export class PaycertPay extends WxPay {
  #paycert;

  /**
   * @param {object} options
   * @param {import('./paycert.js').Paycert} options.paycert
   * @param {string} options.appid
   * @param {string} options.mchid
   * @param {string} [options.origin] another address of the platform, or a double
   */
  constructor({ paycert, appid, mchid, origin = platform }) {
    const privateKey = Buffer.from(throwAwayKey());
    super({ appid, mchid, serial_no: 'none', publicKey: privateKey, privateKey });
    this.#paycert = paycert;
    this.createHttp(new SignedRequests(paycert, origin));
  }

  transactions_jsapi(params) {
    return this.#signed('jsapi', super.transactions_jsapi(params));
  }

  combine_transactions_jsapi(params) {
    return this.#signed('jsapi', super.combine_transactions_jsapi(params));
  }

  transactions_app(params) {
    return this.#signed('app', super.transactions_app(params));
  }

  combine_transactions_app(params) {
    return this.#signed('app', super.combine_transactions_app(params));
  }

  /**
   * The SDK has signed the parameters with the key that is good for nothing.
   * @param {'jsapi' | 'app'} type
   * @param {Promise<{ status: number, data?: any }>} ordered
   * @returns {Promise<{ status: number, data?: unknown }>}
   */
  async #signed(type, ordered) {
    const result = await ordered;
    const { appId, appid, package: prepay, prepayid } = result.data ?? {};
    const prepayId = prepayid ?? prepay?.replace('prepay_id=', '');
    if (result.status !== 200 || prepayId === undefined) return result;
    return { ...result, data: await this.#paycert.paymentParameters({ type, appId: appId ?? appid, prepayId }) };
  }

  verifySign() {
    return Promise.reject(instead('verifySign', 'paycert.notification({ headers, body })'));
  }

  decipher_gcm() {
    throw instead('decipher_gcm', 'paycert.notification({ headers, body })');
  }

  privateDecrypt() {
    throw instead('privateDecrypt', 'paycert.decrypt(ciphertext)');
  }

  publicEncrypt() {
    throw instead('publicEncrypt', 'paycert.encrypt(plaintext)');
  }
}
