// Whose rules material follows, with the options of each provider, as they are written in the configuration.
import Type from 'typebox';
import { closed, oneOf } from './shared.ts';

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
            'Which platform key requests name while a certificate and a public key are both loaded: platform, publicKey, or { publicKeyPercent: 0 to 100 }. Default platform.',
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
  {
    ...closed,
    description: 'What is asked of whether certificates have been taken back. Without it, ca.crl alone counts.',
  },
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
