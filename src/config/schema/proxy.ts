// `proxy` in paycert.yaml: where applications reach the signing proxy, and what it forwards.
import Type, { type Static } from 'typebox';
import { defaults } from '../defaults.ts';
import { ListenerPlaces } from './listen.ts';
import { closed, credentialName, Duration, filePath, Origin } from './shared.ts';

const ProxyRoute = Type.Object(
  {
    credential: Type.String({ ...credentialName, description: 'The credential that it is about.' }),
    allow: Type.Optional(
      Type.Array(
        Type.String({
          pattern: '^((GET|POST|PUT|PATCH|DELETE) /[!-~]{0,1023}|[A-Za-z][A-Za-z0-9_.]{0,127}[*]?)$',
          form: 'a method and a path such as POST /v3/pay/*, or a platform’s own name of a call such as alipay.trade.*',
          maxLength: 1032,
        }),
        {
          minItems: 1,
          maxItems: 256,
          description:
            'What is forwarded: a method and a path, or a call by the platform’s own name, such as `alipay.trade.*`; either may end with `*`. Default: all of the platform’s API.',
        },
      ),
    ),
    origin: Type.Optional(Origin('Which of the platform’s origins is called. Default: its first.')),
    double: Type.Optional(
      Origin('A platform double that is called in place of the platform, also over http. For tests only.'),
    ),
    spareDouble: Type.Optional(Origin('A double of the platform’s spare host, beside `double`.')),
  },
  closed,
);

export const ProxySchema = Type.Object(
  {
    listen: Type.Object(ListenerPlaces, closed),
    routes: Type.Optional(
      Type.Array(ProxyRoute, {
        maxItems: 5000,
        description: 'What is forwarded. Where it is given, only the credentials that it names are served.',
      }),
    ),
    maxBodyBytes: Type.Optional(
      Type.Integer({
        minimum: 1024,
        maximum: 64 * 1024 * 1024,
        default: defaults.proxyMaxBodyBytes,
        description: 'Larger requests are refused before they are buffered.',
      }),
    ),
    spareShare: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 0.1,
        default: defaults.spareShare,
        description:
          'Which share of the calls that may be repeated goes to a platform’s spare host, as a check that it is there.',
      }),
    ),
    attempts: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 5,
        default: defaults.attempts,
        description: 'How often a call is sent at most, where it may be sent again at all.',
      }),
    ),
    correctClock: Type.Optional(
      Type.Boolean({
        default: defaults.correctClock,
        description:
          'Sign, and judge the times of responses, by the clock of the platform, once three of its responses agree on it, and if it differs by at most ten minutes.',
      }),
    ),
    traceHeaders: Type.Optional(
      Type.Boolean({
        default: defaults.traceHeaders,
        description: 'Whether platforms get `traceparent` and `tracestate`. They are third parties: no, unless asked.',
      }),
    ),
    breaker: Type.Optional(
      Type.Object(
        {
          failurePercent: Type.Optional(
            Type.Integer({
              minimum: 1,
              maximum: 100,
              default: defaults.failurePercent,
              description: 'It opens when that many of a hundred calls of ten seconds failed.',
            }),
          ),
          minimumCalls: Type.Optional(
            Type.Integer({
              minimum: 1,
              maximum: 1_000_000,
              default: defaults.minimumCalls,
              description: 'It stays closed while there are fewer calls than that in ten seconds.',
            }),
          ),
          openFor: Type.Optional(Duration('How long nothing is sent before one call tries. Default 5s.')),
        },
        { ...closed, description: 'When calls of a credential to a host that fails are refused at once.' },
      ),
    ),
    bulkhead: Type.Optional(
      Type.Object(
        {
          concurrent: Type.Optional(
            Type.Integer({
              minimum: 1,
              maximum: 2048,
              default: defaults.concurrent,
              description: 'How many are under way at once.',
            }),
          ),
          queued: Type.Optional(
            Type.Integer({
              minimum: 0,
              maximum: 2048,
              default: defaults.queued,
              description: 'How many more wait for their turn, within their deadline. The next is refused.',
            }),
          ),
        },
        { ...closed, description: 'How many calls one credential may have at one host.' },
      ),
    ),
    deadline: Type.Optional(Duration('How long a call of a platform may take, in all. Default 30s.')),
    resign: Type.Optional(
      Type.Literal('local', {
        description:
          '`local`: responses that were verified are signed again with `identityFile`, whose public half the SDK was given. Absent: the platform’s own signature is passed on.',
      }),
    ),
    identityFile: Type.Optional(
      Type.String({
        ...filePath,
        maxLength: 4096,
        description:
          'The file `identity` that `paycert proxy identity` made, beside `resign: local`. Read at the start.',
      }),
    ),
  },
  { ...closed, description: 'The signing proxy. Absent: there is none.' },
);

export type ProxyConfig = Static<typeof ProxySchema>;
