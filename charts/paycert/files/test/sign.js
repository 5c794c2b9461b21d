// helm test, last step: the sidecar signs, the public key verifies, and the operator says that it is ready. Arguments: the directory, the operator's /readyz.
import { randomUUID, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';

const [directory, operator] = process.argv.slice(-2);
const message = Buffer.from(`helm test ${randomUUID()}\n`);

const call = (target, options, body) =>
  new Promise((resolve, reject) => {
    // Only whether the operator is ready is asked: who issued its certificate is Prometheus' to know.
    const send = target.startsWith('https:') ? secureRequest : request;
    const outgoing = send(target, { rejectUnauthorized: false, ...options, timeout: 5000 }, async (answer) => {
      resolve({ status: answer.statusCode, text: Buffer.concat(await answer.toArray()).toString() });
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in 5 s')));
    outgoing.on('error', reject);
    outgoing.end(body);
  });

const signed = await call(
  'http://paycert/v1/credentials/helm-test/sign',
  { socketPath: `${directory}/paycert.sock`, method: 'POST', headers: { 'Content-Type': 'application/json' } },
  JSON.stringify({ messageBase64: message.toString('base64') }),
);
if (signed.status !== 200) throw new Error(`the sidecar did not sign: ${signed.status} ${signed.text}`);
const { signature } = JSON.parse(signed.text);
if (!verify('sha256', message, readFileSync(`${directory}/public.pem`), Buffer.from(signature, 'base64')))
  throw new Error('the signature does not verify');
console.log('the sidecar signed, and the signature verifies');

// The operator may still be starting: `helm test` may come right after `helm install`.
let last = '';
for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(1000)) {
  const { status, text } = await call(operator, {}).catch(({ message: text }) => ({ status: 0, text }));
  last = `${status} ${text}`.trim();
  if (status === 200) {
    console.log('the operator is ready');
    process.exit(0);
  }
}
throw new Error(`the operator is not ready: ${operator} answered ${last}`);
