// What is foreign and hangs: a log on a full disk, files that became pipes or have no end, a silent name server.
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { open, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { call } from '../../support/sidecar.ts';
import { issue, makeAuthority, pairFiles } from '../../support/mtls.ts';
import { filesOf } from '../../support/directories.ts';
import { type Attack, measureAll, type Report } from '../attack.ts';
import { makeAttacked, merchantId, wechatpayFiles } from '../material.ts';
import { endOf } from '../patience.ts';
import { type SidecarOptions, sidecarConfig, socketIn, startSidecar, type Target, useDirectory } from '../target.ts';

const makeMain = (directory: string) =>
  makeAttacked(directory, 'main', `wechatpay: { merchantId: "${merchantId}" }`, wechatpayFiles().next);

/** Its log says nothing here. */
async function untilSigning(directory: string): Promise<void> {
  const isSigning = () =>
    call(socketIn(directory), '/v1/credentials/main/sign', { body: '{"message":""}' }).then(
      ({ status }) => status === 200,
      () => false,
    );
  while (!(await isSigning())) await sleep(20);
}

/** Its exit code, or that it does not end. */
async function stopped(target: Target): Promise<readonly string[]> {
  target.child.kill('SIGTERM');
  const ended = await endOf(target);
  return ended === '0' ? [] : [`it ended after SIGTERM with ${ended}`];
}

async function fullDisk(report: Report): Promise<void> {
  await useDirectory(async (directory) => {
    const full = await open('/dev/full', 'w');
    const { yaml } = await makeMain(directory);
    const options = { credentials: [yaml], names: [], more: 'log: { level: debug }\n', stdout: full.fd };
    const target = await startSidecar(directory, options);
    try {
      await untilSigning(directory);
      const attempt = () => sleep(2000);
      await measureAll({ target, directory, credential: 'main' }, [['foreign: standard output on a full disk', attempt]], report); // prettier-ignore
      report.add({ name: 'foreign: SIGTERM with a full disk', seconds: 0, broken: await stopped(target) });
    } finally {
      await target.stop();
      await full.close();
    }
  });
}

const odd: Readonly<Record<string, (path: string) => unknown>> = {
  'a pipe without a writer': (path) => execFileSync('mkfifo', [path]),
  'a link into /proc': (path) => symlink('/proc/self/pagemap', path),
  'a device without an end': (path) => symlink('/dev/zero', path),
};

async function oddFiles(report: Report): Promise<void> {
  for (const [what, spoil] of Object.entries(odd))
    await useDirectory(async (directory) => {
      const { yaml } = await makeMain(directory);
      const token = join(directory, 'token');
      const keys = join(directory, 'plain');
      execFileSync('mkdir', [keys]);
      for (const [name, bytes] of await wechatpayFiles().next()) if (!name.includes('/')) await writeFile(join(keys, name), bytes); // prettier-ignore
      await writeFile(token, 'a-token-of-an-attack');
      const plain = `  - { name: plain, provider: { wechatpay: { merchantId: "${merchantId}" } }, source: { files: { path: ${keys} } } }\n`;
      const options: SidecarOptions = { credentials: [yaml, plain], names: ['main'] };
      const target = await startSidecar(directory, { ...options, environment: { UV_THREADPOOL_SIZE: '2' } });
      const replace = async (path: string) => {
        await spoil(`${path}.new`);
        await rename(`${path}.new`, path);
      };
      const attempt = async () => {
        const config = join(directory, 'paycert.yaml');
        const tcp = sidecarConfig(directory, options).replace('listen: {', `listen: { tcp: { address: "127.0.0.1:0", tokenFile: ${token} },`); // prettier-ignore
        await replace(token);
        await writeFile(`${config}.next`, tcp);
        await rename(`${config}.next`, config);
        for (const name of ['apiclient_key.pem', 'apiv3_key']) await replace(join(keys, name));
        await sleep(1000);
        await replace(config);
        await sleep(1000);
      };
      try {
        await measureAll({ target, directory, credential: 'main' }, [[`foreign: token, material and configuration become ${what}`, attempt]], report); // prettier-ignore
        report.add({ name: `foreign: SIGTERM with ${what}`, seconds: 0, broken: await stopped(target) });
      } finally {
        await target.stop();
      }
    });
}

function mayMount(): boolean {
  try {
    execFileSync('unshare', ['-m', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function silentNames(report: Report): Promise<void> {
  const name = 'foreign: eight lists behind a silent name server, on one CPU';
  if (!mayMount()) {
    report.add({ name, seconds: 0, broken: [], skipped: 'this user may not have a mount namespace (unshare -m)' });
    return;
  }
  await useDirectory(async (directory) => {
    const server = createSocket('udp4').bind(53, '127.53.53.53');
    try {
      await once(server, 'listening');
      const { yaml } = await makeMain(directory);
      const authority = await makeAuthority();
      const pair = filesOf({ ...pairFiles(await issue(authority, 'c')), 'ca.crt': authority.certificate });
      const urls = Array.from({ length: 8 }, (_, index) => `"http://crl${index}.example.com/a.crl"`).join();
      const bank = await makeAttacked(directory, 'bank', `mtls: { revocation: { urls: [${urls}] } }`, async () => pair);
      const resolver = join(directory, 'resolv.conf');
      await writeFile(resolver, 'nameserver 127.53.53.53\noptions timeout:30 attempts:2\n');
      const script = `mount --bind ${resolver} /etc/resolv.conf && exec taskset -c 0 "$@"`;
      const before = ['unshare', '-m', 'sh', '-c', script, 'sh'];
      const target = await startSidecar(directory, { credentials: [bank.yaml, yaml], names: ['main'], before });
      try {
        await measureAll({ target, directory, credential: 'main' }, [[name, () => sleep(5000)]], report);
        report.add({ name: 'foreign: SIGTERM with a silent name server', seconds: 0, broken: await stopped(target) });
      } finally {
        await target.stop();
      }
    } finally {
      server.close();
    }
  });
}

async function run(report: Report): Promise<void> {
  await fullDisk(report);
  if (!report.isQuick) await silentNames(report);
  await oddFiles(report);
}

export const foreign: Attack = { section: 4, name: 'what is foreign and hangs', isQuick: true, run };
