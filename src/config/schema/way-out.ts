// `wayOut` in paycert.yaml: the proxy between this process and the platforms.
import Type, { type Static } from 'typebox';
import { closed, filePath } from './shared.ts';

export const WayOutSchema = Type.Object(
  {
    proxy: Type.String({
      pattern: '^https?://[a-z0-9.-]{1,253}(:[0-9]{1,5})?$',
      form: 'an address with its scheme and without a path, such as http://proxy.example:3128',
      maxLength: 270,
      description: 'An HTTP proxy that opens tunnels (CONNECT).',
    }),
    noProxy: Type.Optional(
      Type.Array(
        Type.String({
          pattern: '^([*]|([*]?[.])?[a-z0-9-]+([.][a-z0-9-]+)*)(:[0-9]{1,5})?$',
          form: 'a host such as partner.example, which also covers what is below it, or *',
          maxLength: 270,
        }),
        {
          maxItems: 256,
          description: 'Hosts that are called without it, as in `NO_PROXY`. What is on this machine always is.',
        },
      ),
    ),
    userFile: Type.Optional(
      Type.String({
        ...filePath,
        maxLength: 4096,
        description: 'A file with `name:password`, where the proxy wants one; read again for each tunnel.',
      }),
    ),
  },
  {
    ...closed,
    description: 'The proxy between this process and the platforms, for every call of one. Absent: none is used.',
  },
);

export type WayOutConfig = Static<typeof WayOutSchema>;
