// Where material comes from, as it is written in the configuration.
import Type, { type Static } from 'typebox';
import { defaults } from '../defaults.ts';
import { Consul, Etcd, Pki, Vault } from './origins.ts';
import { AllowPlain, WrappingContext, WrappingKey } from './unwrap.ts';
import { Interval, Keys, closed, filePath, namespaceName, objectName, oneOf } from './shared.ts';

const Path = Type.String({ ...filePath, maxLength: 4096 });

const Files = Type.Object(
  {
    path: Type.Union([Path, Type.Array(Path, { minItems: 1, maxItems: 64 })], {
      description: 'A mounted Secret, a plain directory, a single file, or a list of them; their contents are united.',
    }),
    keys: Type.Optional(Keys('Material name → name of the file that holds it.')),
    poll: Type.Optional(Interval('How often to look without an event. Default 10s.')),
  },
  closed,
);

const variableName = {
  pattern: '^[A-Za-z_][A-Za-z0-9_.-]*$',
  form: 'the name of a variable, with no $ before it',
} as const;

const Env = Type.Object(
  { keys: Keys('Material name → name of the environment variable that holds it.', variableName) },
  closed,
);

const Secret = Type.Object(
  {
    name: Type.String({
      ...objectName,
      description: 'The name of the Secret.',
    }),
    namespace: Type.Optional(
      Type.String({
        ...namespaceName,
        description: 'Where it is. The pod’s own namespace, unless it is given.',
      }),
    ),
    keys: Type.Optional(Keys('Material name → key of the Secret that holds it.')),
  },
  closed,
);

const leafSources = {
  files: Type.Optional(Files),
  env: Type.Optional(Env),
  secret: Type.Optional(Secret),
  vault: Type.Optional(Vault),
  consul: Type.Optional(Consul),
  etcd: Type.Optional(Etcd),
};

const Unwrap = Type.Object(
  {
    source: Type.Object(leafSources, { ...oneOf, description: 'Where the wrapped values are.' }),
    with: WrappingKey,
    context: Type.Optional(WrappingContext),
    allowPlain: Type.Optional(AllowPlain),
  },
  { ...closed, description: 'Values that a key service wrapped, each opened once.' },
);

const singleSources = { ...leafSources, pki: Type.Optional(Pki), unwrap: Type.Optional(Unwrap) };

/** Of one set. */
const plainSources = {
  ...singleSources,
  merge: Type.Optional(
    Type.Array(Type.Object(singleSources, oneOf), {
      minItems: 1,
      maxItems: 16,
      description: 'The union of several sources.',
    }),
  ),
  fallback: Type.Optional(
    Type.Array(Type.Object(singleSources, oneOf), {
      minItems: 2,
      maxItems: 8,
      description: 'Several sources of the same material, the best first: the first that is readable.',
    }),
  ),
};

const OneSet = Type.Object(plainSources, { ...oneOf, description: 'Where that set comes from.' });

const Time = (description: string) =>
  Type.Optional(
    Type.String({
      pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$',
      form: 'a time such as 2026-12-01T02:00:00Z',
      description,
    }),
  );

const Step = Type.Object(
  {
    percent: Type.Integer({ minimum: 1, maximum: 100, description: 'In so many of a hundred pods, or requests.' }),
    for: Interval('For how long.'),
  },
  closed,
);

export const Activate = Type.Object(
  {
    at: Time('From that time on, in every pod.'),
    percent: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 100,
        description: 'In so many of a hundred pods, or requests. 0: in none; 100: in all.',
      }),
    ),
    of: Type.Optional(
      Type.Union([Type.Literal('pods'), Type.Literal('requests')], {
        description:
          'What `percent` is a share of: the pods, or the requests of each pod, by the id of the call. Default pods.',
      }),
    ),
    from: Time('When the first of the steps begins.'),
    steps: Type.Optional(
      Type.Array(Step, {
        minItems: 1,
        maxItems: 16,
        description: 'In more and more pods, or requests, one step after the other, and after the last in all.',
      }),
    ),
  },
  { ...closed, description: 'When the next set signs: at, percent, or from and steps.' },
);

const Canary = Type.Object(
  {
    failurePercent: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 100,
        default: defaults.canaryFailurePercent,
        description: 'It stops when the platform refuses that many of a hundred of its signatures, of the last 200.',
      }),
    ),
    minimumCalls: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 200,
        default: defaults.canaryMinimumCalls,
        description: 'It continues while fewer signatures than that were judged in this pod.',
      }),
    ),
  },
  { ...closed, description: 'When a pod stops using a next set that signs by its share.' },
);

const Staged = Type.Object(
  {
    current: OneSet,
    next: OneSet,
    activate: Activate,
    canary: Type.Optional(Canary),
    activationFile: Type.Optional(
      Type.String({
        ...filePath,
        maxLength: 4096,
        description:
          'What this file says counts in place of `activate`, also when it changes: JSON by the name of the credential, such as `{"wechat-main":{"percent":5}}`. Injection has the Pod’s annotation `paycert.dev/activations` there.',
      }),
    ),
  },
  { ...closed, description: 'Two sets of one credential, of which one signs.' },
);

export const SourceSchema = Type.Object(
  { ...plainSources, staged: Type.Optional(Staged) },
  {
    ...oneOf,
    description:
      'Where the material comes from: exactly one of files, env, secret, vault, consul, etcd, pki, unwrap, merge, fallback, staged.',
  },
);

export type SourceConfig = Static<typeof SourceSchema>;
/** Of one of two staged sets. */
export type SetConfig = Static<typeof OneSet>;
export type ActivateConfig = Static<typeof Activate>;
