// The signing proxy on real listeners, in front of a platform that keeps every byte: what both targets of the proxy use.
import type { Event } from '../../../src/events.ts';
import type { LocalSigning } from '../../../src/server/proxy/resign.ts';
import { type Proxied, startProxied } from '../../support/proxied.ts';
import { type RawPlatform, startRawPlatform } from '../../support/raw-platform.ts';
import type { Corpus } from '../corpus.ts';

export interface FuzzedProxy extends AsyncDisposable {
  readonly proxied: Proxied;
  readonly platform: RawPlatform;
  /** Throws where an error of ours was observed since the last time. */
  assertNoInternalError(): void;
}

/** `local`: as with `resign: local`. */
export async function startProxy({ material }: Corpus, local?: LocalSigning): Promise<FuzzedProxy> {
  const ends: (() => unknown)[] = [];
  const scope = { after: (end: () => unknown) => void ends.push(end) };
  const platform = await startRawPlatform(scope);
  let internal: unknown;
  const observe = (event: Event) => {
    if (event.type === 'internal-error') internal ??= event.error;
  };
  // Nothing is held back: what a platform does wrong here is the input.
  const breaker = { failurePercent: 100, minimumCalls: 1_000_000, openMilliseconds: 1 };
  const options = { material, double: platform.origin, attempts: 1, observe, breaker, ...(local && { local }) };
  const proxied = await startProxied(scope, options);
  return {
    proxied,
    platform,
    assertNoInternalError() {
      const error = internal;
      internal = undefined;
      proxied.events.length = 0;
      if (error !== undefined) throw error instanceof Error ? error : new Error('something unforeseen was thrown');
    },
    async [Symbol.asyncDispose]() {
      for (const end of ends.reverse()) await end();
    },
  };
}
