// npm run deploy: renders deploy/ from the chart, for people without Helm. With --check it writes nothing and names what is stale.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';

const root = new URL('../', import.meta.url);
const namespace = 'paycert-system';

interface Manifest {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly labels?: Record<string, string>;
    readonly annotations?: Record<string, string>;
  };
}

/** What `helm install` would send, as text per object: comments say why a permission is there. */
function render(sets: readonly string[]): { manifest: Manifest; text: string }[] {
  const args = ['template', 'paycert', 'charts/paycert', '--namespace', namespace, '--kube-version', '1.35.0'];
  const flags = sets.flatMap((set) => ['--set', set]);
  const rendered = execFileSync('helm', [...args, ...flags], { cwd: root, encoding: 'utf8' });
  return parseAllDocuments(rendered).flatMap((document) => {
    const manifest = document.toJSON() as Manifest | null;
    if (manifest === null) return [];
    // Helm does not manage these, and nobody upgrades them as a release.
    for (const label of ['helm.sh/chart', 'app.kubernetes.io/managed-by'])
      for (const at of [['metadata'], ['spec', 'template', 'metadata']])
        if (document.hasIn([...at, 'labels', label])) document.deleteIn([...at, 'labels', label]);
    document.commentBefore = null;
    return [
      {
        manifest,
        text: document
          .toString({ directives: false })
          .replace(/^---\n/, '')
          .replace(/^# Source: .*\n/gm, ''),
      },
    ];
  });
}

const header = '# Rendered from charts/paycert by `npm run deploy`. Do not edit.\n';
const join = (texts: readonly string[]): string => `${header}${texts.map((text) => text.trim()).join('\n---\n')}\n`;
const texts = (sets: readonly string[], isWanted: (kind: string) => boolean): string =>
  join(render(sets).flatMap(({ manifest, text }) => (isWanted(manifest.kind) ? [text] : [])));

const namespaceText = `apiVersion: v1
kind: Namespace
metadata:
  name: ${namespace}
  labels:
    pod-security.kubernetes.io/enforce: restricted
`;

const isCrd = (kind: string): boolean => kind === 'CustomResourceDefinition';
// Whoever deletes the file's objects means the CRD too.
const withoutTest = ['test.enabled=false', 'crds.keep=false'];
const monitors = ['serviceMonitor', 'podMonitor', 'prometheusRule'].map((name) => `${name}.renderMode=alwaysRender`);

const kustomization = `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - 00-namespace.yaml
  - 10-crds.yaml
  - 20-operator.yaml
`;

/** In the order in which they must be made: by name. */
const wanted: Readonly<Record<string, string>> = {
  'deploy/00-namespace.yaml': join([namespaceText]),
  'deploy/10-crds.yaml': texts(withoutTest, isCrd),
  'deploy/20-operator.yaml': texts(withoutTest, (kind) => !isCrd(kind)),
  'deploy/kustomization.yaml': join([kustomization]),
  'deploy/monitoring/monitoring.yaml': texts([...withoutTest, ...monitors], (kind) =>
    /Monitor$|^PrometheusRule$/.test(kind),
  ),
};

const current = (path: string): string | undefined => {
  try {
    return readFileSync(new URL(path, root), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
};

const stale = Object.keys(wanted).filter((path) => current(path) !== wanted[path]);
if (process.argv.includes('--check')) {
  for (const path of stale) console.error(`${path} is stale: npm run deploy`);
  process.exitCode = stale.length > 0 ? 1 : 0;
} else {
  for (const path of stale) writeFileSync(new URL(path, root), wanted[path] ?? '');
}
