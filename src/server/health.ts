// Health and metrics, on their own listener: what kubelet and Prometheus ask.
import type { RequestListener } from 'node:http';
import { PaycertError } from '../errors.ts';
import type { Observe } from '../events.ts';
import { send, sendProblem } from './http.ts';
import { toPaycertError } from './problem.ts';

export interface Metrics {
  readonly contentType: string;
  render(): Promise<string>;
}

/** Status and text of an answer to a probe. */
export type Verdict = readonly [number, string];

export const verdict = (isGood: boolean, bad = ''): Verdict => (isGood ? [200, 'ok\n'] : [503, `${bad}\n`]);

export interface Health {
  /** By the path; undefined where there is nothing. */
  readonly judge: (path: string) => Verdict | undefined;
  readonly metrics: Metrics;
  readonly observe: Observe;
}

export function createHealth({ judge, metrics, observe }: Health): RequestListener {
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
      if (judged === undefined)
        throw new PaycertError('route-unknown', 'this listener has health and metrics: /livez, /readyz, /metrics');
      send(response, judged[0], 'text/plain; charset=utf-8', judged[1]);
    };
    answer().catch((error: unknown) => {
      const known = toPaycertError(error);
      if (known.kind === 'internal') observe({ type: 'internal-error', where: 'admin', error });
      sendProblem(request, response, known);
    });
  };
}
