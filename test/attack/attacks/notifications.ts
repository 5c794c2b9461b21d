// Strangers at the port for notifications: floods, forgeries and slow bodies, while a platform's own still reach the application.
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeNotification } from '../../../src/testing/index.ts';
import { type Attack, type Attempt, measureAll, type Report } from '../attack.ts';
import { makeAttacked, merchantId, wechatpayFiles } from '../material.ts';
import { afterOwnTime } from '../patience.ts';
import type { Probed } from '../prober.ts';
import { sayAndHold, stranger } from '../saying.ts';
import { startSidecar, useDirectory } from '../target.ts';

/** The platform has an address of its own. */
const platform = '127.0.0.2';

interface Posted {
  readonly from: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** As WeChat Pay waits. */
const patienceMilliseconds = 5000;

/** Its status; 0 where the connection ends without one, or none comes from that process in time. */
function post({ address, pid }: Probed, { from, path, headers, body }: Posted): Promise<number> {
  const [host, port] = address.split(':');
  return new Promise((resolve) => {
    const options = { host, port, path, method: 'POST', headers, localAddress: from, agent: false };
    const call = request(options, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    });
    call
      .on(
        'close',
        afterOwnTime(patienceMilliseconds, pid, () => call.destroy()),
      )
      .on('error', () => resolve(0));
    call.end(body);
  });
}

const head = (length: number): string => `POST /main HTTP/1.1\r\nHost: a\r\nContent-Length: ${String(length)}\r\n\r\n`;

const chunked = `POST /main HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${'1\r\nx\r\n'.repeat(10_000)}`;

async function run(report: Report): Promise<void> {
  const { isQuick } = report;
  await useDirectory(async (directory) => {
    const files = wechatpayFiles();
    const { yaml, name } = await makeAttacked(directory, 'main', `wechatpay: { merchantId: "${merchantId}" }`, files.next); // prettier-ignore
    const { platformKeys: [platformKey], apiV3Key } = files.current(); // prettier-ignore
    if (platformKey === undefined) throw new Error('the material has no platform key');
    let handed = 0;
    const application = createServer((incoming, response) => {
      handed += 1;
      incoming.resume().on('end', () => response.end());
    });
    const socket = join(directory, 'application.sock');
    application.listen(socket);
    await once(application, 'listening');
    await writeFile(join(directory, 'secret'), 's'.repeat(32));
    const more = `notifications: { listen: { address: "127.0.0.1:0" }, forwardTo: { socket: ${socket} }, secretFile: ${join(directory, 'secret')} }\n`;
    const target = await startSidecar(directory, { credentials: [yaml], names: [name], more });
    try {
      const address = await target.address('notifications');
      const asked = { address, pid: target.pid };
      let sent = 0;
      const genuine = async (): Promise<void> => {
        const { headers, body } = makeNotification({ platformKey, apiV3Key, id: String((sent += 1)), resource: {} });
        const status = await post(asked, { from: platform, path: '/main', headers, body });
        if (status !== 204) throw new Error(`the platform's own notification was answered with ${String(status)}`);
      };
      await genuine();
      /** Meanwhile the platform sends, too. */
      const during = async (attack: Promise<unknown>): Promise<string[]> => {
        const state = { isOver: false };
        void attack.finally(() => (state.isOver = true)).catch(() => undefined);
        try {
          do {
            await genuine();
            await sleep(200);
          } while (!state.isOver);
        } finally {
          // The next attack is not to meet the end of this one.
          await attack;
        }
        return handed > sent ? [`${String(handed - sent)} of the strangers' reached the application`] : [];
      };
      const forged = makeNotification({ platformKey, apiV3Key, resource: {} });
      const spoiled = { ...forged, body: Buffer.concat([forged.body, Buffer.from(' ')]) };
      const large = { headers: forged.headers, body: Buffer.alloc(255 * 1024, '{') };
      const flood = async (count: number, { headers, body }: typeof spoiled): Promise<void> => {
        for (let done = 0; done < count; done += 64)
          await Promise.all(
            Array.from({ length: 64 }, (_, index) =>
              post(asked, { from: stranger(done + index), path: '/main/x', headers, body }),
            ),
          );
      };
      const attempts: readonly (readonly [string, () => Promise<unknown>])[] = [
        ['forged notifications from 200 addresses', () => flood(isQuick ? 2000 : 20_000, spoiled)],
        ['forged notifications of 255 KiB', () => flood(isQuick ? 640 : 6400, large)],
        ['2,000 forged notifications in each of three packets', () => sayAndHold(address, 3, () => `${head(1)}x`.repeat(2000))],
        ['bodies of 256 KiB that never end', () => sayAndHold(address, isQuick ? 500 : 2000, () => `${head(256 * 1024)}${'x'.repeat(200 * 1024)}`)],
        ['bodies in HTTP chunks of a byte', () => sayAndHold(address, 200, () => chunked)],
        ['half heads', () => sayAndHold(address, isQuick ? 1000 : 4000, () => `POST /main HTTP/1.1\r\nX: ${'x'.repeat(15 * 1024)}`)],
        ['idle connections', () => sayAndHold(address, isQuick ? 2000 : 8000, () => '')],
        ['names of credentials that there are not', () => sayAndHold(address, 1000, (index) => `POST /${String(index)} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`)],
      ]; // prettier-ignore
      await measureAll(
        { target, directory, credential: 'main' },
        attempts.map(([what, attack]): Attempt => [`notifications: ${what}`, () => during(attack())]),
        report,
      );
    } finally {
      await target.stop();
      application.closeAllConnections();
      application.close();
    }
  });
}

export const notifications: Attack = {
  section: 1,
  name: 'strangers at the port for notifications',
  isQuick: true,
  run,
};
