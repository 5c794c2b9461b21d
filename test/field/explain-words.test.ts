// What platforms say, in their own words, Chinese and English: what it means, and what is not about the signature.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { recognize } from '../../src/cli/explain-response.ts';
import { sayings as alipayWords } from '../../src/providers/alipay/sayings.ts';
import { sayings as aliyunWords } from '../../src/providers/aliyun/sayings.ts';
import { causes } from '../../src/providers/causes.ts';
import { sayings as wechatpayV2 } from '../../src/providers/wechatpay-v2/sayings.ts';
import { sayings as wechatpay } from '../../src/providers/wechatpay/sayings.ts';

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
    [wechat('SIGN_ERROR', '商户API证书已被作废'), 'key-replaced'],
    [wechat('SIGN_ERROR', '商户证书序列号有误。请使用签名私钥匹配的证书序列号'), 'serial-of-another-key'],
    [wechat('SIGN_ERROR', '商户未设置APIv3密钥。'), 'apiv3-key-never-set'],
    [wechat('SIGN_ERROR', '商户未设置加密的密钥，请登录商户平台操作！'), 'apiv3-key-never-set'],
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
    [aliyun('InvalidAccessKeyId.NotFound'), 'access-key-id'],
    [aliyun('InvalidAccessKeyId.Inactive'), 'access-key-id'],
    [aliyun('Forbidden.AccessKeyDisabled'), 'access-key-id'],
    [aliyun('IllegalTimestamp', 'The input parameter Timestamp is not supplied.'), 'clock'],
    [aliyun('InvalidSecurityToken.Expired'), 'token'],
    [aliyun('SignatureNonceUsed'), 'another-attempt'],
    [xml('签名错误'), 'apiv2-key'],
    [xml('签名错误，请检查后再试'), 'apiv2-key'],
    [xml('沙箱验证签名失败，请确认沙箱签名key是否正确（通过getsignkey调用生成）'), 'sandbox-key'],
    [xml('', '<err_code>CERT_ERROR</err_code>'), 'client-certificate'],
    [xml('证书已过期'), 'client-certificate'],
    [
      '<html><head><title>400 No required SSL certificate was sent</title></head><body><center>nginx</center></body></html>',
      'client-certificate',
    ],
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
    [xml('缺少参数'), ''],
    [xml('请使用post方法'), ''],
    [xml('XML格式错误'), ''],
    [xml('系统繁忙，请稍后再试'), ''],
    [xml('订单不存在'), ''],
    [alipay('aop.ACQ.SYSTEM_ERROR', '系统异常'), 'aop.ACQ.SYSTEM_ERROR'],
    [alipay('isv.app-unauthorized', '应用未授权'), 'isv.app-unauthorized'],
    [aliyun('AccessDenied'), 'AccessDenied'],
    [aliyun('amp.apiNotFound'), 'amp.apiNotFound'],
    [aliyun('isp.SYSTEM_ERROR'), 'isp.SYSTEM_ERROR'],
    // Words that speak of serials, keys, certificates and signatures of other kinds.
    [
      wechat('PARAM_ERROR', '输入源“/body/stock_serial”映射到字段“批次序列号”必填性规则校验失败，此字段为必填项'),
      'PARAM_ERROR',
    ],
    [wechat('PARAM_ERROR', 'device_serial_number不能为空'), 'PARAM_ERROR'],
    [wechat('PARAM_ERROR', '输入源“/body/cert_info/cert_type”映射到字段“登记证书类型”枚举规则校验失败'), 'PARAM_ERROR'],
    [wechat('PARAM_ERROR', '法人登记证书已过期'), 'PARAM_ERROR'],
    [wechat('PARAM_ERROR', '主体认证类型错误'), 'PARAM_ERROR'],
    [wechat('PARAM_ERROR', 'appid和mchid不匹配'), 'PARAM_ERROR'],
    [wechat('NO_AUTH', '该商户未开通APIv3密钥下载权限'), 'NO_AUTH'],
    [wechat('INVALID_REQUEST', '电子签名协议未签署'), 'INVALID_REQUEST'],
    [
      xml(
        'OK',
        '<result_code>FAIL</result_code><err_code>PARAM_ERROR</err_code><err_code_des>营业执照证书编号错误</err_code_des>',
      ),
      'PARAM_ERROR',
    ],
    [alipay('ACQ.INVALID_PARAMETER', '企业证书校验失败'), 'ACQ.INVALID_PARAMETER'],
    [alipay('USER_CERT_NOT_CONFIGURED', '用户未配置收款公钥'), 'USER_CERT_NOT_CONFIGURED'],
    [alipay('aop.invalid-app-auth-token'), 'aop.invalid-app-auth-token'],
    [aliyun('isv.SMS_SIGNATURE_ILLEGAL', '短信签名不合法'), 'isv.SMS_SIGNATURE_ILLEGAL'],
    [
      aliyun('InvalidSignatureName.NotFound', 'The specified SignName does not exist.'),
      'InvalidSignatureName.NotFound',
    ],
    [aliyun('InvalidSecurityGroupId.NotFound'), 'InvalidSecurityGroupId.NotFound'],
    [aliyun('InvalidKeyPairName.NotFound'), 'InvalidKeyPairName.NotFound'],
  ] as const)
    it(`is named and said not to be: ${code} of ${text.slice(0, 90)}`, () => {
      assert.deepEqual([say(text).code, say(text).about], [code, 'other']);
    });
});

describe('the causes that a platform’s words mean', () => {
  const tables = { 'wechatpay-v2': wechatpayV2, wechatpay, alipay: alipayWords, aliyun: aliyunWords };
  const foreign = {
    wechatpay: /RSA2|RAM console|sign_type|sandbox|apiv2|alipay\.|authori[sz]ed this application/i,
    'wechatpay-v2': /RSA2|RAM console|alipay\.|Wechatpay-Serial|encryptionKeyId/i,
    alipay: /apiclient|apiv[23]|Wechatpay|RAM console|access_key|merchant_serial/i,
    aliyun: /apiclient|apiv[23]|Wechatpay|alipay\.|RSA2|merchant_serial|AES/i,
  };
  for (const [name, table] of Object.entries(tables))
    it(`name nothing that only another platform has: ${name}`, () => {
      for (const cause of table.flatMap(({ means = [], usually = [] }) => [...means, ...usually])) {
        // Units of time are told for all platforms side by side.
        if (cause === 'time-format') continue;
        const { why, remedy } = causes[cause];
        assert.doesNotMatch(`${why} ${remedy}`, foreign[name as keyof typeof foreign], cause);
      }
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
