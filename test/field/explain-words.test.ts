// What platforms say, in their own words, Chinese and English: what it means, and what is not about the signature.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { recognize } from '../../src/cli/explain-response.ts';

const say = (text: string) => {
  const { refusal } = recognize(text) ?? assert.fail(`not recognized: ${text}`);
  return { code: refusal.code, about: refusal.about, first: [...refusal.certain, ...refusal.possible][0] };
};

const wechat = (code: string, message: string) => JSON.stringify({ code, message });
const alipay = (code: string, message = '') =>
  JSON.stringify({ error_response: { code: '40002', sub_code: code, sub_msg: message } });
const aliyun = (code: string, message = '') => JSON.stringify({ Code: code, Message: message, RequestId: 'A' });
const xml = (message: string, more = '') =>
  `<xml><return_code><![CDATA[FAIL]]></return_code>\n<return_msg><![CDATA[${message}]]></return_msg>${more}</xml>`;

describe('a refusal about the signature', () => {
  for (const [text, first] of [
    [wechat('SIGN_ERROR', '已更换证书，请使用新证书'), 'key-replaced'],
    [wechat('SIGN_ERROR', '商户证书已作废。'), 'key-replaced'],
    [wechat('SIGN_ERROR', '商户证书已过期。'), 'key-replaced'],
    [wechat('SIGN_ERROR', '商户证书序列号有误。请使用签名私钥匹配的证书序列号'), 'serial-of-another-key'],
    [wechat('SIGN_ERROR', '商户未设置APIv3密钥。'), 'apiv3-key-never-set'],
    [wechat('SIGN_ERROR', '商户未申请过证书。'), 'certificate-never-issued'],
    [wechat('SIGN_ERROR', 'Http头Authorization中的timestamp与发起请求的时间不得超过5分钟'), 'clock'],
    [wechat('SIGN_ERROR', 'HTTP头Authorization认证类型不正确'), 'header'],
    [wechat('SIGN_ERROR', '签名信息错误，验签失败'), 'header'],
    [wechat('SIGN_ERROR', '错误的签名，验签失败'), 'body'],
    [wechat('SIGN_ERROR', 'Incorrect merchant certificate serial number'), 'serial-of-another-key'],
    [wechat('PARAM_ERROR', 'http header中的mchid与post payload中的mchid不匹配'), 'merchant-in-body'],
    [wechat('PARAM_ERROR', '平台证书序列号Wechatpay-Serial错误'), 'platform-serial'],
    [wechat('PARAM_ERROR', 'HTTP header缺少微信支付平台证书序列号(Wechatpay-Serial)'), 'platform-serial'],
    [wechat('INVALID_REQUEST', '平台私钥解密失败'), 'field-encryption'],
    [wechat('PARAM_ERROR', '请确认待处理的消息是否为加密后的密文'), 'field-encryption'],
    [wechat('RESOURCE_NOT_EXISTS', '无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥。'), 'public-key-only'],
    [
      alipay(
        'isv.invalid-signature',
        '验签出错，请确认charset参数放在了URL查询字符串中且各参数值使用charset参数指示的字符集编码',
      ),
      'charset-in-query',
    ],
    [
      alipay(
        'isv.invalid-signature',
        '验签出错，sign值与sign_type参数指定的签名类型不一致：sign_type参数值为RSA2，您实际用的签名类型可能是RSA',
      ),
      'sign-type',
    ],
    [alipay('isv.missing-signature-config', '应用未配置对应签名算法的公钥或者证书'), 'public-key-not-uploaded'],
    [alipay('isv.unsupported-expired-app-key-sign'), 'key-replaced'],
    [alipay('isv.app-cert-not-exist'), 'application'],
    [alipay('isv.invalid-timestamp'), 'clock'],
    [aliyun('SignatureDoesNotMatch', 'Specified signature is not matched with our calculation.'), 'access-key'],
    [aliyun('InvalidTimeStamp.Expired'), 'clock'],
    [aliyun('InvalidAccessKeyId.NotFound'), 'access-key'],
    [aliyun('InvalidSecurityToken.Expired'), 'token'],
    [aliyun('SignatureNonceUsed'), 'another-attempt'],
    [xml('签名错误'), 'apiv2-key'],
    [xml('签名错误，请检查后再试'), 'apiv2-key'],
    [xml('沙箱验证签名失败，请确认沙箱签名key是否正确（通过getsignkey调用生成）'), 'sandbox-key'],
    [xml('', '<err_code>CERT_ERROR</err_code>'), 'client-certificate'],
  ] as const)
    it(`is read in the platform’s words: ${first} of ${text.slice(0, 90)}`, () => {
      const { about, first: cause } = say(text);
      assert.deepEqual([about, cause], ['signature', first]);
    });
});

describe('a refusal that is not about the signature', () => {
  for (const [text, code] of [
    [wechat('ORDER_NOT_EXIST', '订单不存在'), 'ORDER_NOT_EXIST'],
    [wechat('PARAM_ERROR', '参数错误'), 'PARAM_ERROR'],
    [wechat('NO_AUTH', '商户无权限'), 'NO_AUTH'],
    [wechat('APPID_MCHID_NOT_MATCH', '商户号mchid与appid不匹配'), 'APPID_MCHID_NOT_MATCH'],
    [alipay('ACQ.TRADE_NOT_EXIST', '交易不存在'), 'ACQ.TRADE_NOT_EXIST'],
    [alipay('isv.insufficient-isv-permissions'), 'isv.insufficient-isv-permissions'],
    [aliyun('Throttling.User'), 'Throttling.User'],
    [aliyun('Forbidden.RAM'), 'Forbidden.RAM'],
    [aliyun('isv.BUSINESS_LIMIT_CONTROL', '触发天级流控'), 'isv.BUSINESS_LIMIT_CONTROL'],
    [xml('OK', '<result_code>FAIL</result_code><err_code>ORDERPAID</err_code>'), 'ORDERPAID'],
  ] as const)
    it(`is named and said not to be: ${code}`, () => {
      assert.deepEqual([say(text).code, say(text).about], [code, 'other']);
    });
});

describe('a refusal that no table has', () => {
  it('is unknown, and the platform’s page of codes is named', () => {
    for (const text of [wechat('BRAND_NEW_CODE', 'x'), alipay('isv.brand-new'), aliyun('BrandNew')]) {
      const recognized = recognize(text);
      assert.equal(recognized?.refusal.about, 'unknown');
      assert.match(recognized.platform.codesAt(recognized.refusal.code), /^https:\/\//);
    }
  });
});
