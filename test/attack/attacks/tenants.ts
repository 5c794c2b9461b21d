// Tenants of one operator: a crowd on one large Secret while another tenant waits, and strangers at its port with hundreds of resources.
import type { Files } from '../../../src/testing/index.ts';
import { ControlPlane, noControlPlane } from '../../support/control-plane.ts';
import { installDefinition, Tenant, until, wechatpaySpec } from '../../support/operator.ts';
import { type Attack, type Attempt, measure, type Report } from '../attack.ts';
import { wechatpayFiles } from '../material.ts';
import { Target } from '../target.ts';
import { flood } from './strangers.ts';

const megabytes = 512;
const getMetrics = 'GET /metrics HTTP/1.1\r\nHost:\r\n\r\n';

/** As large as a Secret can be, most of it certificates to compare with. */
function enlarge(files: Files): Files {
  const certificate = Buffer.from(files.get('apiclient_cert.pem') ?? []).toString();
  const trust = Buffer.from(`${certificate}\n`.repeat(500));
  return new Map([...files, ['trust.pem', trust], ['filler', Buffer.alloc(900_000 - trust.length, 'x')]]);
}

async function attackOperator(plane: ControlPlane, report: Report): Promise<void> {
  await installDefinition(plane);
  const resources = report.isQuick ? 60 : 300;
  const [crowd, other] = [await Tenant.make(plane), await Tenant.make(plane)];
  const material = wechatpayFiles();
  await crowd.write('large', enlarge(await material.next()));
  await other.write('keys', await material.next());
  const environment = { KUBECONFIG: await plane.kubeconfig('default') };
  const target = new Target({ words: ['operator', '--address', '127.0.0.1:0'], megabytes, environment });
  try {
    const { address } = await target.line({ event: 'listening' });
    const measured = async (...attempt: Attempt) => report.add(await measure(target, attempt));
    await measured(`tenants: another one waits for ${resources} resources on one Secret of 900 KB`, async () => {
      await Promise.all(Array.from({ length: resources }, (_, index) => crowd.create(`shop-${index}`, wechatpaySpec('large')))); // prettier-ignore
      await other.create('wechat-main', wechatpaySpec('keys'));
      await other.condition('wechat-main', 'Ready', 'True Ready');
    });
    await measured(`tenants: ${resources} resources become what their Secret is`, async () => {
      const last = `shop-${resources - 1}`;
      await until(async () => (await crowd.status(last)) !== undefined, 'the last one has a status');
    });
    await measured('tenants: the large Secret changes ten times, and another one is served', async () => {
      for (let times = 0; times < 10; times += 1) await crowd.write('large', enlarge(await material.next()));
      await other.write('second', await material.next());
      await other.create('second', wechatpaySpec('second'));
      await other.condition('second', 'Ready', 'True Ready');
    });
    await measured(`strangers: 2,031 GET /metrics in each of 64 connections, of ${resources} resources`, () =>
      flood({ address: String(address), pid: target.pid }, 64, getMetrics.repeat(2031)),
    );
  } finally {
    await target.stop();
  }
}

async function run(report: Report): Promise<void> {
  if (noControlPlane !== false) {
    report.add({ name: 'tenants of one operator', seconds: 0, broken: [], skipped: noControlPlane });
    return;
  }
  const plane = await ControlPlane.start();
  try {
    await attackOperator(plane, report);
  } finally {
    await plane[Symbol.asyncDispose]();
  }
}

export const tenants: Attack = { section: 6, name: 'tenants of one operator', isQuick: false, run };
