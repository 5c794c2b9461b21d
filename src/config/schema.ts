// The one definition of the configuration: types, validation, JSON Schema and every default come from here.
import Type, { type Static } from 'typebox';

const closed = { additionalProperties: false } as const;
const oneOf = { ...closed, minProperties: 1, maxProperties: 1 } as const;

const Duration = (description: string) =>
  Type.String({
    pattern: '^[0-9]{1,7}(ms|s|m|h|d)$',
    description: `${description} Such as 500ms, 10s, 5m, 12h or 7d.`,
  });

/** Not zero: that would be a loop without a pause. */
const Interval = (description: string) =>
  Type.String({
    pattern: '^0{0,6}[1-9][0-9]{0,6}(ms|s|m|h|d)$',
    description: `${description} Not zero. Such as 500ms, 10s or 5m.`,
  });

/** Five digits: a status can hold the time that it ends at. */
const MaxAge = Type.String({
  pattern: '^0{0,4}[1-9][0-9]{0,4}(ms|s|m|h|d)$',
  description:
    'How old a key may become until it should be replaced: a symmetric key or an access key; where there is none, and only if it is given, a private key of yours. Default 90d. Not zero. Such as 30d or 12h.',
});

const Keys = (description: string) =>
  Type.Record(Type.String({ maxLength: 253 }), Type.String({ minLength: 1, maxLength: 253 }), {
    maxProperties: 256,
    description,
  });

const Path = Type.String({ minLength: 1, maxLength: 4096 });

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

const Env = Type.Object({ keys: Keys('Material name → name of the environment variable that holds it.') }, closed);

const Secret = Type.Object(
  {
    name: Type.String({
      pattern: '^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$',
      description: 'The name of the Secret.',
    }),
    namespace: Type.Optional(
      Type.String({
        pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$',
        description: 'Where it is. The pod’s own namespace, unless it is given.',
      }),
    ),
    keys: Type.Optional(Keys('Material name → key of the Secret that holds it.')),
  },
  closed,
);

const leafSources = { files: Type.Optional(Files), env: Type.Optional(Env), secret: Type.Optional(Secret) };

export const SourceSchema = Type.Object(
  {
    ...leafSources,
    merge: Type.Optional(
      Type.Array(Type.Object(leafSources, oneOf), {
        minItems: 1,
        maxItems: 16,
        description: 'The union of several sources.',
      }),
    ),
    first: Type.Optional(
      Type.Array(Type.Object(leafSources, oneOf), {
        minItems: 2,
        maxItems: 8,
        description: 'Several sources of the same material, the best first: the first that is readable.',
      }),
    ),
  },
  { ...oneOf, description: 'Where the material comes from: exactly one of files, env, secret, merge, first.' },
);

const Wechatpay = Type.Object(
  {
    merchantId: Type.String({
      pattern: '^[0-9]{6,16}$',
      description: 'The merchant id (mchid); the merchant certificate must name it.',
    }),
    responseKey: Type.Optional(
      Type.Union(
        [
          Type.Literal('platform'),
          Type.Literal('publicKey'),
          Type.Object(
            {
              publicKeyPercent: Type.Number({
                minimum: 0,
                maximum: 100,
                description: 'The share of requests that name the public key.',
              }),
            },
            closed,
          ),
        ],
        {
          description:
            'Which platform key requests name while a certificate and a public key are both loaded. Default platform.',
        },
      ),
    ),
    legacyFieldPadding: Type.Optional(
      Type.Boolean({
        description:
          'Also open encrypted fields with PKCS#1 v1.5, for very old interfaces; damaged ones may come out as random text. Default false.',
      }),
    ),
  },
  closed,
);

const WechatpayV2 = Type.Object(
  {
    merchantId: Type.String({
      pattern: '^[0-9]{6,16}$',
      description: 'The merchant id (mch_id); a client certificate must name it.',
    }),
    appId: Type.Optional(
      Type.String({ pattern: '^[0-9A-Za-z_-]{1,64}$', description: 'Signed as appid where a request names none.' }),
    ),
  },
  closed,
);

const Alipay = Type.Object(
  {
    appId: Type.String({
      pattern: '^[0-9A-Za-z_]{6,64}$',
      description: 'The application’s AppID, without spaces; its certificate must name it.',
    }),
    mode: Type.Union([Type.Literal('certificate'), Type.Literal('key')], {
      description: 'Whether requests name certificates, or Alipay knows the application by its public key alone.',
    }),
    gateway: Type.Optional(
      Type.Union([Type.Literal('production'), Type.Literal('sandbox')], {
        description: 'Where requests go, and which environment’s certificates fit. Default production.',
      }),
    ),
  },
  closed,
);

