// One credential of a paycert sidecar, over its Unix socket or over loopback: what the adapters beside it are made of.
import { request } from 'node:http';

const milliseconds = 10_000;

/** Anything but a 200: `status` 422 means no, 503 means later. `code` is one of docs/errors.md, `hint` says what to do. */
export class Refused extends Error {
  /**
   * @param {string} operation
   * @param {{ title: string, detail: string, status: number, hint: string }} problem
   */
  constructor(operation, { title, detail, status, hint }) {
    super(`${operation}: ${title}: ${detail} (${hint})`);
    this.code = title;
    this.status = status;
    this.hint = hint;
  }
}

export class Paycert {
  #credential;
  #place;
  #headers;

  /**
   * @param {object} options
   * @param {string} options.credential its name in paycert.yaml
   * @param {string} [options.socket] default: what `PAYCERT_SOCKET` says, or /run/paycert/paycert.sock
   * @param {string} [options.url] such as http://127.0.0.1:8010, in place of the socket
   * @param {string} [options.token] that of `listen.tcp`, with `url`
   */
  constructor({ credential, socket = process.env['PAYCERT_SOCKET'] ?? '/run/paycert/paycert.sock', url, token }) {
    this.#credential = credential;
    const { hostname, port } = new URL(url ?? 'http://paycert');
    this.#place = url === undefined ? { socketPath: socket } : { hostname, port };
    this.#headers = { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) };
  }

  /**
   * Any call of the local API (docs/api.md). Rejects with `Refused` unless it is a 200.
   * @param {string} operation such as `authorize`
   * @param {object} question
   * @returns {Promise<any>}
   */
  async ask(operation, question) {
    const path = `/v1/credentials/${this.#credential}/${operation}`;
    // A connection for each call costs little here, and none is ever stale.
    const options = { ...this.#place, path, method: 'POST', headers: this.#headers, agent: false };
    const { status, text } = await new Promise((resolve, reject) => {
      const outgoing = request({ ...options, signal: AbortSignal.timeout(milliseconds) }, (incoming) => {
        incoming
          .toArray()
          .then((chunks) => resolve({ status: incoming.statusCode, text: Buffer.concat(chunks).toString() }), reject);
      });
      outgoing.on('error', reject).end(JSON.stringify(question));
    });
    const result = JSON.parse(text);
    if (status !== 200) throw new Refused(operation, result);
    return result;
  }

  /**
   * What WeChat Pay or Alipay posted, verified and opened: `{ id, eventType, resource, keyId }`.
   * @param {{ headers?: object, body: Uint8Array | string }} posted the raw body, before anything parses it
   */
  notification({ headers = {}, body }) {
    return this.ask('notification', { headers: single(headers), bodyBase64: Buffer.from(body).toString('base64') });
  }

  /**
   * The signed object that the paying client hands to the platform.
   * @param {object} question of WeChat Pay `{ type, appId, prepayId }`
   */
  paymentParameters(question) {
    return this.ask('payment-parameters', question);
  }

  /**
   * A field that only the platform can read: `{ ciphertext, keyId }`. Send `keyId` as `Wechatpay-Serial`.
   * @param {string} plaintext
   */
  encrypt(plaintext) {
    return this.ask('encrypt', { plaintext });
  }

  /**
   * A field that only the merchant can read.
   * @param {string} ciphertext
   * @returns {Promise<string>}
   */
  async decrypt(ciphertext) {
    return (await this.ask('decrypt', { ciphertext })).plaintext;
  }

  /**
   * Resolves if the platform has signed a success, or leaves it unsigned by design, as it does the download of a bill.
   * @param {{ method: string, url: string, status: number, headers: object, body: Uint8Array | string }} response
   */
  async assertGenuine({ method, url, status, headers, body }) {
    const response = { kind: 'response', method, url, status, headers: single(headers) };
    await this.ask('verify', { ...response, bodyBase64: Buffer.from(body).toString('base64') }).catch((error) => {
      // Of a success it is said only where the platform signs none: what lacks its signature is `signature-missing`.
      if (!(error instanceof Refused) || error.code !== 'response-unsigned') throw error;
    });
  }
}

/**
 * A header that is there twice is signed by no platform.
 * @param {object} headers
 */
const single = (headers) =>
  Object.fromEntries(Object.entries(headers).filter(([, value]) => typeof value === 'string'));
