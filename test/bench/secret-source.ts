// What reading a Secret through the API costs a sidecar in memory, beside one that reads the same material from a mount.
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSecretVolume, type WechatpayMaterial } from '../../src/testing/index.ts';
import { residentMegabytes } from './fixture.ts';
import { startInPod } from './in-pod.ts';

interface Cluster {
  readonly server: string;
  /** Files of a service account that may read the Secret, which holds the material. */
  readonly serviceAccount: string;
  readonly secret: string;
}

export async function secretSourceMemory(
  material: WechatpayMaterial,
  { server, serviceAccount, secret }: Cluster,
): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'paycert-bench-'));
  const mount = join(directory, 'mount');
  await createSecretVolume(mount, material.files);
  const start = async (name: string, source: object): Promise<ChildProcess> => {
    const config = join(directory, `${name}.yaml`);
    const provider = { wechatpay: { merchantId: material.merchantId } };
    const listen = { socket: join(directory, `${name}.sock`) };
    const document = { listen, admin: { address: '127.0.0.1:0' }, credentials: [{ name, provider, source }] };
    await writeFile(config, JSON.stringify(document));
    const sidecar = startInPod(['sidecar', '--config', config], serviceAccount, server);
    for await (const line of createInterface({ input: sidecar.stdout! })) if (line.includes('"swapped"')) break;
    sidecar.stdout?.resume();
    return sidecar;
  };
  const sidecars = [
    await start('mounted', { files: { path: mount } }),
    await start('api', { secret: { name: secret } }),
  ];
  try {
    await sleep(5000);
    const [mounted = 0, api = 0] = await Promise.all(sidecars.map(residentMegabytes));
    return api - mounted;
  } finally {
    for (const sidecar of sidecars) sidecar.kill();
    await rm(directory, { recursive: true, force: true });
  }
}
