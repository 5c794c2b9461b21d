// Strangers at the port of health and metrics: what they ask, hold open or leave unread, and whether kubelet still gets in.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Attack, type Attempt, measureAll, type Report } from '../attack.ts';
import { itemOf, makeAttacked, merchantId, wechatpayFiles } from '../material.ts';
import { type Probed, Prober } from '../prober.ts';
import { startSidecar, type Target, useDirectory } from '../target.ts';

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost:\r\n\r\n`;
const [getMetrics, getReady, getStatus] = [get('/metrics'), get('/readyz'), get('/status')];
const chunked = 'POST /livez HTTP/1.1\r\nHost:\r\nTransfer-Encoding: chunked\r\n\r\n';
const sizedTo = (bytes: number): string => `POST /livez HTTP/1.1\r\nHost:\r\nContent-Length: ${String(bytes)}\r\n\r\n`;
const upgrade = 'GET /livez HTTP/1.1\r\nHost:\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n';

/** Opens so many connections, of which each says this and reads nothing; kubelet probes all the while, and is answered in its time. */
export async function flood(probed: Probed, connections: number, said: string): Promise<void> {
  const [host = '', port] = probed.address.split(':');
  const sockets = new Set<Socket>();
  const prober = await Prober.start(probed);
  let failures: readonly string[];
  try {
    for (let opened = 0; opened < connections; opened += 1) {
      const socket = connect({ host, port: Number(port) })
        .pause()
        .on('error', () => undefined);
      sockets.add(socket.on('close', () => sockets.delete(socket)));
      socket.write(said);
      // As quickly as the kernel takes them, and not all before the first.
      if (opened % 256 === 255) await Promise.race([once(socket, 'connect'), sleep(1000)]);
    }
    await sleep(2000);
  } finally {
    for (const socket of sockets) socket.destroy();
    failures = await prober.stop();
  }
  if (failures.length > 0) throw new Error(failures.join('; '));
}

/** How many connections this process may hold itself. */
const most = (wanted: number): number => Math.min(wanted, 15_000);

async function useSidecar(
  options: { readonly credentials: number; readonly descriptors?: number },
  use: (target: Target, directory: string, admin: string) => Promise<void>,
): Promise<void> {
  await useDirectory(async (directory) => {
    const { yaml, name } = await makeAttacked(directory, 'main', `wechatpay: { merchantId: "${merchantId}" }`, wechatpayFiles().next); // prettier-ignore
    const path = `${directory}/main`;
    const others = Array.from({ length: options.credentials - 1 }, (_, index) =>
      itemOf(`shop-${index}`, `wechatpay: { merchantId: "${merchantId}" }`, path),
    );
    const { descriptors } = options;
    const target = await startSidecar(directory, { credentials: [yaml, ...others], names: [name], ...(descriptors !== undefined && { descriptors }) }); // prettier-ignore
    try {
      await use(target, directory, await target.address('admin'));
    } finally {
      await target.stop();
    }
  });
}

async function run(report: Report): Promise<void> {
  const { isQuick } = report;
  await useSidecar({ credentials: 50 }, async (target, directory, admin) => {
    const floods: readonly (readonly [name: string, connections: number, said: string])[] = [
      ['2,031 GET /metrics in each of three connections, unread', 3, getMetrics.repeat(2031)],
      ['2,031 GET /metrics in each of 64 connections, unread', 64, getMetrics.repeat(2031)],
      ['GET /metrics in 300 connections, unread', 300, getMetrics],
      ['GET /readyz, eight in each of 64 connections', 64, getReady.repeat(8)],
      ['GET /status, eight in each of 64 connections, unread', 64, getStatus.repeat(8)],
      ['a body of a megabyte in HTTP chunks of a byte', 64, `${chunked}${'1\r\nx\r\n'.repeat(200_000)}`],
      ['a body of ten megabytes that nobody asked for', 16, `${sizedTo(10_000_000)}${'x'.repeat(10_000_000)}`],
      ['a thousand headers in each of 500 connections', 500, `${getReady.slice(0, -2)}${'a:b\r\n'.repeat(1000)}\r\n`],
      ['tunnels and upgrades', 500, `CONNECT a:1 HTTP/1.1\r\nHost:\r\n\r\n${upgrade.repeat(8)}`],
      ['half heads of 16 KB', isQuick ? 2000 : 8500, `GET / HTTP/1.1\r\nX: ${'x'.repeat(7 * 1024)}`],
      ['heads that are too large', isQuick ? 1000 : 4000, `GET / HTTP/1.1\r\nX: ${'x'.repeat(16 * 1024)}`],
      ['idle connections', isQuick ? 3000 : 17_000, ''],
      ['bodies of 3 MB, and their answers unread', 64, `${sizedTo(3_000_000)}${'x'.repeat(3_000_000)}`],
      ['line ends in place of a head', 200, '\r\n'.repeat(300_000)],
      ['bytes that are no HTTP', 1000, '\u0016\u0003\u0001'.repeat(1000)],
    ];
    const attempts = floods.map(([name, connections, said]): Attempt => [
      `strangers: ${name}`,
      () => flood({ address: admin, pid: target.pid }, most(connections), said),
    ]);
    await measureAll({ target, directory, credential: 'main' }, attempts, report);
  });
  if (!isQuick)
    await useSidecar({ credentials: 500 }, async (target, directory, admin) => {
      const attempt: Attempt = [
        'strangers: GET /metrics of 500 credentials, eight in each of 64 connections, unread',
        () => flood({ address: admin, pid: target.pid }, 64, getMetrics.repeat(8)),
      ];
      await measureAll({ target, directory, credential: 'main' }, [attempt], report);
    });
  for (const descriptors of isQuick ? [64] : [64, 128, 256])
    await useSidecar({ credentials: 1, descriptors }, async (target, directory, admin) => {
      const attempt: Attempt = [
        `strangers: idle connections, of ${descriptors} descriptors`,
        () => flood({ address: admin, pid: target.pid }, 1000, ''),
      ];
      await measureAll({ target, directory, credential: 'main' }, [attempt], report);
    });
}

export const strangers: Attack = { section: 1, name: 'strangers at the admin port', isQuick: true, run };
