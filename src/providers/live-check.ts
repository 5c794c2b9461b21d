// One harmless call that tells whether a platform takes a merchant's key, and how its response is read.
import type { RequestToAuthorize } from './provider.ts';

/** `none`: the response does not say. */
export type Verdict = 'accepted' | 'refused' | 'none';

/** What is asked of a platform that can be asked. Pure. */
export interface LiveCheck {
  /** The call, at that origin of the platform: it changes nothing there, and may be made again. */
  readonly request: (origin: string) => RequestToAuthorize;
  readonly verdictOf: (response: { readonly status: number; readonly body: Uint8Array }) => Verdict;
}
