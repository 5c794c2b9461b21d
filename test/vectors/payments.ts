// paySign: what the client of JSAPI, mini-program and app payments needs.
import { paymentMessage } from '../../src/providers/wechatpay/messages.ts';
import type { Situation } from './situation.ts';
import { privateKeyOf, subject } from './subject.ts';
import { checkTexts } from './texts.ts';

const prefix = 'prepay_id=';

const isApp = (situation: Situation, text: string | undefined): boolean => {
  const type = situation.text('type', 'trade_type') ?? situation.vector.kind;
  return text?.startsWith(prefix) !== true && /(?:^|[^a-z])app(?:[^a-z]|$)/i.test(type) && !/jsapi|mini/i.test(type);
};

export async function checkPayment(situation: Situation): Promise<void> {
  const appId = situation.text('appid', 'appId', 'app_id');
  if (appId === undefined) {
    await checkTexts(situation);
    return;
  }
  const timestamp = situation.need('timestamp', 'timeStamp', 'time_stamp');
  const nonce = situation.need('nonce', 'nonce_str', 'nonceStr', 'noncestr');
  const given = situation.text('prepay_id', 'prepayid', 'prepayId') ?? situation.need('package');
  const prepayId = given.startsWith(prefix) ? given.slice(prefix.length) : given;
  const type = isApp(situation, situation.text('package')) ? 'app' : 'jsapi';
  const message = situation.expectsText('message', 'string_to_sign', 'sign_source');
  if (message !== undefined) {
    const last = type === 'app' ? prepayId : `${prefix}${prepayId}`;
    situation.assert(
      paymentMessage(appId, timestamp, nonce, last).equals(Buffer.from(message)),
      'the text to sign differs',
    );
  }
  const privateKey = privateKeyOf(situation);
  if (privateKey === undefined) return;
  const merchantId = situation.text('partnerid', 'partner_id', 'mchid') ?? '1900000000';
  const moment = { now: new Date(Number(timestamp) * 1000), nonce };
  const parameters = await situation.run(async () =>
    (await subject({ privateKey }, { merchantId })).paymentParameters({ type, appId, prepayId }, moment),
  );
  if (parameters === undefined) return;
  const signature = situation.expectsText('paySign', 'pay_sign', 'paysign', 'sign', 'signature');
  if (signature !== undefined) {
    situation.assert((parameters['paySign'] ?? parameters['sign']) === signature, 'the signature differs');
  }
  for (const [name, ...others] of [
    ['signType', 'sign_type'],
    ['package'],
    ['appId'],
    ['appid'],
    ['timeStamp'],
    ['nonceStr'],
    ['noncestr'],
    ['partnerid'],
    ['prepayid'],
  ] as const) {
    const value = situation.expectsText(name, ...others);
    if (value !== undefined) situation.equal(name, parameters[name], value);
  }
}
