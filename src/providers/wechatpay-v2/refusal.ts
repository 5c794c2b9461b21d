// WeChat Pay v2 refusing a signature: a message in XML and nothing of what it built, so its words are all there is.
import { interpret, type Part, type Refusal, type Refusals, textOf } from '../refusal.ts';
import { splitUrl } from '../shared/http.ts';
import { queryPairs, rawPairs } from '../shared/parameters.ts';
import { parameterText } from './messages.ts';
import { sayings } from './sayings.ts';
import { readXml } from './xml.ts';

const split = (text: string): readonly Part[] =>
  rawPairs(text).map(([name, value]) => ({ name, value, cause: 'parameter' }));

function readRefusal(code: string, messages: readonly string[]): Refusal {
  const isCode = /^[A-Z][A-Z0-9_]{2,40}$/.test(code);
  const words = messages.join('\n');
  return { code: isCode ? code : '', words, built: [], ...interpret(sayings, isCode ? code : '', words) };
}

export const wechatpayV2Refusals: Refusals = {
  platform: 'WeChat Pay v2',
  codesAt: () => 'https://pay.weixin.qq.com/doc/v2/merchant/4011937116',
  split,
  whenEqual: ['apiv2-key', 'sign-type'],
  read(body) {
    const [returned, result] = [textOf(body, 'return_code'), textOf(body, 'result_code')];
    if (returned === undefined || (returned === 'SUCCESS' && (result ?? 'SUCCESS') === 'SUCCESS')) return undefined;
    const code = textOf(body, 'err_code') ?? textOf(body, 'error_code') ?? '';
    const messages = ['return_msg', 'retmsg', 'err_code_des'].map((name) => textOf(body, name) ?? '');
    return readRefusal(
      code,
      messages.filter((message) => message !== ''),
    );
  },
  /** Of the front that speaks TLS, which answers with a page; or as programs print what they have read of the XML. */
  readText(text) {
    const [, told] = /\breturn_msg\b["'\]\s:=>([]{1,12}(?:<!\[CDATA\[)?([^"'<>\n\])},]{2,80})/.exec(text) ?? [];
    if (told !== undefined) return readRefusal('', [told.trim()]);
    const [words] = /No required SSL certificate was sent|The SSL certificate error/.exec(text) ?? [];
    return words === undefined ? undefined : readRefusal('', [words]);
  },
  /** Without the key that follows it: nobody can compare it with what the platform built, which it never shows. */
  rebuild({ method, body, url }) {
    const pairs = method === 'GET' ? queryPairs(splitUrl(url).query) : [...readXml(body)];
    return pairs.some(([name]) => name === 'sign') ? parameterText(pairs) : undefined;
  },
};
