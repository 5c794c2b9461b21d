// `audit` in paycert.yaml: what is written down of every swap and signature, where, and for how long.
import Type, { type Static } from 'typebox';
import { defaults } from '../defaults.ts';
import { closed, filePath, Interval } from './shared.ts';

/** Of all files together, in bytes. */
export const auditTotalRange = { minimum: 256 * 1024, maximum: 1024 ** 4 } as const;

/** The oldest file has to make room in time. */
export const leastFiles = 4;

const Volume = Type.Object(
  {
    directory: Type.String({
      ...filePath,
      maxLength: 4096,
      description: 'Of this sidecar alone; made if it is missing. A volume that outlives the pod keeps it for longer.',
    }),
    maxFileBytes: Type.Optional(
      Type.Integer({
        minimum: 64 * 1024,
        maximum: 1024 * 1024 * 1024,
        default: defaults.auditFileBytes,
        description: 'After that much, another file is begun.',
      }),
    ),
    rotateAfter: Type.Optional(Interval('After that time, another file is begun.')),
    retention: Type.Optional(
      Interval('How long lines are kept, at least, as far as there is room. Six months are asked for in this trade.'),
    ),
    maxTotalBytes: Type.Optional(
      Type.Integer({
        ...auditTotalRange,
        default: defaults.auditTotalBytes,
        description:
          'All files together: the oldest make room. Less than the volume holds, since an emptyDir that is full ends its pod.',
      }),
    ),
    fsync: Type.Optional(
      Type.Union([Type.Literal('batch'), Type.Literal('second'), Type.Literal('never')], {
        default: defaults.auditFsync,
        description:
          'What a machine that loses power may lose: nothing that was handed out (with `refuse`), a second, or what the kernel has not written. A process that is killed loses nothing that was written.',
      }),
    ),
    onFailure: Type.Optional(
      Type.Union([Type.Literal('count'), Type.Literal('refuse')], {
        default: defaults.auditOnFailure,
        description:
          'While lines cannot be written: `count` keeps signing, `refuse` hands out no signature whose line is not written.',
      }),
    ),
  },
  closed,
);

const Otlp = Type.Object(
  {
    onFailure: Type.Optional(
      Type.Union([Type.Literal('count'), Type.Literal('refuse')], {
        default: defaults.auditOnFailure,
        description: 'While the collector takes no lines: as under `volume`.',
      }),
    ),
  },
  {
    ...closed,
    description:
      'Lines go to the collector of OpenTelemetry that `OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_LOGS_ENDPOINT` names, as log records.',
  },
);

export const AuditSchema = Type.Object(
  {
    requests: Type.Optional(
      Type.Union([Type.Literal('authorize'), Type.Literal('all')], {
        default: defaults.auditRequests,
        description: 'Whose signatures have a line each: `authorize` and the proxy, or `all`.',
      }),
    ),
    stdout: Type.Optional(
      Type.Boolean({ description: 'Lines go to standard output, among those of the log. Default false.' }),
    ),
    volume: Type.Optional(Volume),
    otlp: Type.Optional(Otlp),
    keyFile: Type.Optional(
      Type.String({
        ...filePath,
        description:
          'A file with a key, such as `openssl rand -base64 32` makes one: it makes the chain an HMAC. Followed.',
      }),
    ),
  },
  { ...closed, description: 'What was done with which key. Absent: nothing is written down.' },
);

export type AuditConfig = Static<typeof AuditSchema>;
