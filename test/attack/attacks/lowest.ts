// The lowest limit of memory that the documents state: callers, rotations, and `paycert status` beside them in the same container.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { call } from '../../support/sidecar.ts';
import { type Attack, judge, type Report } from '../attack.ts';
import { makeAttacked, merchantId, wechatpayFiles } from '../material.ts';
import { socketIn, startSidecar, type Target, useDirectory } from '../target.ts';

/** As docs/sidecar.md says. */
const lowestMegabytes = 128;
const callers = 32;
const callsOfEach = 200;

async function sign(socket: string): Promise<readonly string[]> {
  const wrong: string[] = [];
  const one = async () => {
    for (let count = 0; count < callsOfEach; count += 1) {
      const { status } = await call(socket, '/v1/credentials/main/sign', { body: '{"message":"bQ=="}' });
      if (status !== 200) wrong.push(`a caller got ${status}`);
    }
  };
  await Promise.all(Array.from({ length: callers }, one));
  return wrong;
}

/** As `kubectl exec` starts it: in the sidecar's own limit. */
async function statusWithin(target: Target, socket: string): Promise<readonly string[]> {
  const child = spawn('sh', ['-c', target.within('exec "$@"'), 'sh', ...target.program, 'status', '--socket', socket], {
    stdio: 'ignore',
    env: target.environment,
  });
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  return code === 0 ? [] : [`paycert status ended with ${String(code ?? signal)}`];
}

async function squeeze(directory: string): Promise<readonly string[]> {
  const provider = `wechatpay: { merchantId: "${merchantId}" }`;
  const { yaml, volume, next } = await makeAttacked(directory, 'main', provider, wechatpayFiles().next);
  const target = await startSidecar(directory, { credentials: [yaml], names: ['main'], megabytes: lowestMegabytes });
  const socket = socketIn(directory);
  try {
    const signed = sign(socket);
    const wrong: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      const from = target.lines.length;
      await volume.write(await next());
      await target.line({ event: 'swapped' }, from);
      wrong.push(...(await statusWithin(target, socket)));
    }
    wrong.push(...(await signed));
    return target.isAlive ? wrong : [...wrong, `the sidecar ended: ${await target.ended}`];
  } finally {
    await target.stop();
  }
}

const run = (report: Report): Promise<void> =>
  judge(
    `memory: ${callers} callers, three rotations, three times paycert status, in ${lowestMegabytes} MiB`,
    () => useDirectory(squeeze),
    report,
  );

export const lowest: Attack = { section: 7, name: 'the lowest limit of memory', isQuick: true, run };
