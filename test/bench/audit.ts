// What an audit costs: CPU of a sidecar for each request that it authorizes, with lines under a key in a file, beside one without.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cpuMilliseconds, load, median, type Sidecar, startSidecar } from './fixture.ts';
import type { Figures } from './rates.ts';

export interface AuditBench {
  readonly directory: string;
  readonly path: string;
  readonly rounds: number;
  readonly milliseconds: number;
}

/** Both run all the time and are asked in turn, since two processes begin with different luck. */
const pairsPerRound = 3;
/** CPU is counted in hundredths of a second. */
const sliceMilliseconds = 1000;

const request = {
  method: 'POST',
  url: '/v3/pay/transactions/jsapi',
  body: JSON.stringify({ mchid: '1900000001', out_trade_no: '1217752501201407033233368018', amount: { total: 1 } }),
};

export async function auditCost({ directory, path, rounds, milliseconds }: AuditBench): Promise<Figures> {
  const keyFile = join(directory, 'audit-key');
  await writeFile(keyFile, 'k'.repeat(32));
  const audit = `audit: { keyFile: ${keyFile}, volume: { directory: ${join(directory, 'audit')} } }\n`;
  const start = async (name: string, more: string): Promise<Sidecar> => {
    const own = join(directory, name);
    await mkdir(own);
    const sidecar = await startSidecar(own, [{ name: 'wechat', path }], more);
    // Once for the compiler.
    await authorize(sidecar, milliseconds);
    return sidecar;
  };
  const running: Sidecar[] = [];
  try {
    running.push(await start('without-audit', ''), await start('with-audit', audit));
    const pairs: { without: number; with: number }[] = [];
    for (let pair = 0; pair < rounds * pairsPerRound; pair += 1) {
      const measured: number[] = [0, 0];
      // Each is first as often as the other: the machine drifts.
      for (const index of pair % 2 === 0 ? [0, 1] : [1, 0]) measured[index] = await perSignature(running[index]!);
      pairs.push({ without: measured[0]!, with: measured[1]! });
    }
    return {
      audit_cost_per_signature: median(pairs.map((pair) => pair.with / pair.without - 1)),
      authorize_cpu_ms: median(pairs.map((pair) => pair.without)),
    };
  } finally {
    for (const sidecar of running) await sidecar.stop();
  }
}

async function perSignature(sidecar: Sidecar): Promise<number> {
  const before = await cpuMilliseconds(sidecar.process);
  const answers = await authorize(sidecar, sliceMilliseconds);
  return ((await cpuMilliseconds(sidecar.process)) - before) / answers;
}

async function authorize({ socket }: Sidecar, milliseconds: number): Promise<number> {
  const path = '/v1/credentials/wechat/authorize';
  const { answers } = await load({ socket, path, body: JSON.stringify(request), callers: 32, milliseconds });
  return answers;
}
