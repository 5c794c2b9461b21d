// Many connections from many addresses that each say something and read nothing.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Strangers have 200 addresses of this machine. */
export const stranger = (index: number): string => `127.0.1.${String(1 + (index % 200))}`;

/** For two seconds. */
export async function sayAndHold(address: string, connections: number, said: (index: number) => string): Promise<void> {
  const [host = '', port] = address.split(':');
  const sockets: Socket[] = [];
  for (let index = 0; index < connections; index += 1) {
    const socket = connect({ host, port: Number(port), localAddress: stranger(index) })
      .pause()
      .on('error', () => undefined);
    socket.write(said(index));
    sockets.push(socket);
    if (index % 256 === 255) await Promise.race([once(socket, 'connect'), sleep(1000)]);
  }
  await sleep(2000);
  for (const socket of sockets) socket.destroy();
}
