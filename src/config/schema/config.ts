// The whole of paycert.yaml. These schemas are the one definition of the configuration: types, validation and JSON Schema come from here.
import Type, { type Static } from 'typebox';
import {
  type CredentialConfig,
  CredentialSchema,
  maxCredentials,
  type ResourceEntry,
  ResourceEntrySchema,
} from './credential.ts';
import { ListenerPlaces } from './listen.ts';
import { ProxySchema } from './proxy.ts';
import { closed } from './shared.ts';

const Listen = Type.Object(
  {
    ...ListenerPlaces,
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
    proxy: Type.Optional(ProxySchema),
    admin: Type.Optional(
      Type.Object(
        {
          address: Type.String({
            pattern: '^.*:[0-9]{1,5}$',
            form: 'an address and a port such as 127.0.0.1:8010 or :9464',
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
    remember: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 5000,
        description:
          'How many requests that were signed last are remembered, in memory, for `paycert explain`: method, names, lengths and a digest, no text. Default none.',
      }),
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
