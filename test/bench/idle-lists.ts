// How often the operator lists while nothing happens in two hundred namespaces that it watches one by one, as the API server counts it.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { ControlPlane } from '../support/control-plane.ts';
import { installDefinition } from '../support/operator.ts';
import { startInPod } from './in-pod.ts';

const namespaceCount = 200;
/** A tenth of the time in which each namespace is listed once: lists are spread over it. */
const restMilliseconds = 180_000;

/** Lists of one namespace: those of the whole cluster are the API server's own. */
async function countLists(plane: ControlPlane): Promise<number> {
  const lines = (await plane.metrics()).split('\n').filter((line) => line.startsWith('apiserver_request_total{'));
  const counted = lines.filter(
    (line) =>
      line.includes('verb="LIST"') &&
      line.includes('scope="namespace"') &&
      /resource="(secrets|paymentcredentials)"/.test(line),
  );
  return counted.reduce((sum, line) => sum + Number(line.split(' ').pop()), 0);
}

export async function measureIdleLists(): Promise<Record<string, number>> {
  await using plane = await ControlPlane.start();
  await installDefinition(plane);
  const names = Array.from({ length: namespaceCount }, (_, index) => `tenant-${String(index)}`);
  for (const name of names) await plane.admin('POST', '/api/v1/namespaces', { metadata: { name } });
  const words = ['operator', '--address', '127.0.0.1:0', '--log-level', 'error'];
  const namespaces = names.flatMap((name) => ['--namespace', name]);
  const operator: ChildProcess = startInPod(
    [...words, ...namespaces],
    await plane.ownerFiles('default'),
    `https://127.0.0.1:${String(plane.port)}`,
  );
  operator.stdout?.resume();
  const ended = once(operator, 'exit');
  while ((await countLists(plane)) < namespaceCount * 2) await sleep(1000);
  const before = await countLists(plane);
  await sleep(restMilliseconds);
  const lists = (await countLists(plane)) - before;
  operator.kill('SIGTERM');
  await ended;
  return { idle_lists_per_s_200_namespaces: lists / (restMilliseconds / 1000) };
}
