// What holds where the configuration says nothing, whatever the platform; and how it writes time.

export const defaults = {
  adminAddress: ':9464',
  logLevel: 'info',
  maxBodyBytes: 1024 * 1024,
  /** An upload of a picture or a film. */
  proxyMaxBodyBytes: 8 * 1024 * 1024,
  deadline: '30s',
  attempts: 3,
  correctClock: false,
  spareShare: 0,
  traceHeaders: false,
  deliver: 'opened',
  applicationDeadline: '1m',
  rememberedNotifications: 100_000,
  redisDatabase: 0,
  redisPrefix: 'paycert:',
  redisDeadline: '500ms',
  auditRequests: 'authorize',
  auditFileBytes: 16 * 1024 * 1024,
  auditTotalBytes: 1024 * 1024 * 1024,
  rotateAfter: '1d',
  retention: '190d',
  auditFsync: 'second',
  auditOnFailure: 'count',
  failurePercent: 50,
  minimumCalls: 20,
  canaryFailurePercent: 20,
  canaryMinimumCalls: 10,
  openFor: '5s',
  concurrent: 256,
  queued: 1024,
  poll: '10s',
  every: '6h',
  within: '10m',
  otherwise: 'accept',
  grace: '7d',
  maxAge: '90d',
  older: 'accept',
  require: ['sign'],
  vaultMount: 'secret',
  vaultEngine: 2,
  transitMount: 'transit',
  /** An agent takes 200 connections of one client; reads and other programs need some. */
  consulConnections: 128,
  pkiMount: 'pki',
  pkiKeyType: 'ec',
  revocationPoll: '1m',
  signingDeadline: '3s',
  tokenSessions: 8,
  roleSessionName: 'paycert',
} as const;

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A duration as the schema allows it, in milliseconds. */
export function milliseconds(duration: string): number {
  const unit = /^\d+([a-z]{1,2})$/.exec(duration)?.[1] as keyof typeof units;
  return Number.parseInt(duration, 10) * units[unit];
}
