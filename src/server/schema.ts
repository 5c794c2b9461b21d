// The schemas of the local API: what validates a request also describes it in the OpenAPI document.
import Type from 'typebox';
import { anyName } from '../json-schema.ts';

const closed = { additionalProperties: false } as const;
const optional = { text: (description: string) => Type.Optional(Type.String({ description })) };
const textAsReceived = (description: string) => Type.Optional(Type.String({ description, received: 'body' }));

const methodForm = 'an HTTP method such as GET or POST';

/** As received: whatever it is called, its value is text. */
const HeaderMap = Type.Record(Type.String(anyName), Type.String({ received: 'header' }), {
  received: 'headers',
  maxProperties: 200,
  description: 'Header names in any case.',
});

/** To be sent: a line end in a header would let a body write headers. */
const SendableHeaders = Type.Record(
  Type.String({ pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$" }),
  Type.String({ pattern: '^[\\t\\x20-\\x7e\\x80-\\xff]*$', form: 'one line of text in Latin-1', received: 'header' }),
  {
    received: 'headers',
    ...closed,
    nameForm: 'the name of a header, such as Accept-Language',
    maxProperties: 200,
    description: 'Names that are tokens, values of one line in Latin-1.',
  },
);

const Timestamp = Type.Integer({
  minimum: 0,
  maximum: 99_999_999_999_999,
  description:
    'Unix time in seconds, or in milliseconds (13 digits), of which Alipay v3 signs all and the others the second. Default now.',
});
const Nonce = Type.String({
  pattern: '^[0-9A-Za-z-]{1,64}$',
  form: 'one to 64 letters, digits and hyphens',
  description: 'Such as a UUID; WeChat Pay takes 32 letters and digits at most. Default: 32 random characters.',
});

const Body = {
  body: textAsReceived('The exact body, as text; for an upload, the JSON of its `meta` part.'),
  bodyBase64: optional.text('The exact body in base64, instead of `body`.'),
};

/** What platforms take that name their calls themselves. */
const Call = {
  apiMethod: Type.Optional(
    Type.String({
      pattern: '^[0-9A-Za-z_.:/-]{1,128}$',
      form: 'the name of a call, such as alipay.trade.query or SendSms',
      description: 'The platform’s own name of the call, such as `alipay.trade.query`.',
    }),
  ),
  bizContent: textAsReceived('Business parameters as JSON text, signed exactly as given.'),
  parameters: Type.Optional(
    Type.Record(Type.String({ pattern: "^[!-%'-<>-~]{1,128}$" }), Type.String(), {
      ...closed,
      nameForm: 'the name of a parameter: printable ASCII without a blank, & and =',
      maxProperties: 1000,
      description: 'Plain parameters, raw: percent-encoding them is the provider’s work.',
    }),
  ),
  appAuthToken: Type.Optional(
    Type.String({
      pattern: '^[!-~]{1,256}$',
      form: 'one to 256 printable ASCII characters without a blank',
      description: 'The merchant’s authorization of an app that acts for it.',
    }),
  ),
};

/** One shape for all providers: each names what it misses, and what it has no use for. */
export const AuthorizeRequest = Type.Object(
  {
    method: Type.Optional(Type.String({ pattern: '^[A-Za-z]{1,16}$', form: methodForm })),
    url: Type.Optional(
      Type.String({
        // A fragment is not sent: signed without it, and sent by a client that does not know, it is another address.
        pattern: '^([Hh][Tt][Tt][Pp][Ss]?://|/)[!"$-~]*$',
        form: 'an address that begins with https:// or http://, or a path that begins with /, percent-encoded as it will be sent, with %23 for #',
        maxLength: 8192,
        description: 'Absolute, or a path with its query; percent-encoded as it will be sent, and signed as given.',
      }),
    ),
    ...Body,
    ...Call,
    headers: Type.Optional(SendableHeaders),
    encryptionKeyId: Type.Optional(
      Type.String({
        pattern: '^[0-9A-Za-z_]{1,128}$',
        form: 'a serial number in hexadecimal, or an id that begins with PUB_KEY_ID_',
        description: 'The platform key that fields of the body are encrypted for, as `encrypt` returned it.',
      }),
    ),
    timestamp: Type.Optional(Timestamp),
    nonce: Type.Optional(Nonce),
  },
  closed,
);

const KeyId = Type.String({ description: 'What names the key: a serial number, or a PUB_KEY_ID_….' });
const Generation = Type.Integer({ description: 'Counts swaps in this process; means nothing in another.' });

export const AuthorizeResult = Type.Object(
  {
    method: Type.String(),
    url: Type.String(),
    headers: Type.Record(Type.String(anyName), Type.String()),
    body: optional.text('Only when it differs from the body given.'),
    bodyBase64: optional.text('Only when it differs from the body given.'),
    keyId: KeyId,
    generation: Generation,
  },
  closed,
);

export const SignRequest = Type.Object(
  {
    message: textAsReceived('The text to sign.'),
    messageBase64: optional.text('The bytes to sign, instead of `message`.'),
  },
  closed,
);

export const SignResult = Type.Object(
  { signature: Type.String({ description: 'Base64.' }), keyId: KeyId, generation: Generation },
  closed,
);

export const VerifyRequest = Type.Object(
  {
    kind: Type.Optional(
      Type.Union([Type.Literal('response'), Type.Literal('notification'), Type.Literal('return')], {
        description: 'What `headers`, `body` and `url` are; without it, give message, signature and keyId.',
      }),
    ),
    headers: Type.Optional(HeaderMap),
    ...Body,
    method: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z]{1,16}$',
        form: methodForm,
        description: 'Of the request that was received, or answered.',
      }),
    ),
    url: optional.text(
      'The address of the request that was received, or answered; of a `return`, the address the user came back to.',
    ),
    apiMethod: Call.apiMethod,
    status: Type.Optional(
      Type.Integer({ minimum: 100, maximum: 599, description: 'The HTTP status of the response.' }),
    ),
    ...SignRequest.properties,
    signature: optional.text('Base64.'),
    keyId: optional.text('The key that the signature names.'),
  },
  closed,
);

