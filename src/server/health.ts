// Rows of health and metrics, on their own listener: what kubelet and Prometheus ask. Loads nothing of the local API.
import type { Clock } from '../clock.ts';
import type { Reply, Route } from './routes.ts';
import { shared } from './shared.ts';

export interface Metrics {
  readonly contentType: string;
  render(): Promise<string>;
}

const text = 'text/plain; charset=utf-8';

const get = (path: Route['path'], type: string, summary: string) =>
  ({ method: 'GET', answersHead: true, path, type, summary }) as const;

/** What `bad` says where it is not good. */
export const probeReply = (isGood: boolean, bad = ''): Reply =>
  isGood ? { body: 'ok\n' } : { status: 503, body: `${bad}\n` };

export const probe = (path: Route['path'], summary: string, run: Route['run']): Route => ({
  ...get(path, text, summary),
  run,
});

/** One rendering for all who ask, and the same bytes for each of them: what they leave unread is held once. */
export function metricsRoute(metrics: Metrics, clock: Clock): Route {
  const render = shared(async () => Buffer.from(await metrics.render()), clock);
  return {
    ...get('/metrics', metrics.contentType, 'Every metric of the process.'),
    run: async () => ({ body: await render() }),
  };
}
