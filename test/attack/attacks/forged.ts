// Forged messages of every platform, as large as a body may be, with sixteen retired sets of keys in memory.
import { setTimeout as sleep } from 'node:timers/promises';
import { call } from '../../support/sidecar.ts';
import { type Attack, type Attempt, measureAll, type Report } from '../attack.ts';
import { makeAll } from '../material.ts';
import { socketIn, startSidecar, useDirectory } from '../target.ts';

/** Just below the limit of a body, once it stands in JSON. */
const bytes = 960 * 1024;
const retiredSets = 16;

const seconds = String(Math.floor(Date.now() / 1000));
const signature = Buffer.alloc(256, 7).toString('base64');
const stamp = `app_id=p&timestamp=${seconds}&nonce=n&signature=00`;
const parameters = (size: number): string => Array.from({ length: size / 10 }, (_, i) => `f${i}=${i}`).join('&');
const notification = (body: string, more: object = {}): object => ({ kind: 'notification', body, ...more });
const response = (body: string): object => ({ kind: 'response', apiMethod: 'alipay.trade.query', body });
const xml = (inner: string): object => notification(`<xml><sign>0</sign>${inner}</xml>`);
const fill = (unit: string, size = bytes): string => unit.repeat(Math.floor(size / unit.length));
const pss = (url: string, body = ''): object => notification(body, { method: 'POST', url, headers: { 'X-Signature': signature, 'X-Ts': seconds, 'X-Nonce': 'n', Host: 'a.example' } }); // prettier-ignore
/** The largest that these read at all. */
const form = 256 * 1024;

export type Forgeries = Readonly<Record<string, Readonly<Record<string, () => object>>>>;

/** By credential; `serial`: what names a platform key of WeChat Pay. */
export const forgeriesOf = (serial: string): Forgeries => ({
  alipay: {
    'many parameters': () => notification(`sign=AAAA&${parameters(bytes)}`),
    'one long parameter': () => notification(`sign=${encodeURIComponent(signature)}&sign_type=RSA2&b=${fill('x')}`),
    escapes: () => notification(`sign=${encodeURIComponent(signature)}&sign_type=RSA2&b=${fill('%41+')}`),
    'a deep response': () => response(`{"a":${fill('[')}`),
    'a wide response': () => response(`{${fill('"a":1,')}"b":1}`),
    'a long array': () => response(`{"alipay_trade_query_response":[${fill('{},')}1],"sign":"${signature}"}`),
    'escaped slashes': () =>
      response(`{"alipay_trade_query_response":"${fill('\\/', bytes / 2)}","sign":"${signature}"}`),
    'a return of many parameters': () => ({ kind: 'return', url: `/?sign=AAAA&${parameters(bytes)}` }),
  },
  'wechat-v2': {
    'many elements': () => xml(Array.from({ length: bytes / 10 }, (_, i) => `<a${i}/>`).join('')),
    'many references': () => xml(`<a>${fill('&amp;')}</a>`),
    'many sections': () => xml(`<a>${fill('<![CDATA[]]>')}</a>`),
    'a sealed refund': () => notification(`<xml><return_code>SUCCESS</return_code><req_info>${fill('A')}</req_info></xml>`), // prettier-ignore
    blanks: () => xml(`<a>${fill(' ')}</a>`),
  },
  wechat: {
    'a long body': () =>
      notification(fill('{'), {
        headers: {
          'Wechatpay-Timestamp': seconds,
          'Wechatpay-Nonce': 'n',
          'Wechatpay-Signature': signature,
          'Wechatpay-Serial': serial,
        },
      }),
  },
  hmac: {
    'many parameters': () => notification(`${stamp}&${parameters(form)}`),
    'one long parameter': () => notification(`${stamp}&a=${fill('x', form - 99)}`),
    'a thousand parameters': () => notification(`${stamp}&${parameters(9900)}`),
  },
  'hmac-quoted': {
    marks: () => notification(`${stamp}&a=${fill('!', form - 99)}`),
    slashes: () => notification(`${stamp}&a=${fill('/', form - 99)}`),
    characters: () => notification(`${stamp}&a=${fill('支', form - 99).slice(0, (form - 99) / 3)}`),
    escapes: () => notification(`${stamp}&a=${fill('%21', form - 99)}`),
  },
  'hmac-header': {
    blanks: () =>
      notification(`${stamp.replace(/&signature.*/, '')}&a=${fill('+', form - 99)}`, {
        headers: { Authorization: 'Signature 00' },
      }),
  },
  pss: {
    'many parameters': () => pss(`/?${parameters(bytes)}`),
    'a thousand parameters': () => pss(`/?${parameters(9900)}`),
    'a long query': () => pss(`/?a=${fill('!')}`),
    'a long body': () => pss('/', fill('x')),
  },
});

/** Enough for a short run: those that cost most, and one of each platform. */
const quick = /marks|slashes|many parameters|long body|many references|escapes/;

async function run(report: Report): Promise<void> {
  await useDirectory(async (directory) => {
    const { attacked, wechat } = await makeAll(directory);
    const names = attacked.map(({ name }) => name);
    const target = await startSidecar(directory, { credentials: attacked.map(({ yaml }) => yaml), names });
    try {
      const sets = report.isQuick ? 4 : retiredSets;
      for (let set = 0; set < sets; set += 1) {
        await Promise.all(
          attacked.map(async ({ name, volume, next }) => {
            await volume.write(await next());
            await untilGeneration(directory, name, set + 2);
          }),
        );
      }
      const forgeries = forgeriesOf(wechat().platformKeys[0]!.keyId);
      const attempts = Object.entries(forgeries).flatMap(([credential, all]) =>
        Object.entries(all)
          .filter(([name]) => !report.isQuick || quick.test(name))
          .map(([name, make]): Attempt => [`forged, ${credential}: ${name}`, forge(directory, credential, make)]),
      );
      await measureAll({ target, directory, credential: 'main' }, attempts, report);
    } finally {
      await target.stop();
    }
  });
}

/** Its log says nothing of more than ten swaps a minute. */
async function untilGeneration(directory: string, credential: string, wanted: number): Promise<void> {
  for (let generation = 0; generation < wanted;) {
    const { content } = await call(socketIn(directory), `/v1/credentials/${credential}`);
    ({ generation } = JSON.parse(content) as { generation: number });
    await sleep(20);
  }
}

/** Three times, so that one collection of garbage is not taken for the rule. */
const forge = (directory: string, credential: string, make: () => object) => async (): Promise<string[]> => {
  const body = JSON.stringify(make());
  const wrong: string[] = [];
  for (let times = 0; times < 3; times += 1) {
    const { status } = await call(socketIn(directory), `/v1/credentials/${credential}/verify`, { body });
    if (status !== 422 && status !== 400 && status !== 413) wrong.push(`it was answered with ${status}`);
  }
  return wrong;
};

export const forged: Attack = { section: 1, name: 'forged messages', isQuick: true, run };
