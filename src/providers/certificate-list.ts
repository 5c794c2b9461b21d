// How a platform hands out the certificates that it signs with: the call that lists them, and what its response says.
import type { Operations } from './provider.ts';

/** Certificates as parts of material, under names that the provider of the platform reads. */
export type Listed = ReadonlyMap<string, Uint8Array>;

export const isSameList = (one: Listed, other: Listed): boolean =>
  one.size === other.size &&
  [...one].every(([name, bytes]) => Buffer.compare(bytes, other.get(name) ?? Buffer.of()) === 0);

/** A response, as far as it says whether there is a list. */
export interface ListResponse {
  readonly status: number;
  readonly body: Uint8Array;
}

/** What is asked of a platform that lists its certificates. Pure. */
export interface CertificateList {
  /** The call, at that origin of the platform. */
  readonly request: (origin: string) => { readonly method: string; readonly url: string };
  /**
   * What a success holds: those that have not expired. `decrypt` is that of the merchant's own set.
   * @throws PaycertError `certificate-list-invalid`, `certificate-list-empty`; whatever `decrypt` throws
   */
  readonly open: (body: Uint8Array, decrypt: Operations['decrypt'], now: Date) => Promise<Listed>;
  /** Whether an error says that this merchant has no certificates: the platform signs with a public key. */
  readonly isAbsent: (response: ListResponse) => boolean;
  /** Whether a key of that id could be in the list. */
  readonly mayList: (keyId: string) => boolean;
  /** Whether a part of material has a name that only what was listed has. */
  readonly isListed: (name: string) => boolean;
  /**
   * What is stored where others read it: the list, and what an earlier one had and this one has not, which counts `until` then at most.
   * Anything else among the earlier ones is dropped.
   */
  readonly keep: (before: Listed, listed: Listed, times: { readonly now: Date; readonly until: Date }) => Listed;
}
