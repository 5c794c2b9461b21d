// Every label and annotation that means something to paycert, in one table; docs/operator.md has the same.
export const domain = 'paycert.dev/';

interface Row {
  readonly on: 'Secret' | 'Pod' | 'PaymentCredential, Secret';
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
  'paycert.dev/break-glass': {
    on: 'Secret',
    is: 'annotation',
    meaning:
      'Until this time, such as `2026-03-01T12:00:00Z` and at most 24 hours ahead, the admission webhook lets through what it would refuse.',
  },
  'paycert.dev/operator-class': {
    on: 'PaymentCredential, Secret',
    is: 'label',
    meaning:
      'Which operator looks at it: the one that runs with `--operator-class` and this name; without the label, the one that runs without a class.',
  },
  'paycert.dev/refresh': {
    on: 'Pod',
    is: 'label',
    meaning: 'The PaymentCredential whose Secret this Pod mounts: touch the Pod when the Secret changes.',
  },
  'paycert.dev/refreshed-at': {
    on: 'Pod',
    is: 'annotation',
    meaning: 'Written by the operator: when it touched the Pod last.',
  },
} as const satisfies Record<string, Row>;

/** The names as code uses them. */
export const providerLabel = 'paycert.dev/provider' satisfies keyof typeof labels;
export const requireAnnotation = 'paycert.dev/require' satisfies keyof typeof labels;
export const maxAgeAnnotation = 'paycert.dev/max-age' satisfies keyof typeof labels;
export const createdAtAnnotation = 'paycert.dev/created-at' satisfies keyof typeof labels;
export const usedByLabel = 'paycert.dev/used-by' satisfies keyof typeof labels;
export const breakGlassAnnotation = 'paycert.dev/break-glass' satisfies keyof typeof labels;
export const operatorClassLabel = 'paycert.dev/operator-class' satisfies keyof typeof labels;
export const refreshLabel = 'paycert.dev/refresh' satisfies keyof typeof labels;
export const refreshedAtAnnotation = 'paycert.dev/refreshed-at' satisfies keyof typeof labels;
export const optionPrefix = 'paycert.dev/option.';

/** kubectl's: the object as it was applied last. Not ours, and never written. */
export const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';
