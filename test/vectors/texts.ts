// The texts of APIv3: what is signed for a request, an answer and a payment.
import { pathAndQuery } from '../../src/providers/shared/http.ts';
import { responseMessage, paymentMessage, requestMessage } from '../../src/providers/wechatpay/messages.ts';
import { checkAuthorization } from './authorization.ts';
import { listOf } from './read.ts';
import { requestOf } from './moments.ts';
import type { Situation } from './situation.ts';

type Build = (args: readonly string[]) => Buffer;

/** By the beginning of the expectation's name. */
const builders: readonly (readonly [RegExp, Build])[] = [
  [
    /^request|^string_to_sign/,
    ([method = '', url = '', time = '', nonce = '', body = '']) =>
      requestMessage({ method, url: addressOf(url) }, time, nonce, Buffer.from(body)),
  ],
  [
    /^(?:response|answer|notif|verify|callback)/,
    ([time = '', nonce = '', body = '']) => responseMessage(time, nonce, Buffer.from(body)),
  ],
  [
    /^(?:pay|jsapi|app|mini|client|invoke)/,
    ([appId = '', time = '', nonce = '', last = '']) => paymentMessage(appId, time, nonce, last),
  ],
];

/** Placeholders such as `2` stand for URLs in some sources: the product takes nothing but addresses and paths. */
function addressOf(url: string): string {
  return /^(?:https?:\/)?\//i.test(url) ? url : `/${url}`;
}

const withPath = (text: string, url: string | undefined): string =>
  url === undefined ? text : text.replace(`\n${url}\n`, `\n${pathAndQuery(addressOf(url))}\n`);

/** `request_message` is made of `request_message_args`, `request_message_no_body` of `request_message_args_no_body`. */
function checkMessagesOfArguments(situation: Situation): boolean {
  let checked = 0;
  for (const key of situation.expectedKeys(/message|string_to_sign|text/)) {
    const args = situation.input(key.replace('message', 'message_args'), `${key}_args`, 'args', 'arguments');
    const build = builders.find(([pattern]) => pattern.test(key))?.[1];
    const text = situation.expectsText(key);
    if (build === undefined || text === undefined || !Array.isArray(args)) continue;
    const words = listOf(args).map(String);
    const url = /^request|^string_to_sign/.test(key) ? words[1] : undefined;
    checked += 1;
    situation.assert(build(words).equals(Buffer.from(withPath(text, url))), `${key} differs`);
  }
  return checked > 0;
}

/** For vectors whose inputs are the parts of one message. */
function checkMessageOfParts(situation: Situation): void {
  const isRequest = situation.text('method') !== undefined;
  const names = ['message', 'string_to_sign', 'text', isRequest ? 'request_message' : 'response_message'];
  const text = situation.text('timestamp') === undefined ? undefined : situation.expectsText(...names);
  if (text === undefined) return;
  if (isRequest) {
    const { method, url, timestamp, nonce, body } = requestOf(situation);
    const isSame = requestMessage({ method, url: addressOf(url) }, timestamp, nonce, body).equals(
      Buffer.from(withPath(text, url)),
    );
    situation.assert(isSame, 'the text to sign differs');
    return;
  }
  const [timestamp, nonce] = [situation.need('timestamp'), situation.need('nonce', 'nonce_str')];
  const message = responseMessage(timestamp, nonce, Buffer.from(situation.text('body') ?? ''));
  situation.assert(message.equals(Buffer.from(text)), 'the text to verify differs');
}

export async function checkTexts(situation: Situation): Promise<void> {
  if (!checkMessagesOfArguments(situation)) checkMessageOfParts(situation);
  await checkAuthorization(situation);
}
