// The options of one merchant at WeChat Pay APIv3, as the configuration writes them.
import Type, { type Static } from 'typebox';
import { closed, MerchantId } from '../shared/options.ts';

export const defaults = { responseKey: 'platform', legacyFieldPadding: false } as const;

const PublicKeyPercent = Type.Object(
  {
    publicKeyPercent: Type.Number({
      minimum: 0,
      maximum: 100,
      description: 'The share of requests that name the public key.',
    }),
  },
  closed,
);

export const Options = Type.Object(
  {
    merchantId: MerchantId('The merchant id (mchid); the merchant certificate must name it.'),
    responseKey: Type.Optional(
      Type.Union([Type.Literal('platform'), Type.Literal('publicKey'), PublicKeyPercent], {
        default: defaults.responseKey,
        description:
          'Which platform key requests name while a certificate and a public key are both loaded: platform, publicKey, or { publicKeyPercent: 0 to 100 }.',
      }),
    ),
    legacyFieldPadding: Type.Optional(
      Type.Boolean({
        default: defaults.legacyFieldPadding,
        description:
          'Also open encrypted fields with PKCS#1 v1.5, for very old interfaces. Danger: a field that is damaged or meant for another key can come out as random text instead of an error.',
      }),
    ),
  },
  closed,
);

export type WechatpayOptions = Static<typeof Options>;

/** Which platform key a request names in `Wechatpay-Serial`, and so asks to be answered with. */
export type ResponseKey = NonNullable<WechatpayOptions['responseKey']>;
