// npm run bench: a table for people, or --output json: one flat object of ratios measured in one run.
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createSecretVolume, createWechatpayMaterial } from '../../src/testing/index.ts';
import { formatTable } from '../../src/cli/table.ts';
import { auditCost } from './audit.ts';
import { buildBundle, startBareServer, startSidecar } from './fixture.ts';
import { memory, thousandCredentials } from './footprint.ts';
import { notificationRates } from './notifications.ts';
import { idleVault, originLatencies } from './origins.ts';
import { drawPicture } from './picture.ts';
import { peerRates } from './peers.ts';
import { proxyFigures } from './proxy.ts';
import { fairness, type Figures, libraryRates, signRates, verifyAndDecryptRates } from './rates.ts';
import { swapLatencies } from './swaps.ts';

/** What we aim for on two cores; figures without an aim are printed for the eye. */
const aims: Readonly<Record<string, `${'≥' | '≤'} ${number}`>> = {
  sign_over_openssl: '≥ 0.85',
  sign_batch8_over_openssl: '≥ 0.9',
  sign_batch64_over_openssl: '≥ 0.94',
  verify_over_inprocess: '≥ 0.4',
  decrypt_over_inprocess: '≥ 0.3',
  library_sign_over_crypto: '≥ 0.97',
  notification_over_inprocess: '≥ 0.5',
  audit_cost_per_signature: '≤ 0.05',
  proxy_p50_over_sign_verify: '≤ 1.2',
  proxy_p99_over_bare_proxy: '≤ 1.5',
  proxy_throughput_over_bare_proxy: '≥ 0.9',
  proxy_rss_1000_slow_mb: '≤ 60',
  proxy_rss_download_growth_mb: '≤ 5',
  single_sign_under_batches_p99_ms: '≤ 30',
  swap_to_current_p99_ms: '≤ 10',
  swap_to_current_loaded_p99_ms: '≤ 25',
  rss_idle_over_bare: '≤ 1.25',
  rss_loaded_over_bare: '≤ 1.7',
  scrape_ms_per_7000_series: '≤ 20',
  sign_over_node_server: '≥ 0.97',
  sign_over_go_sidecar: '≥ 2',
  p99_over_go_sidecar: '≤ 0.5',
  sign_over_transit: '≥ 3',
  remote_sign_over_service: '≥ 0.9',
  sign_over_wechatpay_axios_plugin: '≥ 1',
  sign_over_alipay_sdk: '≥ 1',
};

const { values } = parseArgs({
  options: {
    output: { type: 'string', default: 'text' },
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    picture: { type: 'string' },
  },
});
// Seconds each: in the first one the callers' own code is still being compiled, and takes its share of the cores.
const [rounds, milliseconds] = values.quick ? [1, 1000] : [7, 3000];
const swapCount = values.quick ? 20 : 200;
const requests = values.quick ? 5_000 : 100_000;

const directory = await mkdtemp(join(tmpdir(), 'paycert-bench-'));
// As kubelet mounts a Secret: in memory.
const inMemory = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'paycert-bench-'));
try {
  buildBundle();
  const material = await createWechatpayMaterial({ merchantId: '1900000001', now: new Date() });
  const secret = join(inMemory, 'wechat');
  const volume = await createSecretVolume(secret, material.files);
  const start = () => startSidecar(directory, [{ name: 'wechat', path: secret }]);
  // Fills the compile cache, as building the image does.
  await (await start()).stop();
  const withSidecar = async (
    measure: (socket: Awaited<ReturnType<typeof start>>) => Promise<Figures>,
  ): Promise<Figures> => {
    const sidecar = await start();
    try {
      return await measure(sidecar);
    } finally {
      await sidecar.stop();
    }
  };
  const groups: Record<string, () => Promise<Figures>> = {
    memory: () => memory(directory, start, requests),
    sign: () => withSidecar((sidecar) => signRates({ sidecar, material, rounds, milliseconds })),
    verify: () =>
      withSidecar(async (sidecar) => {
        const bare = await startBareServer(directory);
        try {
          return await verifyAndDecryptRates({ sidecar, material, rounds, milliseconds }, bare);
        } finally {
          await bare.stop();
        }
      }),
    notifications: () =>
      notificationRates({ directory, path: secret, material, rounds, count: values.quick ? 1000 : 5000 }),
    proxy: () => proxyFigures({ directory, path: secret, material, rounds: values.quick ? 1 : 5, milliseconds }),
    audit: () => auditCost({ directory, path: secret, rounds, milliseconds }),
    library: () => withSidecar((sidecar) => libraryRates({ sidecar, material, rounds, milliseconds })),
    fairness: () => withSidecar((sidecar) => fairness({ sidecar, material, rounds, milliseconds })),
    swaps: async () => {
      const measured = await withSidecar(({ socket }) => swapLatencies({ socket, volume, material, count: swapCount }));
      // What follows signs with the key that it knows.
      await volume.write(material.files);
      return measured;
    },
    peers: () =>
      withSidecar((sidecar) => peerRates({ directory, sidecar, material, rounds: values.quick ? 1 : 3, milliseconds })),
    origins: async () => ({
      ...(await originLatencies({ directory, material, count: values.quick ? 5 : 20 })),
      ...(await idleVault({ directory, material, milliseconds: values.quick ? 2_000 : 60_000 })),
    }),
    thousand: () => thousandCredentials(directory, inMemory, material),
  };
  const figures: Figures = {};
  for (const [name, measure] of Object.entries(groups)) {
    if (values.only !== undefined && values.only !== name) continue;
    if (values.output === 'text') process.stderr.write(`measuring ${name} …\n`);
    Object.assign(figures, await measure());
  }
  if (values.picture !== undefined) await writeFile(values.picture, drawPicture(figures));
  const round = (value: number) => Number(value.toPrecision(3));
  const rounded = Object.fromEntries(Object.entries(figures).map(([key, value]) => [key, round(value)]));
  if (values.output === 'json') process.stdout.write(`${JSON.stringify(rounded)}\n`);
  else
    process.stdout.write(`${formatTable(['FIGURE', 'MEASURED', 'AIM', ''], Object.entries(rounded).map(describe))}\n`);
} finally {
  for (const each of [directory, inMemory]) await rm(each, { recursive: true, force: true });
}

function describe([key, value]: [string, number]): string[] {
  const aim = aims[key];
  if (aim === undefined) return [key, String(value), '-', ''];
  const limit = Number(aim.slice(2));
  const isMet = aim.startsWith('≥') ? value >= limit : value <= limit;
  return [key, String(value), aim, isMet ? 'met' : 'missed'];
}
