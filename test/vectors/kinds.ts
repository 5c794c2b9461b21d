// The table: kind of vector → what checks it.
import { checkAead, checkApiV3Key } from './aead.ts';
import { alipayRows } from './alipay/kinds.ts';
import { checkAcs3, checkPayloadHash, checkPercentEncoding, checkRpc } from './aliyun.ts';
import { checkPlatformCertificates } from './certificates.ts';
import { checkSerials } from './serials.ts';
import { checkField } from './fields.ts';
import { Unusable } from './findings.ts';
import { checkKeys } from './keys.ts';
import { checkNotification } from './notifications.ts';
import { checkPayment } from './payments.ts';
import { checkPkcs12 } from './pkcs12.ts';
import { checkProbe } from './probes.ts';
import { checkPss } from './pss.ts';
import { checkHmac, checkRefund, checkSortedParameters, checkV2, checkXml } from './shared-secrets.ts';
import { checkShangmi } from './shangmi.ts';
import { checkSign, checkVerify } from './signatures.ts';
import type { Situation } from './situation.ts';
import { checkTexts } from './texts.ts';

export type Checker = (situation: Situation) => Promise<void>;
export type Row = readonly [RegExp, Checker];

/** Cases of many kinds under one name: what the inputs are decides. */
const checkByShape: Checker = async (situation) => {
  const rows: readonly (readonly [string, Checker])[] = [
    ['p12_base64', checkPkcs12],
    ['p12', checkPkcs12],
    ['response_body', checkPlatformCertificates],
    ['headers', situation.text('api_v3_key') === undefined ? checkVerify : checkNotification],
    ['nonce', situation.text('signature') === undefined ? checkAead : checkVerify],
    ['signature', checkVerify],
    ['ciphertext', checkField],
    ['private_key', checkKeys],
    ['public_key', checkKeys],
  ];
  const checker = rows.find(([input]) => situation.inputs[input] !== undefined)?.[1];
  if (checker === undefined) throw new Unusable('no checker knows inputs of this shape');
  await checker(situation);
};

const pkcs12: readonly Row[] = [[/^(?:p12|pkcs-?12|pfx)/, checkPkcs12]];

/** The first row that matches counts: narrow names stand before wide ones. */
const wechatV3: readonly Row[] = [
  ...pkcs12,
  [/signtest|probe/, checkProbe],
  [/pay-?sign|jsapi|mini-?program|^app-|pay(?:ment)?-param|invoke/, checkPayment],
  [/robust|malformed|^negative|edge-case/, checkByShape],
  [/^platform-cert|certificates?-(?:response|download|list|decrypt)|^download/, checkPlatformCertificates],
  [/serial/, checkSerials],
  [/^(?:notif|callback)/, checkNotification],
  [/^api-?v3-?key/, checkApiV3Key],
  [/^aead|aes-?(?:\d+-)?gcm|^gcm/, checkAead],
  [/^sensitive|oaep|pkcs1v15|^field-|rsa-(?:en|de)crypt/, checkField],
  [/^(?:rsa|sha)[a-z0-9-]*verif|^response-(?:verif|sign)|^answer-verif|^verif|-verify/, checkVerify],
  [/^(?:rsa|sha)[a-z0-9-]*sign|^request-sign|^sign|-sign$/, checkSign],
  [/^authorization|message|string-to-sign|sign-source|format-request|format-response/, checkTexts],
  [/^key-|^pem-|^private-key|^public-key|key-(?:format|pair)/, checkKeys],
];

const aliyunRpc: readonly Row[] = [
  [/percent|url-?encod|^encod/, checkPercentEncoding],
  [/rpc|string-to-sign|canonical|^hmac|^sign/, checkRpc],
];

const aliyunAcs3: readonly Row[] = [
  [/percent|url-?encod|^encod/, checkPercentEncoding],
  [/payload|^hash|^sha256/, checkPayloadHash],
  [/acs3|canonical|string-to-sign|^sign/, checkAcs3],
];

const wechatV2: readonly Row[] = [
  [/refund|req-?info|ecb/, checkRefund],
  [/^xml|xml-(?:parse|read)|malformed/, checkXml],
  [/md5|hmac|sign|sorted|notif|response|verif|pay/, checkV2],
];

const genericHmac: readonly Row[] = [
  [/sorted|param|request/, checkSortedParameters],
  [/hmac/, checkHmac],
];

const shangmi: readonly Row[] = [[/sm[234]/, checkShangmi]];

export const protocols: Readonly<Record<string, readonly Row[]>> = {
  'wechat-v3': wechatV3,
  pkcs12,
  'wechat-v2': wechatV2,
  'alipay-v2': alipayRows,
  'alipay-v3': alipayRows,
  'aliyun-rpc': aliyunRpc,
  'aliyun-acs3': aliyunAcs3,
  'generic-hmac': genericHmac,
  'generic-pss': [[/pss/, checkPss]],
  sm: shangmi,
  'wechat-v3-shangmi': shangmi,
};

/** Provider → the protocols above that are its own. Empty where nobody has published any. */
export const protocolsOf: Readonly<Record<string, readonly string[]>> = {
  wechatpay: ['wechat-v3', 'wechat-v3-shangmi', 'pkcs12'],
  wechatpayV2: ['wechat-v2'],
  alipay: ['alipay-v2', 'alipay-v3'],
  aliyun: ['aliyun-rpc', 'aliyun-acs3'],
  hmac: ['generic-hmac'],
  pss: ['generic-pss'],
  mtls: [],
};

/** Everything that one protocol calls by a name, another may: its own rows first, then those of all, then what the inputs are. */
export function checkerOf(rows: readonly Row[], kind: string): Checker | undefined {
  const named = [...rows, ...Object.values(protocols).flat()].find(([pattern]) => pattern.test(kind))?.[1];
  return named ?? (rows === wechatV3 ? checkByShape : undefined);
}
