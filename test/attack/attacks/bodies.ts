// What a caller or an owner of the configuration may make large: batches, nested JSON, names, paycert.yaml, and a log that floods.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { call, replaceFile } from '../../support/sidecar.ts';
import { type Attack, type Attempt, judge, measureAll, type Report } from '../attack.ts';
import { makeAttacked, merchantId, wechatpayFiles } from '../material.ts';
import { endOf } from '../patience.ts';
import { sidecarConfig, socketIn, startSidecar, Target, useDirectory } from '../target.ts';

const megabyte = 1000 * 1000;
const fill = (unit: string, size = megabyte): string => unit.repeat(Math.floor(size / unit.length));

const bodies: readonly (readonly [name: string, path: string, body: () => string])[] = [
  ['350,000 items of a batch', 'sign/batch', () => `{"items":[${fill('1,', 700_000)}1]}`],
  ['a batch of empty items', 'sign/batch', () => `{"items":[${fill('{},')}{}]}`],
  ['a deep body', 'sign', () => `{"message":${fill('[')}`],
  ['a wide body', 'sign', () => `{${Array.from({ length: 70_000 }, (_, i) => `"m${i}":1`).join()}}`],
  ['one text of a megabyte', 'sign', () => `{"message":"${fill('x')}","more":1}`],
  ['escapes', 'sign', () => `{"message":"${fill('\\u0041')}","more":1}`],
  ['many headers', 'verify', () => `{"headers":{${Array.from({ length: 70_000 }, (_, i) => `"m${i}":"1"`).join()}}}`],
  [
    'many parameters',
    'authorize',
    () => `{"parameters":{${Array.from({ length: 9000 }, (_, i) => `"m${i}":"1"`).join()}}}`,
  ],
  ['a long address', 'authorize', () => `{"method":"GET","url":"/${fill('%41')}"}`],
];

/** Each about 2 MB, and none is a configuration. */
const documents: Readonly<Record<string, () => string>> = {
  'credentials by the thousand': () =>
    fill('  - { name: a, provider: { aliyun: {} }, source: { files: { path: /x } } }\n', 2 * megabyte),
  'a deep document': () => `credentials: ${fill('[', 2 * megabyte)}`,
  'many lines of text': () => `log: |\n${fill('  x\n', 2 * megabyte)}`,
  'many members': () => Array.from({ length: 200_000 }, (_, i) => `m${i}: 1`).join('\n'),
};

async function runBodies(report: Report): Promise<void> {
  await useDirectory(async (directory) => {
    const main = await makeAttacked(
      directory,
      'main',
      `wechatpay: { merchantId: "${merchantId}" }`,
      wechatpayFiles().next,
    );
    const options = { credentials: [main.yaml], names: ['main'] };
    const target = await startSidecar(directory, options);
    try {
      const attempts = bodies.map(([name, path, body]): Attempt => [
        `bodies: ${name}`,
        async () => {
          const { status } = await call(socketIn(directory), `/v1/credentials/main/${path}`, { body: body() });
          return status >= 400 && status < 500 ? [] : [`it was answered with ${status}`];
        },
      ]);
      await measureAll({ target, directory, credential: 'main' }, attempts, report);
      const config = join(directory, 'paycert.yaml');
      const changes = Object.entries(documents).map(([name, text]): Attempt => [
        `configuration of 2 MB, running: ${name}`,
        async () => {
          const from = target.lines.length;
          await replaceFile(config, `${sidecarConfig(directory, options)}${text()}`);
          await target.line({ event: 'config-rejected' }, from);
        },
      ]);
      await measureAll({ target, directory, credential: 'main' }, changes, report);
    } finally {
      await target.stop();
    }
  });
  for (const [name, text] of Object.entries(documents))
    await judge(
      `configuration of 2 MB, at the start: ${name}`,
      () =>
        useDirectory(async (directory) => {
          const path = join(directory, 'paycert.yaml');
          await writeFile(path, text());
          const target = new Target({ words: ['sidecar', '--config', path], megabytes: 256 });
          const ended = await endOf(target);
          await target.stop();
          return ended === '78' ? [] : [`it ended with ${ended}`];
        }),
      report,
    );
}

export const largeBodies: Attack = {
  section: 1,
  name: 'large bodies and configurations',
  isQuick: true,
  run: runBodies,
};
