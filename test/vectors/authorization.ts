// The Authorization header.
import { authorization } from '../../src/providers/wechatpay/messages.ts';
import { requestOf } from './moments.ts';
import type { Situation } from './situation.ts';
import { privateKeyOf, subject } from './subject.ts';

/** Scheme and fields; the order of the fields is free. */
function parseAuthorization(header: string): Readonly<Record<string, string>> {
  const fields = [...header.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']): [string, string] => [
    name,
    value,
  ]);
  return Object.fromEntries([...fields, ['scheme', header.split(' ')[0] ?? '']]);
}

/** From the signature where the vector gives it, otherwise by signing the request. */
export async function checkAuthorization(situation: Situation): Promise<void> {
  const expected = situation.expectsText('authorization', 'authorization_header', 'header');
  if (expected === undefined) return;
  const merchantId = situation.need('mchid', 'merchant_id', 'mch_id');
  const serial = situation.need('serial_no', 'serial', 'merchant_serial', 'certificate_serial');
  const signature = situation.text('signature');
  const privateKey = privateKeyOf(situation);
  let header: string | undefined;
  if (signature === undefined && privateKey !== undefined) {
    const { method, url, timestamp, nonce, body } = requestOf(situation);
    const one = await subject({ privateKey, merchantSerial: serial }, { merchantId });
    const { headers } = await one.authorize({ method, url, body }, { now: new Date(Number(timestamp) * 1000), nonce });
    header = headers['Authorization'];
  } else {
    const nonce = situation.need('nonce_str', 'nonce');
    header = authorization({
      merchantId,
      nonce,
      signature: situation.need('signature'),
      timestamp: situation.need('timestamp'),
      serial,
    });
  }
  const [actual, wanted] = [parseAuthorization(header ?? ''), parseAuthorization(expected)];
  const names = [...new Set([...Object.keys(actual), ...Object.keys(wanted)])];
  const differing = names.filter((name) => actual[name] !== wanted[name]);
  situation.assert(differing.length === 0, `the Authorization header differs in ${differing.join(', ')}`);
}
