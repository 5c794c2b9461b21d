// The options of one application at Alipay, as the configuration writes them, and where its gateways are.
import Type, { type Static } from 'typebox';
import { closed } from '../shared/options.ts';

export const defaults = { gateway: 'production' } as const;

export const Options = Type.Object(
  {
    appId: Type.String({
      pattern: '^[0-9A-Za-z_]{6,64}$',
      form: 'an AppID such as "2021000000000001"',
      description: 'The application’s AppID, without spaces; its certificate must name it.',
    }),
    mode: Type.Union([Type.Literal('certificate'), Type.Literal('key')], {
      description: 'Whether requests name certificates, or Alipay knows the application by its public key alone.',
    }),
    gateway: Type.Optional(
      Type.Union([Type.Literal('production'), Type.Literal('sandbox')], {
        default: defaults.gateway,
        description: 'Where requests go, and which environment’s certificates fit.',
      }),
    ),
  },
  closed,
);

/** As given. */
export type AlipayOptions = Static<typeof Options>;

/** With every default. */
export type Settings = Required<AlipayOptions>;

/** The sandbox moved; its old address has an expired certificate. */
export const origins = {
  production: 'https://openapi.alipay.com',
  sandbox: 'https://openapi-sandbox.dl.alipaydev.com',
} as const;

/** Where v2 requests go. */
export const gatewayOf = ({ gateway }: Settings): string => `${origins[gateway]}/gateway.do`;
