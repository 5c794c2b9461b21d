// The cluster that KUBECONFIG names, and what only one that is made for tests can do: take an image without a registry, and break on request.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { root } from '../chart/helm.ts';

const execute = promisify(execFile);
const { KUBECONFIG = '', PAYCERT_CLUSTER = '', PAYCERT_IMAGE = '' } = process.env;

/** For `skip`: false where there is a cluster. Never one that nobody named: what kubectl finds by itself may be in use. */
export const noCluster: string | false =
  KUBECONFIG === '' && 'KUBECONFIG names no cluster: nothing is checked on a real one';

/** For `skip`: false where components can be stopped. */
export const noFaults: string | false =
  PAYCERT_CLUSTER === '' && 'PAYCERT_CLUSTER names no command that stops components: this fault is not checked';

/** The image that is tested: the one that is named, or one that is built from here and loaded into the node. */
export async function provideImage(): Promise<string> {
  if (PAYCERT_IMAGE !== '') return PAYCERT_IMAGE;
  assert.notEqual(PAYCERT_CLUSTER, '', 'PAYCERT_IMAGE must name an image of paycert that the nodes can pull');
  const tag = 'localhost/paycert:e2e';
  await execute(PAYCERT_CLUSTER, ['image', tag, root, '--layers'], { maxBuffer: 2 ** 26 });
  return tag;
}

export async function restart(component: 'etcd' | 'kube-apiserver' | 'kubelet'): Promise<void> {
  await execute(PAYCERT_CLUSTER, ['restart', component]);
}

/**
 * Kills whatever runs in the container, as running out of memory does: from outside, since from inside nobody can kill the first
 * process. `id`: as the Pod's status has it. False when its node is not this machine, or is not ours.
 */
export function killContainer(id: string): boolean {
  if (process.getuid?.() !== 0) return false;
  const name = id.replace(/^.*\/\//, '');
  const found = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && isIn(name, pid));
  for (const pid of found) process.kill(Number(pid), 'SIGKILL');
  return found.length > 0;
}

function isIn(container: string, pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(container);
  } catch {
    return false; // it has ended meanwhile
  }
}