export const VerifyResult = Type.Object(
  {
    valid: Type.Literal(true),
    keyId: KeyId,
    rule: optional.text('Which of the platform’s forms of signed text it was: V1 or V2 of Alipay’s notifications.'),
  },
  closed,
);

export const DecryptRequest = Type.Object(
  {
    ciphertext: Type.String({
      description: 'Base64: an AEAD_AES_256_GCM resource with the members below, Alipay’s content, or one OAEP field.',
    }),
    algorithm: optional.text('AEAD_AES_256_GCM, AES or AES_V2; absent for an OAEP field.'),
    nonce: optional.text('Of an AEAD_AES_256_GCM resource.'),
    associatedData: optional.text('Of an AEAD_AES_256_GCM resource; may be empty.'),
  },
  closed,
);

export const DecryptResult = Type.Object(
  {
    plaintext: optional.text('Where it is UTF-8 text.'),
    plaintextBase64: optional.text('Where it is not.'),
    keyId: KeyId,
  },
  closed,
);

export const NotificationRequest = Type.Object({ headers: Type.Optional(HeaderMap), ...Body }, closed);

export const NotificationResult = Type.Object(
  {
    id: Type.String({ description: 'Stable across retries: use it to act once.' }),
    eventType: Type.String(),
    resource: Type.Unknown({ description: 'The decrypted resource: parsed where it is JSON, otherwise its text.' }),
    keyId: KeyId,
  },
  closed,
);

export const EncryptRequest = Type.Object(
  {
    plaintext: Type.String(),
    keyId: optional.text('Default: the platform certificate that lives longest, or the public key.'),
  },
  closed,
);

export const EncryptResult = Type.Object(
  {
    ciphertext: Type.String({ description: 'Base64.' }),
    keyId: Type.String({ description: 'Send it as `encryptionKeyId` to authorize.' }),
  },
  closed,
);

