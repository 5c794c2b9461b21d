// README.md of the chart: what it is, and every value with its text.
import type { Value } from './values.ts';

const cell = (text: string): string => text.replaceAll('|', '\\|');
const anchorless = ({ path, text, isGroup, default: value }: Value): string =>
  isGroup
    ? `| **\`${path}\`** | | ${cell(text)} |`
    : `| \`${path}\` | \`${cell(JSON.stringify(value))}\` | ${cell(text)} |`;

export const chartReadme = (
  values: readonly Value[],
): string => `<!-- Made from values.yaml by \`npm run chart\`: change it there, or in scripts/chart/readme.ts. -->

# Chart paycert

Installs the operator of paycert: it watches PaymentCredentials and the Secrets that they name, checks them as a sidecar would,
and says what it finds in conditions, Events and metrics. Sidecars are part of your own Deployments:
[docs/sidecar.md](../../docs/sidecar.md).

\`\`\`sh
helm install paycert charts/paycert --namespace paycert-system --create-namespace
helm test paycert --namespace paycert-system
\`\`\`

Works with Helm 3 and 4, Kubernetes ≥ 1.29, the restricted Pod Security Standard, and with or without Prometheus Operator.
Without Helm: [deploy/](../../deploy/README.md).

## What it may read

| values | the operator may |
| --- | --- |
| \`rbac.scope: cluster\` (default) | read every Secret of the cluster: \`list\` and \`watch\` mean that, whatever the operator asks for |
| \`rbac.scope: namespaces\` | read every Secret of \`rbac.namespaces\`; there is no ClusterRole |
| \`rbac.secretNames: [NAMESPACE/NAME]\` | read these Secrets, by name, and no other; with either scope |

It writes the status of PaymentCredentials, Events, and its Lease; with \`refreshPods\`, also the status of pods.

## CRDs

They are templates: \`helm upgrade\` upgrades them. \`helm uninstall\` leaves them, and with them every PaymentCredential, unless
\`crds.keep\` is false. Who upgrades CRDs in another way sets \`crds.enabled: false\`. A second release in the same cluster must.

After an uninstall the kept CRD still names its release. To install under another name or namespace, take it over: \`helm install --take-ownership\`, or by hand:

\`\`\`sh
kubectl annotate crd paymentcredentials.paycert.dev --overwrite \\
  meta.helm.sh/release-name=NAME meta.helm.sh/release-namespace=NAMESPACE
\`\`\`

## Values

Unknown values are refused: \`values.schema.json\` knows them all. [ci/](ci/) has an example per feature.

| value | default | meaning |
| --- | --- | --- |
${values.map(anchorless).join('\n')}
`;
