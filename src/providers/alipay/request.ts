// A request to Alipay's v2 gateway: system parameters, then business parameters, then the signature over all of them.
import type { KeyObject } from 'node:crypto';
import { PaycertError } from '../../errors.ts';
import type { Moment, RequestToAuthorize } from '../provider.ts';
import type { Taken } from '../takes.ts';
import { sealContent } from './content.ts';
import { fieldsOf, formatForm, type Parameters, signedText } from './form.ts';
import type { Scheme } from './schemes.ts';
import type { takes } from './takes.ts';

/** What every request of one application says of itself. */
export interface Sender {
  readonly appId: string;
  /** In certificate mode only. */
  readonly serials?: { readonly app: string; readonly root: string };
}

type Call = Taken<RequestToAuthorize, typeof takes.authorize.v2>;

const hour = 3_600_000;

/** `yyyy-MM-dd HH:mm:ss` eight hours ahead of UTC, which China has kept since 1991: no zone data is needed. */
export function beijingTime(now: Date): string {
  return new Date(now.getTime() + 8 * hour).toISOString().slice(0, 19).replace('T', ' ');
}

const reserved = new Set([
  ...['app_id', 'method', 'format', 'charset', 'sign_type', 'sign', 'timestamp', 'version'],
  ...['app_cert_sn', 'alipay_root_cert_sn', 'app_auth_token', 'biz_content'],
]);

/** Those of the callers' parameters that are the gateway's own too; all others are the method's. */
const publicNames = new Set([
  ...reserved,
  ...['notify_url', 'return_url', 'auth_token', 'encrypt_type', 'alipay_sdk', 'ws_service_url', 'prod_code'],
  ...['terminal_type', 'terminal_info', 'target_app_id'],
]);

interface About {
  readonly scheme: Scheme;
  readonly sender: Sender;
  readonly moment: Moment;
  readonly aesKey: KeyObject | undefined;
}

/**
 * Everything that is signed. The serial numbers stand among the system parameters, which every method has: beside
 * `biz_content` they would be missing without one (protocols 2.1).
 * @throws PaycertError `request-invalid`, `no-aes-key`
 */
function buildParameters(call: Call, { sender, moment, aesKey, scheme }: About): Parameters {
  const { apiMethod, bizContent, parameters = {}, appAuthToken } = call;
  const taken = Object.keys(parameters).find((name) => reserved.has(name));
  if (taken !== undefined) {
    const field = `parameters.${taken}`;
    throw new PaycertError('request-invalid', `${field} is not the caller’s to set`, { field });
  }
  const sealing = parameters['encrypt_type'];
  const sealWith = { key: aesKey, nonce: moment.nonce, field: 'parameters.encrypt_type' };
  const all = {
    app_id: sender.appId,
    method: apiMethod,
    format: 'JSON',
    charset: 'utf-8',
    sign_type: scheme.signType,
    timestamp: beijingTime(moment.now),
    version: '1.0',
    ...(sender.serials && { app_cert_sn: sender.serials.app, alipay_root_cert_sn: sender.serials.root }),
    ...(appAuthToken !== undefined && { app_auth_token: appAuthToken }),
    ...parameters,
    ...(bizContent !== undefined && {
      biz_content: sealing === undefined ? bizContent : sealContent(bizContent, sealing, sealWith),
    }),
  };
  // An empty value is not signed, and the gateway takes it for none.
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''));
}

export interface SignedCall {
  /** The gateway's own parameters with `sign`, for the query. */
  readonly query: Parameters;
  /** The method's own parameters, for the body. */
  readonly form: Parameters;
}

/** Signs one call. `sign` is base64 of the signature over the sorted, raw parameters. */
export async function signCall(
  call: Call,
  about: About,
  signText: (message: Uint8Array) => Promise<string>,
): Promise<SignedCall> {
  const parameters = buildParameters(call, about);
  const sign = await signText(signedText(fieldsOf(parameters)));
  const own = Object.entries(parameters);
  return {
    query: { ...Object.fromEntries(own.filter(([name]) => publicNames.has(name) && name !== 'biz_content')), sign },
    form: Object.fromEntries(own.filter(([name]) => !publicNames.has(name) || name === 'biz_content')),
  };
}

/** ASCII in any page's charset: what is not printable, and what HTML reads as markup, becomes a reference to its code point. */
const escapeHtml = (text: string): string =>
  text.replace(/[^ -~]|[&<>"']/gu, (character) => `&#${String(character.codePointAt(0))};`);

/**
 * Whether an input of an HTML form keeps the value. Browsers send a line end as CR LF, read NUL as U+FFFD, and take references
 * to C1 controls for Windows-1252 (HTML, "normalize newlines" and "numeric character reference end state").
 */
const survivesInput = (text: string): boolean => !/[\r\n\0\u0080-\u009f]/.test(text);

/** What an app hands to Alipay's SDK, a page to link to, and a form that submits itself, for what is too long for a link. */
export function paymentForms({ query, form }: SignedCall, gateway: string): Parameters {
  const orderString = formatForm({ ...form, ...query });
  const isInput = ([name, value]: [string, string]) => survivesInput(name) && survivesInput(value);
  const own = Object.entries(form);
  const inputs = own
    .filter(isInput)
    .map(([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`);
  // The gateway reads query and body as one: what an input would change is percent-encoded in the address.
  const inAddress = Object.fromEntries(own.filter((pair) => !isInput(pair)));
  const action = escapeHtml(`${gateway}?${formatForm({ ...query, ...inAddress })}`);
  return {
    orderString,
    pageUrl: `${gateway}?${orderString}`,
    pageForm:
      `<form action="${action}" method="POST" accept-charset="UTF-8">${inputs.join('')}</form>` +
      // The form itself, whatever the page and its inputs are called.
      '<script>HTMLFormElement.prototype.submit.call(document.currentScript.previousElementSibling)</script>',
  };
}
