// What a stranger on the path can answer for a revocation list over plain HTTP: as large as may be, without an end, slowly, or packed.
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { call, replaceFile } from '../../support/sidecar.ts';
import { filesOf } from '../../support/directories.ts';
import { keyPairs } from '../../support/key-pairs.ts';
import { issue, makeAuthority, pairFiles } from '../../support/mtls.ts';
import { type Attack, type Attempt, measureAll, type Report } from '../attack.ts';
import { makeAttacked, merchantId, wechatpayFiles } from '../material.ts';
import { makeList, subjectOf } from '../revocation-list.ts';
import { sidecarConfig, socketIn, startSidecar, useDirectory } from '../target.ts';
import { untilJudged } from '../verdicts.ts';

const most = 16 * 1024 * 1024;
/** What an entry of `makeList` takes. */
const entryBytes = 33;

interface Member {
  readonly name: string;
  readonly urls?: number;
  /** Its list counts, and so its material is accepted. */
  readonly isGenuine?: boolean;
  readonly answer: (response: ServerResponse) => void;
}

/** For as long as somebody reads. */
function writeForEver(response: ServerResponse, chunk: Buffer): void {
  const write = () => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', write);
  write();
}

/** As no server of ours can be made to write. */
function writeInBytes({ socket }: ServerResponse): void {
  socket?.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
  const bytes = Buffer.from('1\r\n0\r\n'.repeat(20_000));
  const write = () => {
    while (socket?.destroyed === false && socket.write(bytes));
  };
  socket?.on('error', () => undefined).on('drain', write);
  write();
}

async function makeMembers(authority: string): Promise<readonly Member[]> {
  const [key, foreign] = await keyPairs();
  const name = subjectOf(authority);
  const entries = Math.floor((most - 4096) / entryBytes);
  const genuine = makeList({ entries, name, key: key!.privateKey });
  const forged = makeList({ entries, name, key: foreign!.privateKey });
  // Bytes of its end only: the frame says what was signed before.
  const mixed = Buffer.concat([genuine.subarray(0, genuine.length - 256), Buffer.alloc(256, 7)]);
  const small = makeList({ entries: 1, name, key: key!.privateKey });
  const zeros = Buffer.alloc(64 * 1024);
  const send =
    (bytes: Buffer, headers: Readonly<Record<string, string>> = {}) =>
    (response: ServerResponse) =>
      void response.writeHead(200, headers).end(bytes);
  return [
    { name: '16 MB, genuine', isGenuine: true, answer: send(genuine) },
    { name: '16 MB that nobody signed', answer: send(forged) },
    { name: '16 MB whose signature is damaged', answer: send(mixed) },
    { name: '16 MB of zeros', answer: send(Buffer.alloc(most - 1)) },
    { name: '16 MB of PEM armour', answer: send(Buffer.alloc(most - 1, '-----BEGIN X509 CRL-----\n')) },
    { name: 'more than 16 MB', answer: send(Buffer.concat([genuine, zeros])) },
    { name: 'chunks without an end', answer: (response) => writeForEver(response, zeros) },
    { name: 'a small list, and then chunks without an end', answer: (response) => writeForEver(response, small) },
    { name: 'HTTP chunks of a byte, without an end', answer: (response) => writeInBytes(response) },
    {
      name: 'one byte at a time',
      answer: (response) => {
        const timer = setInterval(() => response.write(zeros.subarray(0, 1)), 100);
        response.on('close', () => clearInterval(timer));
      },
    },
    {
      name: 'a head, and no more',
      answer: (response) => response.writeHead(200, { 'Content-Length': '1000' }).flushHeaders(),
    },
    { name: 'nothing', answer: () => undefined },
    {
      name: 'a gigabyte in gzip',
      answer: send(gzipSync(Buffer.alloc(256 * 1024 * 1024)), { 'Content-Encoding': 'gzip' }),
    },
    { name: 'a redirect to itself', answer: (response) => void response.writeHead(302, { Location: 'again' }).end() },
    { name: '16 MB from each of sixteen', urls: 16, answer: send(forged) },
    {
      name: 'chunks without an end from each of sixteen',
      urls: 16,
      answer: (response) => writeForEver(response, zeros),
    },
  ];
}

async function run(report: Report): Promise<void> {
  await useDirectory(async (directory) => {
    const authority = await makeAuthority();
    const pair = filesOf({ ...pairFiles(await issue(authority, 'c')), 'ca.crt': authority.certificate });
    const members = await makeMembers(authority.certificate);
    const server = createServer((request, response) => {
      members[Number(/^\/(\d+)/.exec(request.url ?? '')?.[1] ?? 0)]?.answer(response.on('error', () => undefined));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const main = await makeAttacked(directory, 'main', `wechatpay: { merchantId: "${merchantId}" }`, wechatpayFiles().next); // prettier-ignore
    const target = await startSidecar(directory, { credentials: [main.yaml], names: ['main'] });
    try {
      const attempts: Attempt[] = [];
      for (const [index, { name, urls = 1, isGenuine = false }] of members.entries()) {
        if (report.isQuick && index > 8) break;
        const list = Array.from({ length: urls }, (_, one) => `"http://127.0.0.1:${port}/${index}/${one}.crl"`).join();
        const provider = `mtls: { revocation: { whenUnknown: reject, urls: [${list}] } }`;
        const bank = await makeAttacked(directory, `bank-${index}`, provider, () => Promise.resolve(pair));
        const attempt = async () => {
          const text = sidecarConfig(directory, { credentials: [main.yaml, bank.yaml], names: [] });
          await replaceFile(join(directory, 'paycert.yaml'), text);
          await untilJudged(target, bank.name, 0);
          return (await isCurrent(directory, bank.name)) === isGenuine ? [] : ['the material was judged wrongly'];
        };
        attempts.push([`lists: ${name}`, attempt]);
      }
      await measureAll({ target, directory, credential: 'main' }, attempts, report);
    } finally {
      await target.stop();
      server.closeAllConnections();
      server.close();
    }
  });
}

async function isCurrent(directory: string, credential: string): Promise<boolean> {
  const { status, content } = await call(socketIn(directory), `/v1/credentials/${credential}`);
  return status === 200 && (JSON.parse(content) as { generation: number }).generation > 0;
}

export const lists: Attack = { section: 5, name: 'revocation lists over plain HTTP', isQuick: true, run };
