// Health and metrics, on their own listener: what kubelet and Prometheus ask.
import type { RequestListener } from 'node:http';
import type { Clock } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import type { Observe } from '../events.ts';
import { isReady, type Store } from '../store/store.ts';
import { send, sendProblem } from './http.ts';
import { toPaycertError } from './problem.ts';
import { isProcessReady, isProcessStarted } from './status.ts';

export interface Metrics {
  readonly contentType: string;
  render(): Promise<string>;
}

export interface Admin {
  readonly store: Store;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Whether every listener is bound. */
  readonly isListening: () => boolean;
  readonly observe: Observe;
}

export function createAdmin({ store, clock, metrics, isListening, observe }: Admin): RequestListener {
  const verdict = (isGood: boolean, bad: string): [number, string] => (isGood ? [200, 'ok\n'] : [503, `${bad}\n`]);

  const judge = (path: string): [number, string] | undefined => {
    if (path === '/livez') return [200, 'ok\n'];
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

  return (request, response) => {
    const answer = async (): Promise<void> => {
      // HEAD is what `wget --spider` in a container's health check sends; Node leaves the body out.
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        response.setHeader('Allow', 'GET, HEAD');
        throw new PaycertError('method-not-allowed', 'this listener answers GET');
      }
      const [path = ''] = (request.url ?? '').split('?', 1);
      if (path === '/metrics') {
        send(response, 200, metrics.contentType, await metrics.render());
        return;
      }
      const judged = judge(path);
      if (judged === undefined) throw new PaycertError('route-unknown', 'there is no such route');
      send(response, judged[0], 'text/plain; charset=utf-8', judged[1]);
    };
    answer().catch((error: unknown) => {
      const known = toPaycertError(error);
      if (known.kind === 'internal') observe({ type: 'internal-error', where: 'admin', error });
      sendProblem(request, response, known);
    });
  };
}
