// Roles: what a key is for and what follows from it, one row each, read by age, checks, metrics, conditions and alerts.
import type { ErrorCode } from '../errors.ts';

/** What ends the life of a key. */
interface Expiry {
  /** What people call it. */
  readonly name: string;
  /** Why material that has reached it is rejected. */
  readonly code: ErrorCode;
}

export interface RoleRow {
  /** `peer`: the platform's or a partner's; `authority`: of who issued certificates; `shared`: both sides have it. */
  readonly owner: 'own' | 'peer' | 'authority' | 'shared';
  /** What of the key the material has. */
  readonly holds: 'private' | 'public' | 'secret';
  /** Absent: a key of this role does not expire. */
  readonly expiry?: Expiry;
  /** Its successor is in use: it is meant to expire, and to be removed. */
  readonly isReplaced?: true;
  /** Presented in TLS. Each may be the only one that some peer sees, so the first to expire counts. */
  readonly isPresented?: true;
}

const certificate: Expiry = { name: 'certificate', code: 'certificate-expired' };
const token: Expiry = { name: 'security token', code: 'security-token-expired' };

export const roles = {
  merchant: { owner: 'own', holds: 'private', expiry: certificate },
  'merchant-retired': { owner: 'own', holds: 'private', expiry: certificate, isReplaced: true },
  platform: { owner: 'peer', holds: 'public', expiry: certificate },
  'public-key': { owner: 'peer', holds: 'public' },
  root: { owner: 'authority', holds: 'public', expiry: certificate },
  apiv3: { owner: 'shared', holds: 'secret' },
  'apiv3-previous': { owner: 'shared', holds: 'secret', isReplaced: true },
  apiv2: { owner: 'shared', holds: 'secret' },
  'apiv2-previous': { owner: 'shared', holds: 'secret', isReplaced: true },
  aes: { owner: 'shared', holds: 'secret' },
  'aes-previous': { owner: 'shared', holds: 'secret', isReplaced: true },
  'access-key': { owner: 'shared', holds: 'secret', expiry: token },
  hmac: { owner: 'shared', holds: 'secret' },
  'hmac-previous': { owner: 'shared', holds: 'secret', isReplaced: true },
  own: { owner: 'own', holds: 'private' },
  partner: { owner: 'peer', holds: 'public' },
  'partner-previous': { owner: 'peer', holds: 'public', isReplaced: true },
  tls: { owner: 'own', holds: 'private', expiry: certificate, isPresented: true },
  'tls-intermediate': { owner: 'authority', holds: 'public', expiry: certificate, isPresented: true },
  'tls-authority': { owner: 'authority', holds: 'public', expiry: certificate },
} as const satisfies Record<string, RoleRow>;

/** What a key is for. One snapshot holds several keys of most roles. */
export type Role = keyof typeof roles;

/** A role whose keys come with a certificate. */
export type CertificateRole = {
  [R in Role]: (typeof roles)[R] extends { readonly expiry: Expiry } ? R : never;
}[Role];

/** Undefined for what is no role here: the status of an object may have been written by another version. */
export const roleOf = (name: string): RoleRow | undefined =>
  Object.hasOwn(roles, name) ? roles[name as Role] : undefined;

/** Of several keys of a role, the time that counts: the first for what is presented, otherwise the last, until which the set works. */
export const decisive = (role: string, a: number, b: number): number =>
  roleOf(role)?.isPresented === true ? Math.min(a, b) : Math.max(a, b);

const rows: readonly (readonly [string, RoleRow])[] = Object.entries(roles);

/** As Prometheus takes it, for queries that leave out what is meant to expire. */
export const replacedPattern = rows.flatMap(([name, { isReplaced }]) => (isReplaced ? [name] : [])).join('|');
