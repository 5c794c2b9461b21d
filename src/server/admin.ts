// Health of a sidecar: what kubelet asks.
import type { RequestListener } from 'node:http';
import type { Clock } from '../clock.ts';
import type { Observe } from '../events.ts';
import { isReady, type Store } from '../store/store.ts';
import { createHealth, type Metrics, type Verdict, verdict } from './health.ts';
import { isProcessReady, isProcessStarted } from './status.ts';

export interface Admin {
  readonly store: Store;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Whether every listener is bound. */
  readonly isListening: () => boolean;
  readonly observe: Observe;
}

export function createAdmin({ store, clock, metrics, isListening, observe }: Admin): RequestListener {
  const judge = (path: string): Verdict | undefined => {
    if (path === '/livez') return verdict(true);
    if (path === '/startupz')
      return verdict(isListening() && isProcessStarted(store), 'not every required credential is loaded');
    if (path === '/readyz')
      return verdict(isProcessReady(store, clock.now()), 'a required credential cannot do what it must');
    if (!path.startsWith('/readyz/')) return undefined;
    return verdict(
      isReady(store.entry(path.slice('/readyz/'.length)), clock.now()),
      'the credential cannot do what it must',
    );
  };

  return createHealth({ judge, metrics, observe });
}
