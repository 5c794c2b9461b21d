// The whole of paycert.yaml. These schemas are the one definition of the configuration: types, validation and JSON Schema come from here.
import Type, { type Static } from 'typebox';
import { AuditSchema } from './audit.ts';
import {
  type CredentialConfig,
  CredentialSchema,
  maxCredentials,
  type ResourceEntry,
  ResourceEntrySchema,
} from './credential.ts';
import { KeyServicesSchema } from './key-services.ts';
import { ListenerPlaces } from './listen.ts';
import { NotificationsSchema } from './notifications.ts';
import { ProxySchema } from './proxy.ts';
import { closed, filePath, listenAddress } from './shared.ts';
import { WayOutSchema } from './way-out.ts';

/** A caller is known by the socket that it came through, so two groups of callers have one each. */
const NamedSocket = Type.Object(
  {
    name: Type.String({
      pattern: '^[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?$',
      form: 'up to 32 lower-case letters, digits and hyphens',
      description: 'What callers through it are called in logs and events.',
    }),
    path: Type.String({
      ...filePath,
      maxLength: 107,
      description: 'Path of the Unix socket, created with mode 0660.',
    }),
    group: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 4_294_967_294,
        description:
          'The group id that may connect; the sidecar must be in that group. Default: the sidecar’s own group.',
      }),
    ),
  },
  closed,
);

const Listen = Type.Object(
  {
    ...ListenerPlaces,
    sockets: Type.Optional(
      Type.Array(NamedSocket, {
        minItems: 1,
        maxItems: 16,
        description: 'Further sockets, one for each group of callers.',
      }),
    ),
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
    notifications: Type.Optional(NotificationsSchema),
    admin: Type.Optional(
      Type.Object(
        {
          address: Type.String({
            ...listenAddress,
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
    lastGood: Type.Optional(
      Type.Object(
        {
          directory: Type.String({
            minLength: 1,
            maxLength: 4096,
            description:
              'In memory, and this sidecar’s alone: a new directory inside an emptyDir with `medium: Memory`.',
          }),
        },
        { ...closed, description: 'Keeps accepted material for a restart of the container. Absent: none is kept.' },
      ),
    ),
    audit: Type.Optional(AuditSchema),
    credentials: Type.Array(Type.Union([CredentialSchema, ResourceEntrySchema]), {
      maxItems: maxCredentials,
      description: 'Every credential; may be empty.',
    }),
    keyServices: Type.Optional(KeyServicesSchema),
    wayOut: Type.Optional(WayOutSchema),
  },
  { ...closed, title: 'paycert.yaml' },
);

export type Config = Omit<Static<typeof ConfigSchema>, 'credentials'> & {
  readonly credentials: readonly CredentialConfig[];
  /** Those whose provider, options and Secret come from a PaymentCredential. */
  readonly resources: readonly ResourceEntry[];
};