const Aliyun = Type.Object({}, { ...closed, description: 'Aliyun OpenAPI; it needs no options.' });

const MaxNonces = Type.Optional(
  Type.Integer({
    minimum: 1000,
    maximum: 10_000_000,
    description:
      'How many nonces of accepted requests are remembered; when all are taken, requests are refused. Each takes about 100 bytes. Default 200000.',
  }),
);

const Hmac = Type.Object(
  {
    keyId: Type.String({ pattern: '^[!-~]{1,128}$', description: 'What names the key in requests.' }),
    scheme: Type.Union(
      [
        Type.Literal('sorted'),
        Type.Literal('sorted-quoted'),
        Type.Literal('sorted-appended'),
        Type.Literal('sorted-header'),
        Type.Literal('request'),
      ],
      { description: 'The text that is signed, and where the signature stands; as agreed on with the partner.' },
    ),
    slash: Type.Optional(
      Type.Union([Type.Literal('keep'), Type.Literal('encode')], {
        description: 'Whether / is encoded where values are. Default keep, as Python’s quote.',
      }),
    ),
    maxNonces: MaxNonces,
  },
  closed,
);

const Pss = Type.Object(
  {
    appId: Type.String({ pattern: '^[!-~]{1,128}$', description: 'Sent as X-App-Id.' }),
    maxNonces: MaxNonces,
  },
  closed,
);

const Revocation = Type.Object(
  {
    urls: Type.Optional(
      Type.Array(Type.String({ pattern: '^https?://[!-~]+$', maxLength: 2000 }), {
        minItems: 1,
        maxItems: 16,
        description: 'Where revocation lists are downloaded, every hour. Lists in the material (ca.crl) count too.',
      }),
    ),
    whenUnknown: Type.Optional(
      Type.Union([Type.Literal('accept'), Type.Literal('reject')], {
        description: 'What holds where nothing current is known of a certificate. Default accept.',
      }),
    ),
    ocsp: Type.Optional(
      Type.Union([Type.Literal('ask'), Type.Literal('ignore')], {
        description: 'Whether the OCSP responder that a certificate names is asked. Default ask.',
      }),
    ),
  },
  closed,
);

const Mtls = Type.Object(
  {
    revocation: Type.Optional(Revocation),
    serverNames: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^(\\*\\.)?[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$' }),
        // Any label but `ca`, whose files mean something else; without looking ahead, which the API server's RE2 cannot.
        Type.String({ pattern: '^([abd-z0-9]([a-z0-9-]{0,61}[a-z0-9])?|c([b-z0-9]|[a-z0-9-]{1,61}[a-z0-9])?)$' }),
        {
          maxProperties: 256,
          ...closed,
          description:
            'Host name (or * for its first label) → name of the pair that is shown there: NAME.crt, NAME.key and perhaps NAME.ca.crt. Every other name has tls.crt.',
        },
      ),
    ),
    minVersion: Type.Optional(
      Type.Union([Type.Literal('TLSv1.2'), Type.Literal('TLSv1.3')], {
        description: 'The oldest version of TLS that is spoken. Default TLSv1.2.',
      }),
    ),
  },
  closed,
);

export const ProviderSchema = Type.Object(
  {
    wechatpay: Type.Optional(Wechatpay),
    wechatpayV2: Type.Optional(WechatpayV2),
    alipay: Type.Optional(Alipay),
    aliyun: Type.Optional(Aliyun),
    hmac: Type.Optional(Hmac),
    pss: Type.Optional(Pss),
    mtls: Type.Optional(Mtls),
  },
  { ...oneOf, description: 'Whose rules the material follows: exactly one.' },
);

export const CredentialSchema = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$', description: 'What callers say to use it.' }),
    required: Type.Optional(Type.Boolean({ description: 'Whether the process is ready only with it. Default false.' })),
    require: Type.Optional(
      Type.Array(Type.Union([Type.Literal('sign'), Type.Literal('verify'), Type.Literal('decrypt')]), {
        minItems: 1,
        maxItems: 3,
        description: 'What it must be able to do to be ready. Default [sign].',
      }),
    ),
    provider: ProviderSchema,
    source: SourceSchema,
    older: Type.Optional(
      Type.Union([Type.Literal('accept'), Type.Literal('reject')], {
        description:
          'Whether material older than the current one may replace it, as a rollback that is counted. Default accept.',
      }),
    ),
    grace: Type.Optional(Duration('How long replaced keys still verify and decrypt. Default 7d.')),
    maxAge: Type.Optional(MaxAge),
  },
  closed,
);

