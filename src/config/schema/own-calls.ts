// What paycert asks a platform by itself, and where: for the certificates that it signs with, and whether it takes a new key.
import Type, { type Static } from 'typebox';
import { closed, Duration, Interval, Origin } from './shared.ts';

export const PlatformCertificates = Type.Union(
  [
    Type.Literal('download'),
    Type.Object(
      {
        every: Type.Optional(Interval('How often they are asked for, from 1h to 12h. Default 6h.')),
      },
      closed,
    ),
  ],
  {
    description:
      'Downloads the certificates that the platform signs with, and adds them to the material: download, or { every }. Of WeChat Pay APIv3. Absent: nothing is downloaded.',
  },
);

export type PlatformCertificatesConfig = Static<typeof PlatformCertificates>;

export const Check = Type.Union(
  [
    Type.Literal('live'),
    Type.Object(
      {
        within: Type.Optional(Duration('How long a new key waits where the platform does not say. Default 10m.')),
        otherwise: Type.Optional(
          Type.Union([Type.Literal('accept'), Type.Literal('reject')], {
            description: 'What becomes of it then. Default accept.',
          }),
        ),
      },
      closed,
    ),
  ],
  {
    description:
      'Asks the platform, by one harmless call, whether it takes a new merchant key before that becomes current: live, or { within, otherwise }. Of WeChat Pay APIv3 and Alipay. Absent: it is not asked.',
  },
);

export type CheckConfig = Static<typeof Check>;

export const Gateway = Type.Object(
  {
    origin: Type.Optional(Origin('Which of the platform’s origins is called. Default: its first.')),
    double: Type.Optional(
      Origin('A platform double that is called in place of the platform, also over http. For tests only.'),
    ),
  },
  { ...closed, description: 'Where calls go that paycert makes by itself.' },
);

export type GatewayConfig = Static<typeof Gateway>;