export const PaymentParametersRequest = Type.Object(
  {
    type: Type.Optional(
      Type.Union([Type.Literal('jsapi'), Type.Literal('app')], { description: 'jsapi serves mini programs too.' }),
    ),
    signType: Type.Optional(
      Type.Union([Type.Literal('MD5'), Type.Literal('HMAC-SHA256')], {
        description: 'WeChat Pay v2: as the order was signed. Default MD5.',
      }),
    ),
    appId: Type.Optional(
      Type.String({ pattern: '^[0-9A-Za-z_-]{1,64}$', form: 'an AppID such as wx8888888888888888' }),
    ),
    prepayId: Type.Optional(
      Type.String({
        pattern: '^[0-9A-Za-z_-]{1,128}$',
        form: 'the prepay_id that the order was answered with, without `prepay_id=`',
      }),
    ),
    ...Call,
  },
  closed,
);

export const PaymentParametersResult = Type.Record(Type.String(anyName), Type.String(), {
  description: 'The signed object, to hand to the client as it is.',
});

export const maxBatch = 256;

export const BatchRequest = Type.Object(
  { items: Type.Array(Type.Unknown(), { minItems: 1, maxItems: maxBatch }) },
  closed,
);

export const Problem = Type.Object(
  {
    type: Type.String({ description: 'Names the code; documented in docs/errors.md.' }),
    title: Type.String({ description: 'The code.' }),
    status: Type.Integer(),
    detail: Type.String({ description: 'Names fields, never values.' }),
    hint: Type.String({ description: 'What to do.' }),
    field: Type.Optional(Type.String()),
    errors: Type.Optional(
      Type.Array(Type.Object({ field: Type.Optional(Type.String()), detail: Type.String() }), {
        description:
          'Everything that is wrong, in order, where it is more than one thing; `detail` above is the first.',
      }),
    ),
  },
  { description: 'RFC 9457.' },
);

const Time = Type.String({ format: 'date-time' });

const Key = Type.Object({
  role: Type.String(),
  keyId: KeyId,
  algorithm: Type.String(),
  fingerprint: Type.String({
    description: 'SHA-256 of the certificate or public key; four bytes of check value for a symmetric key.',
  }),
  notBefore: Type.Optional(Time),
  notAfter: Type.Optional(Time),
  replaceBy: Type.Optional(
    Type.String({
      format: 'date-time',
      description: 'When it is as old as `maxAge` allows, counted from `created_at` or from when this process saw it.',
    }),
  ),
  issuer: Type.Optional(Type.String()),
  downloaded: Type.Optional(
    Type.Boolean({ description: 'Whether its platform listed it, and the material of its owner does not hold it.' }),
  ),
});

const Notice = Type.Object({
  code: Type.String(),
  detail: Type.String(),
  hint: Type.String(),
  at: Type.Optional(Time),
});

export const ReportRequest = Type.Object(
  {
    keyId: Type.String({ minLength: 1, maxLength: 256, description: 'Of the key that signed, as it was answered.' }),
    outcome: Type.Union([Type.Literal('accepted'), Type.Literal('refused')], {
      description: '`refused`: the platform did not accept the signature. Any other error of it is `accepted`.',
    }),
  },
  closed,
);

export const ReportResult = Type.Object({ generation: Generation }, closed);

