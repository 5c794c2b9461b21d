// Runs in a pod of its own: lets the sidecars of other pods sign without pause, verifies every signature, and answers with the count.
// Arguments: NAME=HOST:PORT for each sidecar. /caller/token: what they want to be told; /caller/certificates/SERIAL.pem: who may sign.
import { verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** What was counted of one sidecar. */
export interface Count {
  signed: number;
  /** Not signed after the documented retries, or what does not verify. */
  failed: number;
  retries: number;
  lastFailure: string;
  keyId: string;
  /** When that key signed first; milliseconds on the caller's clock. */
  since: number;
}

const token = readFileSync('/caller/token', 'utf8');
const agent = new Agent({ keepAlive: true });
const restarts = ['ECONNREFUSED', 'ENOENT', 'ECONNRESET', 'EPIPE'];
/** So that something is always in flight. */
const callersOfEach = 3;
const payment = { method: 'POST', url: '/v3/pay/transactions/jsapi', body: '{"out_trade_no":"1"}' };

interface Answer {
  readonly status: number | undefined;
  readonly text: string;
}

function call(target: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(`http://${target}/v1/credentials/wechat-main/authorize`, {
      agent,
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
      timeout: 5000,
    });
    outgoing.on('timeout', () => outgoing.destroy(Object.assign(new Error('no response'), { code: 'ETIMEDOUT' })));
    outgoing.on('error', reject);
    outgoing.on('response', (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject);
      incoming.on('end', () => resolve({ status: incoming.statusCode, text: Buffer.concat(chunks).toString() }));
    });
    outgoing.end(JSON.stringify(payment));
  });
}

/** As docs/sidecar.md says. */
async function callWithRetry(target: string, count: Count): Promise<Answer> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    try {
      const answer = await call(target);
      if (answer.status !== 503 || Date.now() >= deadline) return answer;
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (!restarts.includes(code) || Date.now() >= deadline) throw error;
    }
    count.retries += 1;
    await sleep(50);
  }
}

/** As WeChat Pay does: what the header names must verify what was sent. Returns the serial number. */
function check({ status, text }: Answer): string {
  if (status !== 200) throw new Error(`${String(status)} ${text}`);
  const { headers, keyId } = JSON.parse(text) as { headers: { Authorization: string }; keyId: string };
  const part = (name: string): string => new RegExp(`${name}="([^"]*)"`).exec(headers.Authorization)?.[1] ?? '';
  const serial = part('serial_no');
  if (keyId !== serial) throw new Error(`the answer names ${keyId}, its header ${serial}`);
  const { method, url, body } = payment;
  const message = Buffer.from(`${[method, url, part('timestamp'), part('nonce_str'), body].join('\n')}\n`);
  const certificate = readFileSync(`/caller/certificates/${serial}.pem`);
  if (!verify('sha256', message, certificate, Buffer.from(part('signature'), 'base64')))
    throw new Error(`a signature of ${serial} does not verify`);
  return serial;
}

async function run(target: string, count: Count): Promise<never> {
  for (;;) {
    try {
      const keyId = check(await callWithRetry(target, count));
      if (keyId !== count.keyId) [count.keyId, count.since] = [keyId, Date.now()];
      count.signed += 1;
    } catch (error) {
      count.failed += 1;
      count.lastFailure = String(error);
      console.error(count.lastFailure);
    }
    await sleep(50);
  }
}

const counts: Record<string, Count> = {};
for (const [name = '', target = ''] of process.argv.slice(2).map((word) => word.split('='))) {
  const count = { signed: 0, failed: 0, retries: 0, lastFailure: '', keyId: '', since: 0 };
  counts[name] = count;
  for (let caller = 0; caller < callersOfEach; caller += 1) void run(target, count);
}
createServer((_, response) => {
  response.end(JSON.stringify({ now: Date.now(), counts }));
}).listen(8080);
process.on('SIGTERM', () => process.exit());
