// What an audit costs: CPU of a sidecar for each request that it authorizes, with lines under a key in a file, beside one without.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cpuMilliseconds, load, median, type Sidecar, startSidecar } from './fixture.ts';
import type { Figures } from './rates.ts';

export interface AuditBench {
  readonly directory: string;
  readonly path: string;
  readonly rounds: number;
  readonly milliseconds: number;
}

const request = {
  method: 'POST',
  url: '/v3/pay/transactions/jsapi',
  body: JSON.stringify({ mchid: '1900000001', out_trade_no: '1217752501201407033233368018', amount: { total: 1 } }),
};

export async function auditCost({ directory, path, rounds, milliseconds }: AuditBench): Promise<Figures> {
  const keyFile = join(directory, 'audit-key');
  await writeFile(keyFile, 'k'.repeat(32));
  const audit = `audit: { keyFile: ${keyFile}, volume: { directory: ${join(directory, 'audit')} } }\n`;
  const perSignature = async (more: string): Promise<number> => {
    const sidecar = await startSidecar(directory, [{ name: 'wechat', path }], more);
    try {
      // Once for the compiler.
      await authorize(sidecar, milliseconds / 3);
      const before = await cpuMilliseconds(sidecar.process);
      const answers = await authorize(sidecar, milliseconds);
      return ((await cpuMilliseconds(sidecar.process)) - before) / answers;
    } finally {
      await sidecar.stop();
    }
  };
  const pairs: { without: number; with: number }[] = [];
  for (let round = 0; round < rounds; round += 1)
    pairs.push({ without: await perSignature(''), with: await perSignature(audit) });
  return {
    audit_cost_per_signature: median(pairs.map((pair) => pair.with / pair.without - 1)),
    authorize_cpu_ms: median(pairs.map((pair) => pair.without)),
  };
}

async function authorize({ socket }: Sidecar, milliseconds: number): Promise<number> {
  const path = '/v1/credentials/wechat/authorize';
  const { answers } = await load({ socket, path, body: JSON.stringify(request), callers: 32, milliseconds });
  return answers;
}
