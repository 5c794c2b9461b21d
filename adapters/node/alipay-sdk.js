// alipay-sdk without a key: its calls go through the signing proxy, and strings for apps, pages and what Alipay posts through the local API.
import { AlipaySdk } from 'alipay-sdk';
import { throwAwayKey } from './throw-away-key.js';

/** Whose they are: the sidecar writes its own. */
const own = new Set([
  ...['app_id', 'method', 'charset', 'format', 'version', 'sign_type', 'timestamp', 'sign', 'biz_content'],
  ...['app_cert_sn', 'alipay_root_cert_sn', 'app_auth_token'],
]);

const instead = (name, use) => new Error(`${name} needs a key, which paycert keeps: use ${use}`);

export class PaycertAlipay extends AlipaySdk {
  #paycert;

  /**
   * @param {Omit<import('alipay-sdk').AlipaySdkConfig, 'privateKey'> & { paycert: import('./paycert.js').Paycert, proxy: string }} options
   *   `proxy`: the credential's address at the signing proxy, http://127.0.0.1:8011/~TOKEN/alipay-main. Beside it what the SDK takes;
   *   `alipayPublicKey` or Alipay's certificates where it shall verify again
   */
  constructor({ paycert, proxy, ...config }) {
    super({ ...config, gateway: `${proxy}/gateway.do`, endpoint: proxy, privateKey: throwAwayKey(), keyType: 'PKCS8' });
    this.#paycert = paycert;
  }

  /**
   * What the app hands to Alipay's SDK: in place of `sdkExecute`.
   * @param {string} method such as alipay.trade.app.pay
   * @param {object} params as of `sdkExecute`
   * @returns {Promise<string>}
   */
  async orderString(method, params) {
    return (await this.#signed(method, params)).orderString;
  }

  /**
   * Where the browser is sent: in place of `pageExecute(method, 'GET', params)`.
   * @param {string} method such as alipay.trade.page.pay
   * @param {object} params as of `pageExecute`
   * @returns {Promise<string>}
   */
  async pageUrl(method, params) {
    return (await this.#signed(method, params)).pageUrl;
  }

  /**
   * HTML that posts itself: in place of `pageExecute(method, 'POST', params)`.
   * @param {string} method
   * @param {object} params
   * @returns {Promise<string>}
   */
  async pageForm(method, params) {
    return (await this.#signed(method, params)).pageForm;
  }

  /** The SDK writes the parameters as it always does; its signature and what belongs to it are left behind. */
  #signed(apiMethod, params) {
    const written = new URLSearchParams(super.sdkExecute(apiMethod, params));
    const parameters = Object.fromEntries([...written].filter(([name]) => !own.has(name)));
    const [bizContent, appAuthToken] = [written.get('biz_content'), written.get('app_auth_token')];
    const question = {
      apiMethod,
      parameters,
      ...(bizContent && { bizContent }),
      ...(appAuthToken && { appAuthToken }),
    };
    return this.#paycert.paymentParameters(question);
  }

  sdkExecute() {
    throw instead('sdkExecute', 'await orderString(method, params)');
  }

  pageExecute() {
    throw instead('pageExecute', 'await pageUrl(method, params), or pageForm');
  }

  checkNotifySign() {
    throw instead('checkNotifySign', 'await paycert.notification({ body }) with the raw body');
  }

  checkNotifySignV2() {
    return this.checkNotifySign();
  }
}
