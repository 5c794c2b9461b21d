// Lets sidecars sign without pause, those of other pods or the one beside it, verifies every signature, and responds with the count.
// Arguments: NAME=HOST:PORT or NAME=/SOCKET for each sidecar. /caller/token: what they want to be told; /caller/certificates/SERIAL.pem: who may sign.
// `POST /SERIAL`: from now on, the platform refuses what that key signs, and the sidecar is told what the platform says of each signature.
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
  /** Since when it alone has signed; milliseconds on the caller's clock. */
  since: number;
  /** Signatures by key. */
  byKey: Record<string, number>;
}

const token = readFileSync('/caller/token', 'utf8');
/** Three callers, so that something is always in flight; or one that asks ten times a second. */
const { CREDENTIAL = 'wechat-main', CALLERS = '3', PAUSE_MS = '50' } = process.env;
const agent = new Agent({ keepAlive: true });
const restarts = ['ECONNREFUSED', 'ENOENT', 'ECONNRESET', 'EPIPE'];
const payment = { method: 'POST', url: '/v3/pay/transactions/jsapi', body: '{"out_trade_no":"1"}' };

interface Answer {
  readonly status: number | undefined;
  readonly text: string;
}

function call(target: string, operation: string, input: object): Promise<Answer> {
  const isSocket = target.startsWith('/');
  return new Promise((resolve, reject) => {
    const outgoing = request(`http://${isSocket ? 'localhost' : target}/v1/credentials/${CREDENTIAL}/${operation}`, {
      ...(isSocket && { socketPath: target }),
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
    outgoing.end(JSON.stringify(input));
  });
}

/** As docs/sidecar.md says. */
async function callWithRetry(target: string, count: Count, operation: string, input: object): Promise<Answer> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    try {
      const answer = await call(target, operation, input);
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

/** The key whose signatures the platform refuses. */
let refused: string | undefined;

async function report(target: string, count: Count, keyId: string): Promise<void> {
  const judgement = { keyId, outcome: keyId === refused ? 'refused' : 'accepted' };
  const { status, text } = await callWithRetry(target, count, 'report', judgement);
  if (status !== 200) throw new Error(`${String(status)} ${text}`);
}

async function run(target: string, count: Count): Promise<never> {
  for (;;) {
    try {
      const keyId = check(await callWithRetry(target, count, 'authorize', payment));
      if (keyId !== count.keyId) [count.keyId, count.since] = [keyId, Date.now()];
      count.signed += 1;
      count.byKey[keyId] = (count.byKey[keyId] ?? 0) + 1;
      if (refused !== undefined) await report(target, count, keyId);
    } catch (error) {
      count.failed += 1;
      count.lastFailure = String(error);
      console.error(count.lastFailure);
    }
    await sleep(Number(PAUSE_MS));
  }
}

const counts: Record<string, Count> = {};
for (const [name = '', target = ''] of process.argv.slice(2).map((word) => word.split('='))) {
  const count: Count = { signed: 0, failed: 0, retries: 0, lastFailure: '', keyId: '', since: 0, byKey: {} };
  counts[name] = count;
  for (let caller = 0; caller < Number(CALLERS); caller += 1) void run(target, count);
}
createServer(({ method, url = '' }, response) => {
  if (method === 'POST') refused = url.slice(1);
  response.end(JSON.stringify({ now: Date.now(), counts }));
}).listen(8080);
process.on('SIGTERM', () => process.exit());