export const ResourceEntrySchema = Type.Object(
  {
    resource: Type.String({
      pattern: '^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$',
      description: 'The name of a PaymentCredential: provider, options and Secret come from it, and follow it.',
    }),
    namespace: Type.Optional(
      Type.String({
        pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$',
        description: 'Where it is. The pod’s own namespace, unless it is given.',
      }),
    ),
    name: Type.Optional(
      Type.String({
        pattern: '^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$',
        description: 'What callers say to use it. The name of the resource, unless it is given.',
      }),
    ),
    required: Type.Optional(Type.Boolean({ description: 'Whether the process is ready only with it. Default false.' })),
  },
  closed,
);

export const maxCredentials = 5000;

export const CredentialsSchema = Type.Array(CredentialSchema, { maxItems: maxCredentials });

const Tcp = Type.Object(
  {
    address: Type.String({
      pattern: '^.*:[0-9]{1,5}$',
      maxLength: 262,
      description: 'host:port; port 0 takes a free one.',
    }),
    tokenFile: Type.Optional(
      Type.String({ minLength: 1, description: 'A file with the bearer token that callers must send.' }),
    ),
    insecure: Type.Optional(Type.Boolean({ description: 'Serve without a token. Default false.' })),
    exposed: Type.Optional(Type.Boolean({ description: 'Allow an address that other hosts reach. Default false.' })),
  },
  closed,
);

const Listen = Type.Object(
  {
    socket: Type.Optional(
      Type.String({ minLength: 1, maxLength: 107, description: 'Path of the Unix socket, created with mode 0660.' }),
    ),
    tcp: Type.Optional(Tcp),
    maxBodyBytes: Type.Optional(
      Type.Integer({
        minimum: 1024,
        maximum: 64 * 1024 * 1024,
        description: 'Larger bodies are refused before they are buffered. Default 1 MiB.',
      }),
    ),
  },
  closed,
);

export const ConfigSchema = Type.Object(
  {
    listen: Listen,
    admin: Type.Optional(
      Type.Object(
        {
          address: Type.String({
            pattern: '^.*:[0-9]{1,5}$',
            maxLength: 262,
            description: 'host:port of health and metrics.',
          }),
        },
        closed,
      ),
    ),
    log: Type.Optional(
      Type.Object(
        {
          level: Type.Union(
            [Type.Literal('debug'), Type.Literal('info'), Type.Literal('warn'), Type.Literal('error')],
            { description: 'The least severe lines that are written. Default info.' },
          ),
        },
        closed,
      ),
    ),
    credentials: Type.Array(Type.Union([CredentialSchema, ResourceEntrySchema]), {
      maxItems: maxCredentials,
      description: 'Every credential; may be empty.',
    }),
  },
  { ...closed, title: 'paycert.yaml' },
);

export type Config = Omit<Static<typeof ConfigSchema>, 'credentials'> & {
  readonly credentials: readonly CredentialConfig[];
  /** Those whose provider, options and Secret come from a PaymentCredential. */
  readonly resources: readonly ResourceEntry[];
};
export type ResourceEntry = Static<typeof ResourceEntrySchema>;
export type CredentialConfig = Static<typeof CredentialSchema>;
export type SourceConfig = Static<typeof SourceSchema>;

export const defaults = {
  adminAddress: ':9464',
  logLevel: 'info',
  maxBodyBytes: 1024 * 1024,
  poll: '10s',
  grace: '7d',
  maxAge: '90d',
  older: 'accept',
  legacyFieldPadding: false,
  gateway: 'production',
  slash: 'keep',
  maxNonces: 200_000,
  minVersion: 'TLSv1.2',
  whenUnknown: 'accept',
  ocsp: 'ask',
  require: ['sign'],
} as const;

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A duration as the schema allows it, in milliseconds. */
export function milliseconds(duration: string): number {
  const unit = /[a-z]+$/.exec(duration)?.[0] as keyof typeof units;
  return Number.parseInt(duration, 10) * units[unit];
}
