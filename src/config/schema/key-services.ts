// Where keys stay that the material only refers to, or is wrapped with, as it is written in the configuration: one service for each form of either.
import Type, { type Static } from 'typebox';
import { defaults } from '../defaults.ts';
import { Address, File, Mount, server, vaultAccess } from './origins.ts';
import { closed, Interval, oneOf } from './shared.ts';

const deadline = Type.Optional(
  Interval('How long one signature may take, waiting included.', { default: defaults.signingDeadline }),
);

const Transit = Type.Object(
  {
    ...vaultAccess,
    mount: Mount('Where the transit engine is mounted.', defaults.transitMount),
    deadline,
  },
  { ...closed, description: 'Transit of Vault or OpenBao, for references such as hashivault://KEY?version=3.' },
);

/** Of a cloud: its address follows from the region. */
const cloud = (product: string, address: string) =>
  ({
    address: Type.Optional(Type.Union([Address], { description: `Where ${product} is, if not at ${address}.` })),
    insecure: server.insecure,
    tls: server.tls,
  }) as const;

/** Of what takes the token of our pod: never in the clear, except on this machine. */
const TokenAddress = (description: string) =>
  Type.String({
    pattern:
      '^(https://([A-Za-z0-9._-]+|\\[[0-9A-Fa-f:.]+\\])|http://(localhost|127\\.0\\.0\\.1|\\[::1\\]))(:[0-9]{1,5})?$',
    form: 'an address such as https://sts.eu-west-1.amazonaws.com, without a path',
    maxLength: 300,
    description,
  });

const Region = (description: string) =>
  Type.String({
    pattern: '^[a-z0-9-]{1,32}$',
    form: 'a region such as eu-west-1',
    description,
  });

const AccessKeyFiles = Type.Object(
  {
    idFile: File('A file with the id of an access key.'),
    secretFile: File('A file with its secret.'),
    tokenFile: Type.Optional(File('A file with the token that it is lent with, if it is.')),
  },
  { ...closed, description: 'An access key, in files that are read again every ten seconds in which it is used.' },
);

const sessionName = Type.Optional(
  Type.String({
    default: defaults.roleSessionName,
    pattern: '^[A-Za-z0-9_.@-]{2,64}$',
    form: '2 to 64 letters, digits and _ . @ -',
    description: 'What the audit trail of the cloud calls us.',
  }),
);

const caFile = Type.Optional(File('The CA of STS in PEM, if Node does not know it. It is trusted for nothing else.'));

const AwsKms = Type.Object(
  {
    region: Region('The region that the keys are in.'),
    ...cloud('AWS KMS', 'https://kms.REGION.amazonaws.com'),
    auth: Type.Object(
      {
        accessKey: Type.Optional(AccessKeyFiles),
        webIdentity: Type.Optional(
          Type.Object(
            {
              roleArn: Type.String({
                pattern: '^arn:aws[a-z-]*:iam::[0-9]{12}:role/[^\\s]{1,512}$',
                form: 'an ARN such as arn:aws:iam::111122223333:role/shop',
                description: 'The role to assume.',
              }),
              tokenFile: File(
                'A projected token of a service account, whose audience is sts.amazonaws.com; read again each time.',
              ),
              sessionName,
              address: Type.Optional(TokenAddress('Where STS is, if not at https://sts.REGION.amazonaws.com.')),
              caFile,
            },
            { ...closed, description: 'The identity of our pod (IRSA).' },
          ),
        ),
      },
      { ...oneOf, description: 'Who we are to it: exactly one.' },
    ),
    deadline,
  },
  { ...closed, description: 'AWS KMS, for references such as awskms:///ID. Needs the package aws4.' },
);

const AliyunKms = Type.Object(
  {
    region: Region('The region that the keys are in.'),
    ...cloud('Aliyun KMS', 'https://kms.REGION.aliyuncs.com'),
    auth: Type.Object(
      {
        accessKey: Type.Optional(AccessKeyFiles),
        rrsa: Type.Optional(
          Type.Object(
            {
              roleArn: Type.String({
                pattern: '^acs:ram::[0-9]{1,20}:role/[A-Za-z0-9._-]{1,64}$',
                form: 'an ARN such as acs:ram::1234567890123456:role/shop',
                description: 'The role to assume.',
              }),
              providerArn: Type.String({
                pattern: '^acs:ram::[0-9]{1,20}:oidc-provider/[A-Za-z0-9._-]{1,128}$',
                form: 'an ARN such as acs:ram::1234567890123456:oidc-provider/ack-rrsa-c1',
                description: 'The OIDC provider of the cluster.',
              }),
              tokenFile: File(
                'A projected token of a service account, whose audience is sts.aliyuncs.com; read again each time.',
              ),
              sessionName,
              address: Type.Optional(TokenAddress('Where STS is, if not at https://sts.REGION.aliyuncs.com.')),
              caFile,
            },
            { ...closed, description: 'The identity of our pod (RRSA).' },
          ),
        ),
      },
      { ...oneOf, description: 'Who we are to it: exactly one.' },
    ),
    deadline,
  },
  { ...closed, description: 'Aliyun KMS, for references such as aliyunkms://KEY/VERSION.' },
);

const Local = Type.Object(
  { keyFile: File('A file with 32 bytes in base64.') },
  { ...closed, description: 'A key in a file, which opens wrapped values: for development.' },
);

const Token = Type.Object(
  {
    label: Type.String({
      minLength: 1,
      maxLength: 32,
      description: 'The label of the token, as a reference names it.',
    }),
    pinFile: File('A file with the PIN of its user; read again for each log-in.'),
  },
  closed,
);

const Pkcs11 = Type.Object(
  {
    module: Type.String({
      minLength: 1,
      maxLength: 4096,
      pattern: '^/',
      form: 'a path that begins with /',
      description: 'The library of the token’s maker. It is loaded in a process of its own.',
    }),
    tokens: Type.Array(Token, { minItems: 1, maxItems: 16, description: 'The tokens that references may name.' }),
    environment: Type.Optional(
      Type.Record(Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]{0,127}$' }), Type.String({ maxLength: 4096 }), {
        ...closed,
        nameForm: 'a name of letters, digits and _',
        maxProperties: 64,
        description:
          'What the module finds in its environment, such as SOFTHSM2_CONF: nothing of ours is there. No PIN.',
      }),
    ),
    sessions: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 64,
        default: defaults.tokenSessions,
        description: 'How many signatures a token makes at once; one more session keeps the log-in.',
      }),
    ),
    deadline: Type.Optional(
      Interval('How long one signature may take, waiting included, and one response of the module.', {
        default: defaults.signingDeadline,
      }),
    ),
  },
  { ...closed, description: 'PKCS#11 tokens, for references such as pkcs11:token=pay;object=merchant.' },
);

export const KeyServicesSchema = Type.Object(
  {
    hashivault: Type.Optional(Transit),
    awskms: Type.Optional(AwsKms),
    aliyunkms: Type.Optional(AliyunKms),
    pkcs11: Type.Optional(Pkcs11),
    local: Type.Optional(Local),
  },
  {
    ...closed,
    description:
      'Where keys stay that the material only refers to, and that open what is wrapped. Absent: a reference is refused.',
  },
);

export type KeyServicesConfig = Static<typeof KeyServicesSchema>;
