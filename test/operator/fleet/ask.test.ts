// A question to an admin port, when what answers is a stranger: bounded in bytes, depth and time, and nothing is followed.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import { askPod, patienceMilliseconds } from '../../../src/operator/fleet/ask.ts';
import { maxSightingBytes, readSighting, Unseen } from '../../../src/operator/fleet/read-sighting.ts';
import { listen } from '../../support/listening.ts';

const never = new AbortController().signal;

async function serve(t: TestContext, listener: RequestListener) {
  return { host: '127.0.0.1', port: await listen(t, createServer(listener), '127.0.0.1') };
}
const answering = (t: TestContext, body: string) => serve(t, (_, response) => void response.end(body));
const unseen = (message: RegExp) => (error: unknown) => error instanceof Unseen && message.test(error.message);

describe('askPod', () => {
  it('gets what a sidecar says, and leaves out what a later version adds', async (t) => {
    const said = { version: '9.0.0', more: { of: ['it'] }, credentials: [{ name: 'shop', snapshotId: 'a', new: 1 }] };
    const address = await answering(t, JSON.stringify(said));
    const { version, credentials } = await askPod(address, never);
    assert.deepEqual([version, credentials[0]?.name], ['9.0.0', 'shop']);
  });

  it('sends one GET of a fixed path, with nothing that says who asks', async (t) => {
    const seen: unknown[] = [];
    const address = await serve(t, ({ method, url, headers }, response) => {
      seen.push([method, url, Object.keys(headers).sort()]);
      response.end('{"version":"1.0.0","credentials":[]}');
    });
    await askPod(address, never);
    assert.deepEqual(seen, [['GET', '/fleet', ['accept', 'connection', 'host', 'user-agent']]]);
  });

  it('follows no redirect', async (t) => {
    let asked = 0;
    const target = await serve(t, (_, response) => {
      asked += 1;
      response.end('{"version":"1.0.0","credentials":[]}');
    });
    const location = `http://127.0.0.1:${String(target.port)}/fleet`;
    const address = await serve(t, (_, response) => void response.writeHead(302, { location }).end());
    await assert.rejects(askPod(address, never), unseen(/status 302/));
    assert.equal(asked, 0);
  });

  it('reads no more than so many bytes, and believes no length', async (t) => {
    const written = { bytes: 0 };
    const address = await serve(t, (_, response) => {
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, 32))) written.bytes += 65_536;
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    });
    await assert.rejects(askPod(address, never), unseen(/too large/));
    assert.ok(written.bytes < maxSightingBytes * 100);
  });

  it('waits two seconds in all, however an answer drips', { timeout: 300_000 }, async (t) => {
    const dripping = await serve(t, (_, response) => {
      const timer = setInterval(() => response.write(' '), 100);
      response.once('close', () => clearInterval(timer));
    });
    const mute = createTcpServer((socket) => void socket.on('error', () => undefined)).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    t.after(() => void mute.close());
    const silent = { host: '127.0.0.1', port: (mute.address() as AddressInfo).port };
    for (const address of [dripping, silent]) {
      // Counted in this process, whose timers wait for a busy machine as those of the question do.
      let ticks = 0;
      const ticking = setInterval(() => (ticks += 1), 100);
      await assert.rejects(askPod(address, never), unseen(/no response within 2 s/));
      clearInterval(ticking);
      assert.ok(ticks * 100 < patienceMilliseconds * 2, String(ticks));
    }
  });

  it('says in a few words why there is no answer', async (t) => {
    for (const body of [
      '',
      'ok',
      '[]',
      '{}',
      'null',
      '{"version":1,"credentials":[]}',
      '{"version":"1","credentials":[{}]}',
    ])
      await assert.rejects(askPod(await answering(t, body), never), unseen(/no sidecar/), body);
    await assert.rejects(askPod({ host: '127.0.0.1', port: 1 }, never), unseen(/cannot be reached \(ECONNREFUSED\)/));
  });

  it('rejects with the reason of its signal', async (t) => {
    const address = await serve(t, () => undefined);
    const stop = new AbortController();
    const asked = askPod(address, stop.signal);
    stop.abort(new Error('over'));
    await assert.rejects(asked, /over/);
  });
});

describe('readSighting', () => {
  it('takes what is deep or wide within its bytes in milliseconds, and refuses it', () => {
    const deep = '['.repeat(maxSightingBytes / 2) + ']'.repeat(maxSightingBytes / 2);
    const wide = `{"version":"1","credentials":[${'{},'.repeat(80_000)}{}]}`;
    for (const text of [deep, wide, '{"a":'.repeat(40_000)]) {
      const began = process.cpuUsage();
      assert.throws(() => readSighting(Buffer.from(text)), Unseen);
      assert.ok(process.cpuUsage(began).user < 250_000);
    }
  });

  it('gives lines of bounded length, or refuses, whatever somebody answers', () => {
    const text = fc.oneof(
      fc.string({ maxLength: 80 }),
      fc.constantFrom('\u001b[2J', 'a\nb', '\u0000', 'x'.repeat(300)),
    );
    const one = fc.record({ name: text, snapshotId: text, keyId: text, loadedAt: text, rejection: text }, { requiredKeys: ['name'] }); // prettier-ignore
    const answer = fc.oneof(
      fc.json(),
      fc.record({ version: text, credentials: fc.array(one) }).map((all) => JSON.stringify(all)),
    );
    fc.assert(
      fc.property(answer, (body) => {
        try {
          const { credentials } = readSighting(Buffer.from(body));
          for (const found of credentials)
            for (const value of [found.name, found.keyId ?? '', found.snapshotId ?? '', found.rejection ?? ''])
              assert.match(value, /^[^\u0000-\u001f\u007f-\u009f]{0,256}$/);
        } catch (error) {
          if (!(error instanceof Unseen)) throw error;
        }
      }),
    );
  });
});
