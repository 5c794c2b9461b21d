// Who may import whom: the table of docs/architecture.md. Everything not allowed here is an error.
/** @type {Record<string, string[]>} */
const layers = {
  crypto: [],
  providers: ['crypto'],
  system: [],
  kube: ['system'],
  origins: ['system'],
  sources: ['system', 'kube', 'origins'],
  keys: ['system', 'crypto', 'origins'],
  store: ['crypto', 'providers', 'sources'],
  revocation: ['system', 'crypto', 'providers', 'sources'],
  tls: ['system', 'providers', 'store', 'revocation'],
  delivery: ['system'],
  otlp: ['system'],
  audit: ['system', 'store', 'otlp'],
  gateway: ['system', 'providers', 'sources', 'store', 'tls'],
  config: ['system', 'kube', 'providers'],
  reconcile: ['providers', 'store', 'gateway', 'config'],
  running: ['kube', 'origins', 'keys', 'providers', 'sources', 'store', 'revocation', 'gateway', 'config'],
  operator: ['system', 'crypto', 'kube', 'providers', 'sources', 'store', 'gateway', 'config', 'running'],
  telemetry: ['system', 'providers', 'store', 'otlp'],
  server: ['system', 'crypto', 'providers', 'store', 'gateway', 'delivery'],
  testing: [],
  cli: [
    'system',
    'crypto',
    'kube',
    'providers',
    'sources',
    'store',
    'tls',
    'revocation',
    'gateway',
    'delivery',
    'otlp',
    'audit',
    'config',
    'reconcile',
    'running',
    'operator',
    'telemetry',
    'server',
    'testing',
  ],
};

/** What every layer may import: words, not behaviour. */
const ground =
  '^src/((address|blank|bytes|clock|diagnosis|diagnosis-words|errors|events|json-schema|members|node-version|nonce|optional-package|pasted|shown-path|spelling|tasks|trace|transit|transit-looks|turns|validation)\\.ts|oldest-node\\.js)$';

/** A package and the only files that may import it. */
const onlyImporters = {
  'node-forge': '^src/crypto/pkcs12\\.ts$',
  chokidar: '^src/sources/directory-watch\\.ts$',
  '@kubernetes/client-node': '^src/kube/access\\.ts$',
  '@redis/client': '^src/delivery/redis\\.ts$',
  pino: '^src/telemetry/log\\.ts$',
  'prom-client': '^src/telemetry/(counted/count|fact-gauge|metrics|process-metrics)\\.ts$',
  undici: '^src/(tls/dispatcher|gateway/connections)\\.ts$',
  yaml: '^src/config/(yaml|yaml-opening)\\.ts$',
  opossum: '^src/system/breaker\\.ts$',
  pkcs11js: '^src/keys/pkcs11/module\\.ts$',
  leven: '^src/spelling\\.ts$',
  aws4: '^src/origins/aws/sigv4\\.ts$',
  '@peculiar/x509': '^src/testing/authority\\.ts$',
};

const pure = '^src/(crypto|providers|store)/';

module.exports = {
  forbidden: [
    ...Object.entries(layers).map(([layer, allowed]) => ({
      name: `layer-${layer}`,
      severity: 'error',
      from: { path: `^src/${layer}/` },
      to: { path: '^src/', pathNot: [ground, ...[layer, ...allowed].map((name) => `^src/${name}/`)] },
    })),
    {
      name: 'ground-imports-nothing',
      severity: 'error',
      from: { path: ground },
      to: { path: '^src/', pathNot: ground },
    },
    {
      name: 'a-platform-is-its-index',
      comment: 'What several platforms need has a home in shared; what the rest asks is a member of Platform.',
      severity: 'error',
      from: { path: '^src/(.*?)/?[^/]+$' },
      to: { path: '^src/providers/(?!shared/|partner/)[^/]+/(?!index\\.ts$)', pathNot: '^src/$1/' },
    },
    {
      name: 'only-the-registry-names-platforms',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/providers/registry\\.ts$' },
      to: { path: '^src/providers/(?!shared/|partner/)[^/]+/index\\.ts$' },
    },
    {
      name: 'the-library-has-no-server',
      severity: 'error',
      from: { path: '^src/(index|library)\\.ts$' },
      to: { path: '^src/(operator|telemetry|server|testing|cli)/' },
    },
    ...Object.entries(onlyImporters).map(([name, path]) => ({
      name: `only-importer-${name.replace(/\W/g, '-')}`,
      severity: 'error',
      from: { path: '^src/', pathNot: path },
      to: { path: `node_modules/${name}/` },
    })),
    {
      name: 'only-a-snapshot-verifies-notifications',
      comment:
        'What makes the proof that opens a notification is called in one place, so that nothing else can make one.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(providers/|store/snapshot\\.ts$)' },
      to: { path: '^src/providers/verified\\.ts$' },
    },
    {
      name: 'the-operator-has-no-local-api',
      comment: 'Health and metrics are rows of their own: what answers a probe loads no operation that signs.',
      severity: 'error',
      from: { path: '^src/(cli/operator|server/(health|routes|respond|listeners))\\.ts$' },
      to: { path: '^src/server/(http|operations|openapi)\\.ts$', reachable: true },
    },
    {
      name: 'no-io-in-pure-layers',
      comment: 'crypto, providers and store read no clock, file, network or environment: these are arguments.',
      severity: 'error',
      from: { path: pure },
      to: {
        path: '^(node:)?(fs|net|tls|dgram|http|https|http2|child_process|worker_threads|cluster|inspector|dns|os|process|timers|perf_hooks)',
        dependencyTypes: ['core'],
      },
    },
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
