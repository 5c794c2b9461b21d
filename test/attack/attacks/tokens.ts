// Strangers without a token at the ports of the local API and of the proxy, where these are on TCP.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Attack, type Attempt, measureAll, type Report } from '../attack.ts';
import { makeAttacked, merchantId, wechatpayFiles } from '../material.ts';
import { sayAndHold } from '../saying.ts';
import { socketIn, startSidecar, useDirectory } from '../target.ts';

const post = (header: string): string =>
  `POST /v1/credentials/main/sign HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${header}\r\n\r\n`;
const sized = (bytes: number): string => post(`Content-Length: ${String(bytes)}`);
const chunked = post('Transfer-Encoding: chunked');

async function run(report: Report): Promise<void> {
  const { isQuick } = report;
  const attacks: readonly (readonly [name: string, connections: number, said: string])[] = [
    ['bodies in HTTP chunks of a byte', 200, `${chunked}${'1\r\nx\r\n'.repeat(10_000)}`],
    ['bodies of 3 MB, unread', 64, `${sized(3_000_000)}${'x'.repeat(3_000_000)}`],
    ['bodies of a megabyte that never end', isQuick ? 200 : 1000, `${sized(1_000_000)}${'x'.repeat(200_000)}`],
    ['calls with a wrong token, eight in each', 1000, sized(0).repeat(8)],
    ['line ends in place of a head', 200, '\r\n'.repeat(300_000)],
    ['half heads', isQuick ? 1000 : 4000, `POST / HTTP/1.1\r\nX: ${'x'.repeat(15 * 1024)}`],
    ['idle connections', isQuick ? 2000 : 8000, ''],
  ];
  await useDirectory(async (directory) => {
    const { yaml, name } = await makeAttacked(directory, 'main', `wechatpay: { merchantId: "${merchantId}" }`, wechatpayFiles().next); // prettier-ignore
    const tokens = { callers: join(directory, 'callers'), proxy: join(directory, 'proxy') };
    for (const [who, path] of Object.entries(tokens)) await writeFile(path, `a-token-for-the-${who}`);
    const tcp = (path: string) => `tcp: { address: "127.0.0.1:0", tokenFile: ${path} }`;
    const options = {
      credentials: [yaml],
      names: [name],
      listen: `{ socket: ${socketIn(directory)}, ${tcp(tokens.callers)} }`,
      more: `proxy: { listen: { ${tcp(tokens.proxy)} } }\n`,
    };
    const target = await startSidecar(directory, options);
    try {
      for (const [listener, place] of Object.entries({ tcp: 'the local API', 'proxy-tcp': 'the proxy' })) {
        const address = await target.address(listener);
        const attempts = attacks.map(([what, connections, said]): Attempt => [
          `before the token of ${place}: ${what}`,
          () => sayAndHold(address, connections, () => said),
        ]);
        await measureAll({ target, directory, credential: 'main' }, attempts, report);
      }
    } finally {
      await target.stop();
    }
  });
}

export const tokens: Attack = { section: 1, name: 'strangers without a token', isQuick: true, run };
