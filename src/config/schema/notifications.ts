// `notifications` in paycert.yaml: where platforms send theirs, and the application that gets them verified and opened.
import Type, { type Static } from 'typebox';
import { defaults } from '../defaults.ts';
import { closed, Duration, filePath, Interval } from './shared.ts';

const Place = Type.Object(
  {
    socket: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 107,
        description: 'Path of a Unix socket that the application listens on.',
      }),
    ),
    path: Type.Optional(
      Type.String({
        pattern: '^/[!-~]{0,1023}$',
        form: 'a path such as /notifications',
        description: 'Path of the address, beside a socket. Default /.',
      }),
    ),
    url: Type.Optional(
      Type.String({
        pattern: '^https?://[!-~]{1,2000}$',
        form: 'an address such as http://127.0.0.1:8080/notifications',
        description: 'In place of a socket: http:// on loopback, https:// elsewhere.',
      }),
    ),
  },
  closed,
);

const Redis = Type.Object(
  {
    address: Type.String({
      pattern: '^rediss?://([A-Za-z0-9._-]+|\\[[0-9A-Fa-f:.]+\\])(:[0-9]{1,5})?$',
      form: 'an address such as rediss://redis.pay.svc:6379, without a user and without a path',
      maxLength: 300,
      description:
        'One server, or one address of several that fail over behind it. `rediss://` is TLS; port 6379 unless given.',
    }),
    insecure: Type.Optional(
      Type.Boolean({
        description: 'Allow redis:// to another host: the password is then readable on the way. Default false.',
      }),
    ),
    caFile: Type.Optional(
      Type.String({
        ...filePath,
        maxLength: 4096,
        description: 'Who signed its certificate, in PEM, read at the start. Node’s list, unless it is given.',
      }),
    ),
    username: Type.Optional(
      Type.String({ pattern: '^[!-~]{1,256}$', form: 'one printable word', description: 'Of its ACL. Default none.' }),
    ),
    passwordFile: Type.Optional(
      Type.String({ ...filePath, maxLength: 4096, description: 'A file with its password. Followed.' }),
    ),
    database: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 65_535, default: defaults.redisDatabase, description: 'Its number.' }),
    ),
    prefix: Type.Optional(
      Type.String({
        pattern: '^[!-~]{1,128}$',
        form: 'printable characters',
        default: defaults.redisPrefix,
        description: 'What every key begins with: the same in all pods of one application, and in no other.',
      }),
    ),
    deadline: Type.Optional(
      Interval('How long one command may take; then the notification is delivered without it.', {
        default: defaults.redisDeadline,
      }),
    ),
  },
  closed,
);

const range = Type.String({
  pattern: '^[0-9A-Fa-f.:]{2,45}(/[0-9]{1,3})?$',
  form: 'an address or a range such as 10.0.0.0/8',
});

export const NotificationsSchema = Type.Object(
  {
    listen: Type.Object(
      {
        address: Type.String({
          pattern: '^.*:[0-9]{1,5}$',
          form: 'an address and a port such as :8012',
          maxLength: 262,
          description:
            'host:port that platforms reach, most often through an ingress with TLS; port 0 takes a free one.',
        }),
      },
      closed,
    ),
    forwardTo: Place,
    secretFile: Type.String({
      minLength: 1,
      description: 'A file with the secret of the HMAC by which the application knows that paycert calls. Followed.',
    }),
    deliver: Type.Optional(
      Type.Union([Type.Literal('opened'), Type.Literal('raw')], {
        default: defaults.deliver,
        description: '`opened`: plain JSON. `raw`: the bytes and headers that came, for an SDK that verifies again.',
      }),
    ),
    applicationDeadline: Type.Optional(
      Duration('How long the application may take. Platforms wait less; a 2xx that comes later counts. Default 1m.'),
    ),
    remember: Type.Optional(
      Type.Integer({
        minimum: 100,
        maximum: 1_000_000,
        default: defaults.rememberedNotifications,
        description: 'How many notifications are known as delivered, in memory: about a hundred bytes each.',
      }),
    ),
    dedupe: Type.Optional(
      Type.Object(
        { redis: Redis },
        { ...closed, description: 'What several pods share, so that one delivers. Absent: each knows its own only.' },
      ),
    ),
    trustedProxies: Type.Optional(
      Type.Array(range, {
        maxItems: 64,
        description: 'Whose `X-Forwarded-For` counts, such as an ingress. Default none: all of it is one sender.',
      }),
    ),
  },
  { ...closed, description: 'What platforms send. Absent: nothing is received.' },
);

export type NotificationsConfig = Static<typeof NotificationsSchema>;
