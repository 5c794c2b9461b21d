// The table: kind of vector → what checks it; and the protocols that have no provider yet.
import { readCertificates } from '../../src/crypto/containers.ts';
import { judge } from '../../src/providers/wechatpay/rules.ts';
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

export const supported: Readonly<Record<string, readonly Row[]>> = {
  'wechat-v3': wechatV3,
  pkcs12,
  'wechat-v2': wechatV2,
  'alipay-v2': alipayRows,
  'alipay-v3': alipayRows,
  'aliyun-rpc': aliyunRpc,
  'aliyun-acs3': aliyunAcs3,
  'generic-hmac': genericHmac,
  'generic-pss': [[/pss/, checkPss]],
};

/** A shangmi certificate must be refused in words, not half supported: Node parses SM2 keys and computes wrong results. */
const checkShangmiRefusal: Checker = async (situation) => {
  const bytes = situation.material('certificate', 'merchant_certificate', 'platform_certificate');
  if (bytes === undefined) return;
  const platformCertificates = readCertificates(bytes, 'certificate').map((certificate) => ({
    name: 'sm2.pem',
    certificate,
  }));
  const codes = judge({ platformCertificates, retired: [], trust: [] }, '1900000000').map(({ code }) => code);
  situation.assert(
    codes.includes('algorithm-unsupported'),
    'an SM2 certificate is not refused as algorithm-unsupported',
  );
};

const skip: Checker = async () => undefined;

/** Without a provider: counted as not supported yet. Whoever adds a provider moves its line to `supported`. */
export const notSupportedYet: Readonly<Record<string, Checker>> = {
  sm: skip,
  'wechat-v3-shangmi': checkShangmiRefusal,
};
