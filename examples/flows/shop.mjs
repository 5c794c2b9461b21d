// What a shop asks the platforms, each step a command. Beside paycert.mjs: node shop.mjs order 20260101001
import { ask, body, Refused, send, verify } from './paycert.mjs';

const shop = 'https://shop.example';
const wechatPay = 'https://api.mch.weixin.qq.com';
const payer = 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o';
const merchant = { appid: 'wx8888888888888888', mchid: '1900000001' };

/** A request to WeChat Pay, and its response once WeChat Pay has proven to have signed it. */
async function wechat(method, path, content) {
  const request = { method, url: `${wechatPay}/v3${path}`, ...(content && { body: JSON.stringify(content) }) };
  const response = await send('wechat-main', request);
  if (response.status >= 300) throw new Error(`${response.status} ${body(response)}: query before you repeat`);
  return JSON.parse(await verify('wechat-main', response));
}

/** The same for v2: the parameters of its response, read by what has verified it. */
async function wechatV2(path, parameters) {
  const response = await send('wechat-v2', { url: wechatPay + path, parameters });
  await verify('wechat-v2', response);
  const { resource } = await ask('wechat-v2', 'notification', { bodyBase64: response.bodyBase64 });
  if (resource.result_code !== 'SUCCESS') throw new Error(`${resource.err_code}: ${resource.err_code_des}`);
  return resource;
}

/** The same for Alipay, whose response has one member that counts. */
async function alipay(apiMethod, content) {
  const response = await send('alipay-main', { apiMethod, bizContent: JSON.stringify(content) });
  const result = JSON.parse(await verify('alipay-main', response))[`${apiMethod.replaceAll('.', '_')}_response`];
  if (result.code !== '10000') throw new Error(`${result.sub_code}: ${result.sub_msg}`);
  return result;
}

const alipayPayment = (apiMethod, number) =>
  ask('alipay-main', 'payment-parameters', {
    apiMethod,
    bizContent: JSON.stringify({ out_trade_no: number, total_amount: '1.00', subject: 'tea' }),
    parameters: { notify_url: `${shop}/alipay`, return_url: `${shop}/thanks` },
  });

const commands = {
  /** What the mini program of the payer hands to wx.requestPayment. */
  async order(number) {
    const { prepay_id: prepayId } = await wechat('POST', '/pay/transactions/jsapi', {
      ...merchant,
      description: 'tea',
      out_trade_no: number,
      notify_url: `${shop}/wechatpay`,
      amount: { total: 100, currency: 'CNY' },
      payer: { openid: payer },
    });
    return ask('wechat-main', 'payment-parameters', { type: 'jsapi', appId: merchant.appid, prepayId });
  },
  query: (number) => wechat('GET', `/pay/transactions/out-trade-no/${number}?mchid=${merchant.mchid}`),
  /** The same number is the same refund, however often it is asked for. */
  refund: (number) =>
    wechat('POST', '/refund/domestic/refunds', {
      out_trade_no: number,
      out_refund_no: `R${number}`,
      notify_url: `${shop}/wechatpay`,
      amount: { refund: 100, total: 100, currency: 'CNY' },
    }),
  'query-refund': (number) => wechat('GET', `/refund/domestic/refunds/R${number}`),

  /** As `order`, over v2. */
  async 'v2-order'(number) {
    const signType = 'HMAC-SHA256';
    const { prepay_id: prepayId } = await wechatV2('/pay/unifiedorder', {
      ...{ body: 'tea', out_trade_no: number, total_fee: '100', trade_type: 'JSAPI', sign_type: signType },
      ...{ openid: payer, notify_url: `${shop}/wechatpay-v2`, spbill_create_ip: '127.0.0.1' },
    });
    return ask('wechat-v2', 'payment-parameters', { type: 'jsapi', prepayId, signType });
  },
  'v2-query': (number) => wechatV2('/pay/orderquery', { out_trade_no: number }),
  'v2-query-refund': (number) => wechatV2('/pay/refundquery', { out_refund_no: `R${number}` }),

  /** Where the payer's browser goes. */
  page: (number) => alipayPayment('alipay.trade.page.pay', number),
  /** What the app hands to Alipay's SDK. */
  app: (number) => alipayPayment('alipay.trade.app.pay', number),
  'alipay-query': (number) => alipay('alipay.trade.query', { out_trade_no: number }),
  'alipay-refund': (number) =>
    alipay('alipay.trade.refund', { out_trade_no: number, out_request_no: `R${number}`, refund_amount: '1.00' }),

  /** Aliyun signs no responses: TLS proves them. */
  async sms(phone) {
    const message = { PhoneNumbers: phone, SignName: 'shop', TemplateCode: 'SMS_1', TemplateParam: '{"code":"1234"}' };
    const parameters = { Version: '2017-05-25', ...message };
    const result = JSON.parse(
      body(await send('sms', { url: 'https://dysmsapi.aliyuncs.com/', apiMethod: 'SendSms', parameters })),
    );
    if (result.Code !== 'OK') throw new Error(`${result.Code}: ${result.Message}`);
    return result;
  },
};

const [command, argument] = process.argv.slice(2);
try {
  console.log(JSON.stringify(await commands[command](argument)));
} catch (error) {
  // 75: try again later. 1: look at what it says.
  console.error(error.message);
  process.exitCode = error instanceof Refused && error.status === 503 ? 75 : 1;
}
