// The demo's traffic: callers that let the sidecar sign, send to the gateway, and let the sidecar verify the response.
import { randomUUID } from 'node:crypto';
import { Agent, request as httpRequest } from 'node:http';
import type { Clock } from '../../clock.ts';

export interface Counts {
  requests: number;
  failures: number;
  /** Why, in a word, of the last one. */
  lastFailure?: string;
}

export interface Traffic {
  readonly socket: string;
  readonly gateway: string;
  readonly credential: string;
  readonly merchantId: string;
  readonly callers: number;
  readonly pauseMilliseconds: number;
  readonly clock: Clock;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface Target {
  readonly socketPath?: string;
  readonly url?: string;
}

interface Request {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

function send(agent: Agent, target: Target, { method, path, headers, body }: Request): Promise<Answer> {
  const { hostname, port } = target.url === undefined ? {} : new URL(target.url);
  const address = target.socketPath === undefined ? { host: hostname, port } : { socketPath: target.socketPath };
  return new Promise((resolve, reject) => {
    const request = httpRequest({ ...address, agent, method, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const flat = Object.entries(response.headers).map(([name, value]): [string, string] => [name, String(value)]);
        resolve({
          status: response.statusCode ?? 0,
          headers: Object.fromEntries(flat),
          body: Buffer.concat(chunks).toString(),
        });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** Runs until aborted; what is in flight then finishes and counts. */
export async function driveTraffic(traffic: Traffic, counts: Counts, signal: AbortSignal): Promise<void> {
  const agent = new Agent({ keepAlive: true });
  const sidecar = async (operation: string, input: object): Promise<unknown> => {
    const path = `/v1/credentials/${traffic.credential}/${operation}`;
    const { status, body } = await send(
      agent,
      { socketPath: traffic.socket },
      { method: 'POST', path, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(input) },
    );
    if (status !== 200)
      throw new Error(`${operation} answered ${status} ${(JSON.parse(body) as { title: string }).title}`);
    return JSON.parse(body) as unknown;
  };
  const payOnce = async (): Promise<void> => {
    const url = '/v3/pay/transactions/jsapi';
    const body = JSON.stringify({
      mchid: traffic.merchantId,
      out_trade_no: randomUUID(),
      description: '演示订单',
      amount: { total: 1, currency: 'CNY' },
    });
    const { headers } = (await sidecar('authorize', { method: 'POST', url, body })) as {
      headers: Record<string, string>;
    };
    const answer = await send(agent, { url: traffic.gateway }, { method: 'POST', path: url, headers, body });
    if (answer.status !== 200) throw new Error(`the gateway answered ${answer.status}`);
    await sidecar('verify', {
      kind: 'response',
      headers: answer.headers,
      body: answer.body,
      status: answer.status,
      url,
    });
  };
  const caller = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        await payOnce();
      } catch (error) {
        counts.failures += 1;
        counts.lastFailure = error instanceof Error ? error.message : 'unknown';
      }
      counts.requests += 1;
      await traffic.clock.sleep(traffic.pauseMilliseconds, signal);
    }
  };
  await Promise.all(Array.from({ length: traffic.callers }, caller));
  agent.destroy();
}
