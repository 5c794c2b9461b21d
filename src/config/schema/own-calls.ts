// What paycert asks a platform by itself, and where: for the certificates that it signs with, and whether it takes a new key.
import Type, { type Static } from 'typebox';
import { closed, Duration, Interval, namespaceName, objectName, Origin } from './shared.ts';

const Every = Interval('How often they are asked for, from 1h to 12h. Default 6h.');

export const PlatformCertificates = Type.Union(
  [
    Type.Literal('download'),
    Type.Object(
      {
        every: Type.Optional(Every),
        secret: Type.Optional(
          Type.String({
            ...objectName,
            description: 'Downloads nothing: reads those that an operator writes into this Secret.',
          }),
        ),
        namespace: Type.Optional(
          Type.String({ ...namespaceName, description: 'Where that Secret is. Default: the pod’s own namespace.' }),
        ),
      },
      closed,
    ),
  ],
  {
    description:
      'Downloads the certificates that the platform signs with, and adds them to the material: download, or { every }. Or { secret }: an operator downloads them. Of WeChat Pay APIv3. Of Alipay in mode certificate: download, which asks for a certificate once a response names it. Absent: nothing is downloaded.',
  },
);

/** Of a PaymentCredential. */
export const OperatorCertificates = Type.Object(
  {
    secret: Type.String({
      ...objectName,
      description:
        'Where they are written: a Secret of the same namespace that is there already and has the label `paycert.dev/certificates-of` with the name of this resource, or `any`.',
    }),
    every: Type.Optional(Every),
  },
  {
    ...closed,
    description:
      'The operator downloads the certificates that the platform signs with, once for the whole cluster, and sidecars that follow this resource read them. Of WeChat Pay APIv3. Needs an operator that runs with --download-certificates.',
  },
);

export type PlatformCertificatesConfig = Static<typeof PlatformCertificates>;

export type OperatorCertificatesConfig = Static<typeof OperatorCertificates>;

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
