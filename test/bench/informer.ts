// The peer of the operator: client-node's own informers over the same objects. Prints a line when everything is listed, and stays.
import {
  type KubernetesListObject,
  type KubernetesObject,
  KubeConfig,
  CoreV1Api,
  CustomObjectsApi,
  makeInformer,
} from '@kubernetes/client-node';

const config = new KubeConfig();
config.loadFromDefault();
const core = config.makeApiClient(CoreV1Api);
const custom = config.makeApiClient(CustomObjectsApi);
const resources = { group: 'paycert.dev', version: 'v1alpha1', plural: 'paymentcredentials' };

const secrets = makeInformer(config, '/api/v1/secrets', () => core.listSecretForAllNamespaces({ fieldSelector: 'type!=helm.sh/release.v1' })); // prettier-ignore
const credentials = makeInformer(
  config,
  '/apis/paycert.dev/v1alpha1/paymentcredentials',
  async () => (await custom.listClusterCustomObject(resources)) as KubernetesListObject<KubernetesObject>,
);
for (const informer of [secrets, credentials]) informer.on('error', () => undefined);
await Promise.all([secrets.start(), credentials.start()]);
process.stdout.write('listed\n');
