// A real Alertmanager with a configuration of the documents, in which five minutes last a second, and the receivers of its notifications.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { json } from 'node:stream/consumers';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parse, stringify } from 'yaml';

export interface Notification {
  /** As the documents name it. */
  readonly receiver: string;
  readonly status: 'firing' | 'resolved';
  /** What a pager knows an incident by. */
  readonly groupKey: string;
  readonly alerts: readonly { readonly labels: Readonly<Record<string, string>> }[];
}

export interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly startsAt: Date;
  readonly endsAt: Date;
}

interface Route {
  group_wait?: string;
  group_interval?: string;
  repeat_interval?: string;
  routes?: Route[];
  [field: string]: unknown;
}

const factor = 300;
/** What a minute lasts here, and what five do: a round of a group. */
export const scaledMinute = 60_000 / factor;
export const scaledRound = 5 * scaledMinute;
const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `5m` → `1000ms` */
function scale(duration: string): string {
  const [, count = '', unit = ''] = /^(\d+)([smhd])$/.exec(duration) ?? [];
  return `${Math.ceil((Number(count) * (units[unit] ?? Number.NaN)) / factor)}ms`;
}

/** With Alertmanager's defaults at the top, which would not be scaled. */
function scaleRoute(route: Route, isTop = true): Route {
  const given = isTop ? { group_wait: '30s', group_interval: '5m', repeat_interval: '4h', ...route } : route;
  const scaled = Object.fromEntries(
    Object.entries(given).map(([name, value]) => [
      name,
      /_(wait|interval)$/.test(name) ? scale(value as string) : value,
    ]),
  );
  return { ...scaled, ...(route.routes && { routes: route.routes.map((inner) => scaleRoute(inner, false)) }) };
}

/** Longer than two rounds of every group, and a round more for a machine that is busy: when it is told, all that was due has been told. */
const markerRoute = { receiver: 'marker', matchers: ['alertname="Marker"'], group_by: ['step'], group_wait: '3400ms' };

export class Alertmanager {
  readonly notifications: Notification[] = [];
  readonly #marked = new Map<string, () => void>();
  readonly #receivers: Server;
  #child: ChildProcess | undefined;
  #url = '';
  #step = 0;

  private constructor() {
    this.#receivers = createServer((request, response) => {
      void json(request).then((body) => {
        const notification = body as Notification;
        if (notification.receiver === 'marker')
          for (const { labels } of notification.alerts) this.#marked.get(labels['step'] ?? '')?.();
        else this.notifications.push(notification);
        response.end();
      });
    });
  }

  static async start(program: string, directory: string, text: string): Promise<Alertmanager> {
    const made = new Alertmanager();
    made.#receivers.listen(0, '127.0.0.1');
    await once(made.#receivers, 'listening');
    const url = `http://127.0.0.1:${(made.#receivers.address() as AddressInfo).port}/`;
    const { route, receivers, ...rest } = parse(text) as { route: Route; receivers: { name: string }[] };
    const top = scaleRoute(route);
    const config = {
      ...rest,
      route: { ...top, routes: [markerRoute, ...(top.routes ?? [])] },
      receivers: [...receivers, { name: 'marker', webhook_configs: [{}] }].map((receiver) => {
        const { webhook_configs: hooks = [] } = receiver as { webhook_configs?: object[] };
        return { ...receiver, ...(hooks.length > 0 && { webhook_configs: hooks.map((hook) => ({ ...hook, url })) }) };
      }),
    };
    const path = join(directory, 'alertmanager.yml');
    await writeFile(path, stringify(config));
    const child = spawn(program, [
      `--config.file=${path}`,
      `--storage.path=${join(directory, 'data')}`,
      '--web.listen-address=127.0.0.1:0',
      '--cluster.listen-address=',
    ]);
    made.#child = child;
    const said: string[] = [];
    for await (const line of createInterface({ input: child.stderr })) {
      said.push(line);
      const [, address] = /"Listening on" address=(\S+)/.exec(line) ?? [];
      if (address !== undefined) {
        made.#url = `http://${address}/api/v2/alerts`;
        child.stderr.resume();
        return made;
      }
    }
    throw new Error(`Alertmanager has ended:\n${said.join('\n')}`);
  }

  async post(alerts: readonly Alert[]): Promise<void> {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(this.#url, { method: 'POST', headers, body: JSON.stringify(alerts) });
    if (!response.ok) throw new Error(await response.text());
  }

  /** Until everything that is due has been told. */
  async settle(): Promise<void> {
    this.#step += 1;
    const step = String(this.#step);
    const marked = new Promise<void>((resolve) => this.#marked.set(step, resolve));
    const startsAt = new Date();
    await this.post([
      { labels: { alertname: 'Marker', step }, startsAt, endsAt: new Date(startsAt.getTime() + 3_600_000) },
    ]);
    await marked;
  }

  async stop(): Promise<void> {
    this.#receivers.close();
    this.#receivers.closeAllConnections();
    if (this.#child === undefined || this.#child.exitCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
  }
}
