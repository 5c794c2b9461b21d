// The options of one access key at Aliyun, as the configuration writes them.
import Type, { type Static } from 'typebox';
import { closed } from '../shared/options.ts';

export const Options = Type.Object(
  {
    endpoints: Type.Optional(
      Type.Array(
        Type.String({
          pattern: '^[a-z0-9-]{1,63}([.][a-z0-9-]{1,63}){0,3}[.]aliyuncs[.]com$',
          form: 'a host such as dysmsapi.aliyuncs.com',
          maxLength: 255,
        }),
        {
          minItems: 1,
          maxItems: 64,
          description:
            'Hosts of the products that the signing proxy may call, each exactly: strangers have hosts under `aliyuncs.com`, too. The local API signs for any.',
        },
      ),
    ),
  },
  closed,
);

export type AliyunOptions = Static<typeof Options>;
