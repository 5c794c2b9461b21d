// Every label and annotation that means something to paycert, in one table; docs/operator.md has the same.
export const domain = 'paycert.dev/';

interface Row {
  readonly on: 'Secret' | 'Pod' | 'PaymentCredential, Secret, Pod';
  readonly is: 'label' | 'annotation';
  readonly meaning: string;
}

export const labels = {
  'paycert.dev/provider': {
    on: 'Secret',
    is: 'label',
    meaning: 'The kind of provider: check this Secret although no PaymentCredential names it.',
  },
  'paycert.dev/option.NAME': {
    on: 'Secret',
    is: 'annotation',
    meaning:
      'The option NAME of that provider, such as `paycert.dev/option.merchantId`: text as it is, anything else as JSON.',
  },
  'paycert.dev/require': {
    on: 'Secret',
    is: 'annotation',
    meaning: 'What it must be able to do, with commas between: `sign,verify`. Default `sign`.',
  },
  'paycert.dev/max-age': {
    on: 'Secret',
    is: 'annotation',
    meaning: 'How old its keys may become, such as `30d`. Default as `maxAge`.',
  },
  'paycert.dev/created-at': {
    on: 'Secret',
    is: 'annotation',
    meaning:
      'When its keys were made, such as `2026-03-01`; also of a Secret that a resource names. The part `created_at` goes before it.',
  },
  'paycert.dev/used-by': {
    on: 'Secret',
    is: 'label',
    meaning:
      'The PaymentCredential that may use this Secret, or `any`. Needed with `--secret-opt-in`; a name longer than a label may be takes `any`.',
  },
  'paycert.dev/certificates-of': {
    on: 'Secret',
    is: 'label',
    meaning:
      'The PaymentCredential whose downloaded platform certificates are written into this Secret, or `any`. Without it nothing is.',
  },
  'paycert.dev/break-glass': {
    on: 'Secret',
    is: 'annotation',
    meaning:
      'Until this time, such as `2026-03-01T12:00:00Z` and at most 24 hours ahead, the admission webhook lets through what it would refuse.',
  },
  'paycert.dev/operator-class': {
    on: 'PaymentCredential, Secret, Pod',
    is: 'label',
    meaning:
      'Which operator looks at it: the one that runs with `--operator-class` and this name; without the label, the one that runs without a class. Of Pods, those that want a sidecar.',
  },
  'paycert.dev/refresh': {
    on: 'Pod',
    is: 'label',
    meaning: 'The PaymentCredential whose Secret this Pod mounts: touch the Pod when the Secret changes.',
  },
  'paycert.dev/credentials': {
    on: 'Pod',
    is: 'annotation',
    meaning:
      'More PaymentCredentials, with commas between: their Secrets are mounted too where a sidecar is injected, and a Pod with the label `paycert.dev/refresh` is touched for them too.',
  },
  'paycert.dev/refreshed-at': {
    on: 'Pod',
    is: 'annotation',
    meaning: 'Written by the operator: when it touched the Pod last.',
  },
  'paycert.dev/sidecar': {
    on: 'Pod',
    is: 'label',
    meaning:
      '`true`: a sidecar runs in it: the PodMonitor of the chart scrapes it, and an operator with `--fleet` asks what it has. Injection sets it.',
  },
  'paycert.dev/inject': {
    on: 'Pod',
    is: 'label',
    meaning: 'The PaymentCredential whose keys the Pod uses: it gets a sidecar ([injection.md](injection.md)).',
  },
  'paycert.dev/injection': {
    on: 'Pod',
    is: 'label',
    meaning: '`disabled`: no sidecar is injected, whatever `paycert.dev/inject` says.',
  },
  'paycert.dev/containers': {
    on: 'Pod',
    is: 'annotation',
    meaning:
      'Which containers may use the injected sidecar, with commas between; init containers only by their name. Default all but init containers.',
  },
  'paycert.dev/source': {
    on: 'Pod',
    is: 'annotation',
    meaning:
      '`api`: the injected sidecar reads the Secrets through the API first, with a token of its own, if no other container has one. Default `mount`.',
  },
  'paycert.dev/image': {
    on: 'Pod',
    is: 'annotation',
    meaning: 'The image of the injected sidecar. Default the one that the operator was started with.',
  },
  'paycert.dev/cpu-request': {
    on: 'Pod',
    is: 'annotation',
    meaning: 'What the injected sidecar asks for of a CPU. Default `50m`.',
  },
  'paycert.dev/cpu-limit': {
    on: 'Pod',
    is: 'annotation',
    meaning: 'The most of a CPU that the injected sidecar gets. Default no limit.',
  },
  'paycert.dev/memory-request': {
    on: 'Pod',
    is: 'annotation',
    meaning: 'The memory that the injected sidecar asks for. Default `96Mi`.',
  },
  'paycert.dev/memory-limit': {
    on: 'Pod',
    is: 'annotation',
    meaning: 'The most memory that the injected sidecar gets. Default `256Mi`.',
  },
  'paycert.dev/log-level': {
    on: 'Pod',
    is: 'annotation',
    meaning:
      'The least severe lines that the injected sidecar writes: `debug`, `info`, `warn` or `error`. Default `info`.',
  },
  'paycert.dev/drain': {
    on: 'Pod',
    is: 'annotation',
    meaning: 'How long the injected sidecar serves on after SIGTERM, such as `5s`. Default `0s`.',
  },
  'paycert.dev/otlp-endpoint': {
    on: 'Pod',
    is: 'annotation',
    meaning:
      'The collector that the injected sidecar sends traces to, such as `http://otel-collector.observability:4318`. Default none.',
  },
  'paycert.dev/injected': {
    on: 'Pod',
    is: 'annotation',
    meaning: 'Written by the operator: what it injected, as JSON.',
  },
  'paycert.dev/activations': {
    on: 'Pod',
    is: 'annotation',
    meaning:
      'Written by the operator where a sidecar with [two staged Secrets](staged.md#in-a-cluster) was injected: when the next one signs, by credential, as JSON.',
  },
} as const satisfies Record<string, Row>;

