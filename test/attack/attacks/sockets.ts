// The life of the socket and of the process: the file removed, two starts over a stale one, signals.
import { rm } from 'node:fs/promises';
import { call } from '../../support/sidecar.ts';
import { type Attack, judge, type Report } from '../attack.ts';
import { makeAttacked, merchantId, wechatpayFiles } from '../material.ts';
import { endOf } from '../patience.ts';
import { socketIn, startSidecar, Target, useDirectory } from '../target.ts';

const makeMain = (directory: string) =>
  makeAttacked(directory, 'main', `wechatpay: { merchantId: "${merchantId}" }`, wechatpayFiles().next);

const signs = (directory: string): Promise<boolean> =>
  call(socketIn(directory), '/v1/credentials/main/sign', { body: '{"message":""}' }).then(
    ({ status }) => status === 200,
    () => false,
  );

async function removed(directory: string): Promise<readonly string[]> {
  const { yaml } = await makeMain(directory);
  const target = await startSidecar(directory, { credentials: [yaml], names: ['main'] });
  try {
    for (let times = 0; times < 3; times += 1) {
      const from = target.lines.length;
      await rm(socketIn(directory));
      await target.line({ event: 'socket-restored' }, from);
      if (!(await signs(directory))) return ['nobody answers after it was put back'];
    }
    return [];
  } finally {
    await target.stop();
  }
}

/** Two that start at once over the socket of one that was killed. */
async function twoStarts(directory: string): Promise<readonly string[]> {
  const { yaml } = await makeMain(directory);
  const dead = await startSidecar(directory, { credentials: [yaml], names: ['main'] });
  await dead.stop();
  const words = ['sidecar', '--config', `${directory}/paycert.yaml`];
  const two = [new Target({ words, megabytes: 256 }), new Target({ words, megabytes: 256 })];
  try {
    const outcomes = await Promise.all(
      two.map((target) =>
        target.line({ event: 'swapped' }).then(
          () => 'serves',
          () => 'ended',
        ),
      ),
    );
    const wrong = outcomes.toSorted().join() === 'ended,serves' ? [] : [`of two starts: ${outcomes.join()}`];
    return (await signs(directory)) ? wrong : [...wrong, 'nobody answers'];
  } finally {
    await Promise.all(two.map((target) => target.stop()));
  }
}

const signals = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2', 'SIGALRM'] as const;

async function drained(directory: string, signal: (typeof signals)[number]): Promise<readonly string[]> {
  const { yaml } = await makeMain(directory);
  const target = await startSidecar(directory, { credentials: [yaml], names: ['main'] });
  try {
    target.child.kill(signal);
    await target.line({ event: 'stopping' });
    const ended = await endOf(target);
    return ended === '0' ? [] : [`it ended with ${ended}`];
  } finally {
    await target.stop();
  }
}

async function run(report: Report): Promise<void> {
  await judge('sockets: the file is removed, three times', () => useDirectory(removed), report);
  for (let round = 1; round <= (report.isQuick ? 2 : 12); round += 1)
    await judge(`sockets: two starts over a stale one, round ${round}`, () => useDirectory(twoStarts), report);
  for (const signal of report.isQuick ? signals.slice(2, 3) : signals)
    await judge(`sockets: ${signal} drains`, () => useDirectory((directory) => drained(directory, signal)), report);
}

export const sockets: Attack = { section: 7, name: 'the socket and the process', isQuick: true, run };
