// The options of one merchant at WeChat Pay v2, as the configuration writes them.
import Type, { type Static } from 'typebox';
import { closed, MerchantId } from '../shared/options.ts';

export const Options = Type.Object(
  {
    merchantId: MerchantId('The merchant id (mch_id); a client certificate must name it.'),
    appId: Type.Optional(
      Type.String({
        pattern: '^[0-9A-Za-z_-]{1,64}$',
        form: 'an AppID such as wx8888888888888888',
        description: 'Signed as appid, or under the name that the interface has for it, where a request names none.',
      }),
    ),
  },
  closed,
);

export type WechatpayV2Options = Static<typeof Options>;