export const CredentialStatus = Type.Object({
  name: Type.String(),
  provider: Type.String(),
  required: Type.Boolean(),
  ready: Type.Boolean(),
  lacking: Type.Array(Type.String(), { description: 'What it must be able to do and cannot.' }),
  can: Type.Array(Type.String(), { description: 'What its current keys can do now: sign, verify, decrypt, encrypt.' }),
  cannot: Type.Array(Type.String(), { description: 'What its platform offers and its current keys cannot do now.' }),
  ignored: Type.Array(Type.String(), { description: 'Parts of the material that count for nothing, by name.' }),
  suspended: Type.Optional(
    Type.Boolean({ description: 'Whether its PaymentCredential is suspended; absent when it is not.' }),
  ),
  generation: Type.Optional(Generation),
  snapshotId: Type.Optional(Type.String({ description: 'Equal in every process that loaded the same keys.' })),
  version: Type.Optional(Type.String()),
  loadedAt: Type.Optional(Time),
  apiv3Key: Type.Optional(Type.Union([Type.Literal('proven'), Type.Literal('unproven')])),
  keys: Type.Array(Key),
  retired: Type.Array(Type.Object({ snapshotId: Type.String(), until: Time, keys: Type.Array(Key) })),
  warnings: Type.Array(Notice),
  lastReload: Type.Optional(Type.Object({ at: Time, outcome: Type.String() })),
  rejection: Type.Optional(Notice),
  deferral: Type.Optional(
    Type.Object(
      { ...Notice.properties, until: Time },
      { description: 'The newest material is good and not valid yet: at `until` it becomes current by itself.' },
    ),
  ),
  staged: Type.Optional(
    Type.Object(
      {
        active: Type.Boolean({ description: 'Whether the next set signs in this process.' }),
        until: Type.Optional(Time),
        percent: Type.Optional(Type.Integer({ description: 'In how many pods of a hundred the next set signs.' })),
        of: Type.Optional(Type.Literal('requests', { description: '`percent` is of the requests of each pod.' })),
        keyId: Type.Optional(Type.String({ description: 'Of the set that does not sign.' })),
        snapshotId: Type.Optional(Type.String({ description: 'Of the set that does not sign.' })),
        rejected: Type.Optional(
          Type.Boolean({
            description: 'Whether the next set would sign here, and its platform refuses too many signatures.',
          }),
        ),
        reason: Type.Optional(Notice),
      },
      { description: 'The set beside the one that signs. `reason`: why it is of no use.' },
    ),
  ),
  platformCertificates: Type.Optional(
    Type.Object(
      {
        outcome: Type.Union(
          [Type.Literal('listed'), Type.Literal('absent'), Type.Literal('unknown'), Type.Literal('failed')],
          {
            description:
              '`absent`: the platform has none for this merchant, and signs with a public key. `unknown`: it has none of the number that a message named.',
          },
        ),
        at: Time,
        listedAt: Type.Optional(Time),
        reason: Type.Optional(Notice),
      },
      { description: 'What came of the last download of platform certificates. `listedAt`: when one last succeeded.' },
    ),
  ),
  restored: Type.Optional(
    Type.Object(
      { at: Time, keptAt: Time },
      { description: 'What is current was kept before a restart: the newest material is not accepted.' },
    ),
  ),
  lastGood: Type.Optional(
    Type.Object(
      { kept: Type.Boolean(), at: Time, reason: Type.Optional(Notice) },
      { description: 'Whether material is kept for a restart of the container. Absent without `lastGood`.' },
    ),
  ),
  sourceError: Type.Optional(Notice),
  resourceError: Type.Optional(Notice),
  unopened: Type.Optional(
    Type.Array(
      Type.Object({
        ...Notice.properties,
        kind: Type.Union([Type.Literal('notification'), Type.Literal('ciphertext')]),
        count: Type.Integer(),
        since: Time,
      }),
      {
        description:
          'What these keys could not open since they last opened something of its kind. A `notification` is signed by the platform.',
      },
    ),
  ),
  frozenPaths: Type.Optional(Type.Array(Type.String(), { description: 'Mounts that never update, such as subPath.' })),
  copies: Type.Optional(
    Type.Array(Type.Object({ namespace: Type.String(), secret: Type.String(), annotation: Type.String() }), {
      description: 'Annotations that hold a copy of the keys, of a Secret that is read by API.',
    }),
  ),
  references: Type.Optional(
    Type.Array(Type.Object({ part: Type.String(), reference: Type.String() }), {
      description: 'Private keys that stay elsewhere: the part of the material that names each, and what it says.',
    }),
  ),
});

export const CredentialList = Type.Object({ credentials: Type.Array(CredentialStatus) });

const FileStatus = Type.Object({
  file: Type.Union([
    Type.Literal('configuration'),
    Type.Literal('token'),
    Type.Literal('proxy-token'),
    Type.Literal('notification-secret'),
    Type.Literal('redis-password'),
    Type.Literal('audit-key'),
  ]),
  current: Type.Boolean({ description: 'Whether its newest content is in use; otherwise the next start fails on it.' }),
  frozenPaths: Type.Optional(Type.Array(Type.String(), { description: 'Where it is a mount that never updates.' })),
  rejection: Type.Optional(Notice),
});

