// npm run e2e: paycert on the cluster that KUBECONFIG names, from `helm install` to `helm uninstall`, while callers count what fails.
import { after, afterEach, before, describe } from 'node:test';
import { certManaged } from './cert-managed.ts';
import { noCluster } from './cluster.ts';
import { install } from './install.ts';
import { documented } from './documented.ts';
import { faults } from './faults.ts';
import { features } from './features.ts';
import { gates } from './gates.ts';
import { gitops } from './gitops.ts';
import { inputs } from './inputs.ts';
import { leave } from './leave.ts';
import { manifests } from './manifests.ts';
import { minutes } from './minutes.ts';
import { rotations } from './rotations.ts';
import { operatorLogs } from './questions.ts';
import { World } from './world.ts';

describe('paycert on a real cluster', { skip: noCluster, timeout: 25 * 60_000 }, () => {
  let made: World | undefined;
  const world = (): World => {
    if (made === undefined) throw new Error('there is no cluster to work with');
    return made;
  };
  before(async () => {
    made = await World.make();
  });
  after(() => made?.[Symbol.asyncDispose]());
  afterEach(async (t) => {
    if (made && 'passed' in t && !t.passed) console.error(await operatorLogs(made));
  });

  // Chapters of one story, in its order: each goes on from where the one before it ended.
  install(world);
  rotations(world);
  faults(world);
  minutes(world);
  inputs(world);
  gates(world);
  certManaged(world);
  features(world);
  leave(world);
  gitops(world);
  manifests(world);
  documented(world);
});
