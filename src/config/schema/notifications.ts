// `notifications` in paycert.yaml: where platforms send theirs, and the application that gets them verified and opened.
import Type, { type Static } from 'typebox';
import { defaults } from '../defaults.ts';
import { closed, Duration } from './shared.ts';

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