/** The names as code uses them. */
export const providerLabel = 'paycert.dev/provider' satisfies keyof typeof labels;
export const requireAnnotation = 'paycert.dev/require' satisfies keyof typeof labels;
export const maxAgeAnnotation = 'paycert.dev/max-age' satisfies keyof typeof labels;
export const createdAtAnnotation = 'paycert.dev/created-at' satisfies keyof typeof labels;
export const usedByLabel = 'paycert.dev/used-by' satisfies keyof typeof labels;
export const certificatesOfLabel = 'paycert.dev/certificates-of' satisfies keyof typeof labels;
export const breakGlassAnnotation = 'paycert.dev/break-glass' satisfies keyof typeof labels;
export const operatorClassLabel = 'paycert.dev/operator-class' satisfies keyof typeof labels;
export const refreshLabel = 'paycert.dev/refresh' satisfies keyof typeof labels;
export const credentialsAnnotation = 'paycert.dev/credentials' satisfies keyof typeof labels;
export const sidecarLabel = 'paycert.dev/sidecar' satisfies keyof typeof labels;
export const injectLabel = 'paycert.dev/inject' satisfies keyof typeof labels;
export const injectionLabel = 'paycert.dev/injection' satisfies keyof typeof labels;
export const containersAnnotation = 'paycert.dev/containers' satisfies keyof typeof labels;
export const sourceAnnotation = 'paycert.dev/source' satisfies keyof typeof labels;
export const imageAnnotation = 'paycert.dev/image' satisfies keyof typeof labels;
export const cpuRequestAnnotation = 'paycert.dev/cpu-request' satisfies keyof typeof labels;
export const cpuLimitAnnotation = 'paycert.dev/cpu-limit' satisfies keyof typeof labels;
export const memoryRequestAnnotation = 'paycert.dev/memory-request' satisfies keyof typeof labels;
export const memoryLimitAnnotation = 'paycert.dev/memory-limit' satisfies keyof typeof labels;
export const logLevelAnnotation = 'paycert.dev/log-level' satisfies keyof typeof labels;
export const drainAnnotation = 'paycert.dev/drain' satisfies keyof typeof labels;
export const otlpEndpointAnnotation = 'paycert.dev/otlp-endpoint' satisfies keyof typeof labels;
export const injectedAnnotation = 'paycert.dev/injected' satisfies keyof typeof labels;
export const activationsAnnotation = 'paycert.dev/activations' satisfies keyof typeof labels;
export const refreshedAtAnnotation = 'paycert.dev/refreshed-at' satisfies keyof typeof labels;
export const optionPrefix = 'paycert.dev/option.';