export const SignedList = Type.Object({
  signed: Type.Array(
    Type.Object({
      at: Time,
      credential: Type.String(),
      keyId: KeyId,
      method: Type.String(),
      path: Type.String({ description: 'Without its query; ids are shown by their shape.' }),
      parts: Type.Array(Type.Object({ name: Type.String(), byteLength: Type.Integer() }), {
        description: 'Of the signed text, in its order: lines, parameters or headers.',
      }),
      byteLength: Type.Integer({ description: 'Of the whole text.' }),
      digest: Type.String({ description: 'SHA-256 of the whole text, hex.' }),
    }),
    { description: 'The youngest first.' },
  ),
});

const HostStatus = Type.Object({
  host: Type.String(),
  onSpare: Type.Boolean({ description: 'Whether nobody can connect to it, and its calls go to its spare.' }),
  clock: Type.Optional(
    Type.Object(
      {
        aheadSeconds: Type.Number({ description: 'By how much the clock here is ahead at least, negative behind.' }),
        withinSeconds: Type.Number({ description: 'How uncertain that is.' }),
        corrected: Type.Boolean({ description: 'Whether requests are signed with the time of the platform.' }),
      },
      { description: 'Once three responses agree.' },
    ),
  ),
  credentials: Type.Optional(
    Type.Array(
      Type.Object({
        credential: Type.String(),
        breaker: Type.Union([Type.Literal('closed'), Type.Literal('open'), Type.Literal('half-open')], {
          description: '`open`: too many calls failed, and none is sent. `half-open`: one call may try.',
        }),
        underWay: Type.Integer({ description: 'Calls that were sent, or are about to be.' }),
        waiting: Type.Integer({ description: 'Calls that wait for their turn.' }),
      }),
      { description: 'Credentials that have called it.' },
    ),
  ),
});

export const ProcessStatus = Type.Object({
  version: Type.String(),
  startedAt: Time,
  ready: Type.Boolean(),
  files: Type.Array(FileStatus, { description: 'Files that the process itself follows.' }),
  hosts: Type.Optional(
    Type.Array(HostStatus, { description: 'Hosts of platforms, as the proxy knows them. Absent: there is no proxy.' }),
  ),
  dedupe: Type.Optional(
    Type.Object(
      {
        available: Type.Boolean({ description: 'Whether it answers.' }),
        since: Time,
        reason: Type.Optional(Notice),
      },
      { description: 'The Redis in which pods share which notifications were delivered. Absent: there is none.' },
    ),
  ),
  audit: Type.Optional(
    Type.Object(
      {
        written: Type.Boolean({ description: 'Whether its lines get where they belong. If not, they wait.' }),
        since: Type.Optional(Time),
        reason: Type.Optional(Notice),
      },
      { description: 'The audit. Absent: there is none.' },
    ),
  ),
  accessKeys: Type.Optional(
    Type.Array(
      Type.Object({
        service: Type.String({ description: 'As `keyServices` calls it.' }),
        since: Time,
        reason: Notice,
      }),
      { description: 'Access keys that are used on while their files cannot be read. Absent: none is.' },
    ),
  ),
  remoteKeys: Type.Optional(
    Type.Array(
      Type.Object({
        service: Type.String({ description: 'As `keyServices` calls it.' }),
        use: Type.Union([Type.Literal('sign'), Type.Literal('decrypt')]),
        key: Type.String({ description: 'The key, and how it signs or opens.' }),
        works: Type.Boolean({ description: 'Whether its last use succeeded.' }),
        since: Type.Optional(Time),
        reason: Type.Optional(Notice),
      }),
      {
        description:
          'Keys that stay elsewhere and were used. One that fails makes no credential unready: every pod would be, while verifying and decrypting still work.',
      },
    ),
  ),
  credentials: Type.Array(CredentialStatus),
});
