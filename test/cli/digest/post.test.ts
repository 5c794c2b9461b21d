// The digest on its way to a webhook: posted again while it is not taken, through a proxy where there is one, and its address in no message.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { digestOf } from '../../../src/cli/digest/findings.ts';
import type { ReceiverName } from '../../../src/cli/digest/message.ts';
import { post } from '../../../src/cli/digest/post.ts';
import { listenFor } from '../../support/listening.ts';

const at = new Date('2026-11-27T01:00:00Z');
const digest = digestOf([], at);

/** A webhook that gives these responses, one after the other, and a clock whose pauses are over at once. */
async function scene(t: TestContext, replies: readonly (readonly [status: number, body: string])[]) {
  const seen: string[] = [];
  const pauses: number[] = [];
  const origin = await listenFor(t, (request, response) => {
    const [status, body] = replies[Math.min(seen.length, replies.length - 1)] ?? [200, ''];
    seen.push(request.url ?? '');
    request.resume().on('end', () => response.writeHead(status).end(body));
  });
  const clock = {
    now: () => at,
    sleep: async (milliseconds: number) => void pauses.push(milliseconds),
  };
  const options = (receiver: ReceiverName, proxy?: string) => ({
    ...{ receiver, address: new URL(`${origin}/robot?key=a-secret-key`), secret: undefined, template: undefined },
    ...{ proxy, clock, signal: new AbortController().signal },
  });
  return { origin, seen, pauses, options };
}

describe('a digest that is posted', () => {
  it('is posted again after a failure and after a refusal that comes with 200, until it is taken', async (t) => {
    const replies = [[500, ''], [200, '{"errcode":45009,"errmsg":"api freq out of limit"}'], [200, '{"errcode":0}']] as const; // prettier-ignore
    const { seen, pauses, options } = await scene(t, replies);
    await post(digest, options('wecom'));
    assert.deepEqual([seen.length, pauses], [3, [1000, 5000]]);
  });

  it('is given up after four times with what the robot says, and neither its address nor its key is in the error', async (t) => {
    const { origin, seen, options } = await scene(t, [[200, '{"code":19021,"msg":"sign match fail"}']]);
    await assert.rejects(post(digest, options('feishu')), (error: Error) => {
      assert.match(
        error.message,
        new RegExp(`feishu webhook at ${new URL(origin).host} did not take it: it says 19021$`),
      );
      assert.ok(!error.message.includes('a-secret-key'));
      return true;
    });
    assert.equal(seen.length, 4);
    await assert.rejects(post(digest, { ...options('json'), address: new URL('http://127.0.0.1:1/') }), { code: 'digest-unposted', message: /ECONNREFUSED/ }); // prettier-ignore
  });

  it('goes through a proxy by a tunnel', async (t) => {
    const { origin, seen, options } = await scene(t, [[204, '']]);
    const tunnels: string[] = [];
    const proxy = createServer()
      .on('connect', ({ url = '' }, socket) => {
        tunnels.push(url);
        const upstream = connect(Number(url.split(':')[1]), '127.0.0.1', () => {
          socket.write('HTTP/1.1 200 OK\r\n\r\n');
          upstream.pipe(socket).pipe(upstream);
        });
        for (const one of [socket, upstream]) one.on('error', () => undefined);
      })
      .listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    t.after(() => {
      proxy.closeAllConnections();
      proxy.close();
    });
    const { port } = proxy.address() as { port: number };
    await post(digest, options('json', `http://127.0.0.1:${String(port)}`));
    assert.deepEqual([tunnels, seen.length], [[new URL(origin).host], 1]);
  });
});
