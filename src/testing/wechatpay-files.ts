// Bills and uploads, as the gateway answers them: a bill is described with its hash and downloaded unsigned, an upload must match its own.
import { createHash, randomBytes } from 'node:crypto';
import type { Part } from './multipart.ts';
import { Declined } from './wechatpay-orders.ts';

const columns = '交易时间,公众账号ID,商户号,商户订单号,交易状态,应结订单金额';

/** What `download_url` of that day leads to. */
export const billOf = (day: string): Buffer =>
  Buffer.from(`${columns}\n\`${day} 00:00:00,\`wx1,\`1,\`1,\`SUCCESS,\`0.01\n`);

/** The response to a request for a bill. Its address is the platform's own, and so is called through whatever the merchant calls. */
export const describeBill = (day: string): unknown => ({
  hash_type: 'SHA1',
  hash_value: createHash('sha1').update(billOf(day)).digest('hex'),
  download_url: `https://api.mch.weixin.qq.com/v3/billdownload/file?token=${day}`,
});

/** Throws `Declined` unless the file is what `meta` says. */
export function takeUpload(parts: readonly Part[] | undefined): unknown {
  const meta = parts?.find(({ name }) => name === 'meta');
  const file = parts?.find(({ isFile }) => isFile);
  if (meta === undefined || file === undefined) throw new Declined(400, 'PARAM_ERROR', '缺少meta或file');
  const { sha256 } = JSON.parse(meta.content.toString()) as { readonly sha256?: string };
  const digest = createHash('sha256').update(file.content).digest('hex');
  if (sha256?.toLowerCase() !== digest) throw new Declined(400, 'PARAM_ERROR', '图片哈希值不一致');
  return { media_id: randomBytes(24).toString('base64url') };
}
