// An exporter in front of a collector that takes, refuses, is slow, silent or absent: nobody waits, and nothing is lost uncounted.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Exporter } from '../../src/otlp/exporter.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { startOtlpReceiver } from '../support/otlp-receiver.ts';
import { Recorder } from '../support/recorder.ts';

const timeoutMilliseconds = 10_000;
const flushMilliseconds = 1500;

const span = (name: string): string =>
  JSON.stringify({
    ...{ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), name, kind: 2, status: {} },
    ...{ startTimeUnixNano: '1', endTimeUnixNano: '2', attributes: [] },
  });

async function start(t: TestContext, endpoint?: string, signal: 'traces' | 'logs' = 'traces') {
  const receiver = await startOtlpReceiver(t);
  const clock = new FakeClock();
  const recorder = new Recorder();
  const target = {
    url: new URL(endpoint ?? `${receiver.origin}/v1/${signal}`),
    headers: { authorization: 'Bearer secret' },
    timeoutMilliseconds,
  };
  const exporter = new Exporter({
    ...{ signal, target, resource: { 'service.name': 'shop' }, version: '1.2.3', clock, flushMilliseconds },
    ...{ observe: recorder.observe, random: () => 1 },
  });
  t.after(async () => {
    const closed = exporter.close();
    await setImmediate();
    clock.advance(flushMilliseconds);
    await closed;
  });
  const names = () => receiver.spans.map(({ name }) => name);
  /** Hands over, and lets a second pass. */
  const gathered = async (...items: readonly string[]) => {
    for (const item of items) exporter.add(item);
    await setImmediate();
    clock.advance(1000);
  };
  return { receiver, clock, recorder, exporter, names, gathered };
}

/** Of all that was dropped. */
const dropped = ({ recorder }: { recorder: Recorder }) =>
  recorder.of('export-dropped').reduce((sum, { items }) => sum + items, 0);

describe('an exporter', { timeout: 900_000 }, () => {
  it('sends what was gathered for a second in one request, with headers and who it is of', async (t) => {
    const { receiver, clock, recorder, exporter, names } = await start(t);
    for (const name of ['a', 'b', 'c']) exporter.add(span(name));
    await setImmediate();
    assert.deepEqual(clock.sleeping, [1000]);
    const exported = recorder.next('exported');
    clock.advance(1000);
    assert.deepEqual(await exported, { type: 'exported', signal: 'traces', items: 3 });
    assert.deepEqual(names(), ['a', 'b', 'c']);
    const [request, ...others] = receiver.requests;
    assert.deepEqual([request?.url, request?.headers.authorization, others.length], ['/v1/traces', 'Bearer secret', 0]);
    assert.deepEqual(receiver.spans[0]?.resource, { 'service.name': 'shop' });
    assert.match(request?.text ?? '', /"scope":\{"name":"paycert","version":"1.2.3"\}/);
  });

  it('sends a full batch at once', async (t) => {
    const { recorder, exporter, names } = await start(t);
    const exported = recorder.next('exported');
    for (let at = 0; at < 512; at += 1) exporter.add(span(String(at)));
    assert.equal((await exported).items, 512);
    assert.deepEqual(
      names(),
      Array.from({ length: 512 }, (_, at) => String(at)),
    );
  });

  for (const [what, reason] of [
    ['that is absent', 'ECONNREFUSED'],
    ['that breaks off', 'ECONNRESET'],
  ] as const)
    it(`keeps a bounded number for a collector ${what}, and counts the others`, async (t) => {
      const all = await start(t, reason === 'ECONNREFUSED' ? 'http://127.0.0.1:1/v1/traces' : undefined);
      const { receiver, clock, recorder, exporter, names } = all;
      receiver.respond((response) => response.destroy());
      const failed = recorder.next('export-failed');
      for (let at = 0; at < 5000; at += 1) exporter.add(span(String(at)));
      assert.deepEqual(await failed, { type: 'export-failed', signal: 'traces', reason, isNew: true });
      assert.equal(dropped(all), 5000 - 2048);
      if (reason === 'ECONNREFUSED') return;
      await setImmediate();
      receiver.respond((response) => void response.end('{}'));
      const recovered = recorder.next('export-recovered');
      const last = recorder.next('exported', () => recorder.of('exported').length === 4);
      clock.advance(1000);
      await Promise.all([recovered, last]);
      assert.deepEqual(new Set(names()).size, 2048);
      assert.equal(dropped(all), 5000 - 2048);
    });

  it('gives up a collector that is silent, and tries it again, later each time', async (t) => {
    const { receiver, clock, recorder, names, gathered } = await start(t);
    const held: { end(text: string): unknown }[] = [];
    receiver.respond((response) => void held.push(response));
    await gathered(span('a'));
    for (const [attempt, pause] of [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000].entries()) {
      await receiver.until(({ requests }) => requests.length === attempt + 1);
      const failed = recorder.next('export-failed');
      clock.advance(timeoutMilliseconds);
      const { reason, isNew } = await failed;
      assert.deepEqual([reason, isNew], ['no response within 10 s', attempt === 0]);
      await setImmediate();
      assert.deepEqual(clock.sleeping, [pause]);
      clock.advance(pause);
    }
    await receiver.until(() => held.length === 8);
    const exported = recorder.next('exported');
    held.at(-1)?.end('{}');
    assert.equal((await exported).items, 1);
    assert.equal(names().at(-1), 'a');
  });

  it('waits as long as an overloaded collector says', async (t) => {
    const { receiver, clock, recorder, gathered } = await start(t);
    for (const [status, retryAfter, pause] of [
      [429, '5', 5000],
      [503, '86400', 30_000],
      [502, 'soon', 4000],
      [504, '', 8000],
    ] as const) {
      receiver.respond((response) => void response.writeHead(status, { 'Retry-After': retryAfter }).end());
      const failed = recorder.next('export-failed');
      if (status === 429) await gathered(span('a'));
      else clock.advance(clock.sleeping[0] ?? 0);
      assert.equal((await failed).reason, `HTTP ${status}`);
      await setImmediate();
      assert.deepEqual(clock.sleeping, [pause]);
    }
    receiver.respond((response) => void response.end());
    const exported = recorder.next('exported');
    clock.advance(8000);
    assert.equal((await exported).items, 1);
  });

  it('drops a batch that is refused, follows no redirect, and keeps sending', async (t) => {
    const all = await start(t);
    const { receiver, recorder, names, gathered } = all;
    for (const [at, status] of [400, 401, 404, 413, 307, 500].entries()) {
      receiver.respond((response) => void response.writeHead(status, { Location: '/v1/logs' }).end('no'));
      const failed = recorder.next('export-failed');
      await gathered(span(`refused-${status}`));
      assert.equal((await failed).reason, `HTTP ${status}`);
      await setImmediate();
      assert.equal(dropped(all), at + 1);
    }
    receiver.respond((response) => void response.end('{}'));
    const exported = recorder.next('exported');
    await gathered(span('taken'));
    assert.equal((await exported).items, 1);
    assert.equal(names().length, 7);
  });

  it('counts what a collector says that it has refused of a batch, however it says so', async (t) => {
    const all = await start(t);
    const { receiver, recorder, gathered } = all;
    for (const [body, refused] of [
      ['{"partialSuccess":{"rejectedSpans":"2","errorMessage":"a secret"}}', 2],
      ['{"partialSuccess":{"rejectedSpans":1}}', 1],
      ['{"partialSuccess":{"rejectedSpans":99}}', 3],
      ['{"partialSuccess":{"rejectedSpans":-1}}', 0],
      ['{"partialSuccess":null}', 0],
      ['[]', 0],
      ['null', 0],
      ['<html>', 0],
      ['x'.repeat(100_000), 0],
    ] as const) {
      receiver.respond((response) => void response.end(body));
      const [exported, before] = [recorder.next('exported'), dropped(all)];
      await gathered(span('a'), span('b'), span('c'));
      assert.equal((await exported).items, 3 - refused, body.slice(0, 60));
      await setImmediate();
      assert.equal(dropped(all) - before, refused);
    }
    assert.ok(!JSON.stringify(recorder.events).includes('secret'));
  });

  it('sends what waits when it is closed, and takes nothing more', async (t) => {
    const all = await start(t);
    for (const name of ['a', 'b']) all.exporter.add(span(name));
    await all.exporter.close();
    all.exporter.add(span('late'));
    assert.deepEqual(all.names(), ['a', 'b']);
    assert.equal(dropped(all), 1);
  });

  it('waits no longer than it may for a silent collector when it is closed, and counts what is lost', async (t) => {
    const all = await start(t);
    const { receiver, clock, recorder, exporter } = all;
    receiver.respond(() => undefined);
    exporter.add(span('a'));
    const closed = exporter.close();
    await receiver.until(({ requests }) => requests.length === 1);
    clock.advance(flushMilliseconds);
    await closed;
    assert.deepEqual([dropped(all), recorder.of('export-failed')[0]?.reason], [1, 'the process ends']);
    assert.deepEqual(clock.sleeping, []);
  });

  it('that was refused a moment ago tries once more when it is closed', async (t) => {
    const all = await start(t);
    const { receiver, recorder, exporter, gathered } = all;
    receiver.respond((response) => void response.writeHead(503).end());
    const failed = recorder.next('export-failed');
    await gathered(span('a'));
    await failed;
    await setImmediate();
    await exporter.close();
    assert.deepEqual([receiver.requests.length, dropped(all)], [2, 1]);
  });
});

const line = JSON.stringify({ timeUnixNano: '1', severityNumber: 9, body: { stringValue: 'x' }, attributes: [] });

describe('who waits until an item is taken', { timeout: 900_000 }, () => {
  it('waits for no others to gather, and shares a request with those who came at once', async (t) => {
    const { receiver, exporter } = await start(t, undefined, 'logs');
    await Promise.all(
      Array.from({ length: 5 }, async () => {
        exporter.add(line);
        await exporter.taken();
      }),
    );
    assert.deepEqual([receiver.logs.length, receiver.requests.length], [5, 1]);
    await exporter.taken();
  });

  it('is served again right after the last one was, whatever the turn', async (t) => {
    const { receiver, exporter } = await start(t, undefined, 'logs');
    for (let count = 1; count <= 20; count += 1) {
      exporter.add(line);
      await exporter.taken();
      assert.equal(receiver.logs.length, count);
    }
  });

  it('learns why it is not, at once; the item stays, and is tried again', async (t) => {
    const { receiver, clock, recorder, exporter } = await start(t, undefined, 'logs');
    for (const [status, pause] of [
      [401, 1000],
      [500, 2000],
      [503, 4000],
    ] as const) {
      receiver.respond((response) => void response.writeHead(status).end());
      if (status === 401) exporter.add(line);
      else clock.advance(pause / 2);
      await assert.rejects(exporter.taken(), { name: 'Unreachable', reason: `HTTP ${status}` });
      assert.equal(exporter.failure, `HTTP ${status}`);
      await setImmediate();
      assert.deepEqual(clock.sleeping, [pause]);
    }
    receiver.respond((response) => void response.end('{}'));
    const exported = recorder.next('exported');
    clock.advance(4000);
    assert.equal((await exported).items, 1);
    assert.deepEqual([exporter.failure, recorder.of('export-dropped')], [undefined, []]);
  });

  it('learns that it is lost: malformed, refused in part, or at the end', async (t) => {
    const { receiver, recorder, exporter } = await start(t, undefined, 'logs');
    for (const [status, body] of [
      [400, ''],
      [413, ''],
      [200, '{"partialSuccess":{"rejectedLogRecords":"1"}}'],
    ] as const) {
      receiver.respond((response) => void response.writeHead(status).end(body));
      exporter.add(line);
      await assert.rejects(exporter.taken(), { name: 'Unreachable' });
      assert.equal(exporter.failure, undefined, 'nothing waits any more');
    }
    receiver.respond((response) => response.destroy());
    exporter.add(line);
    await Promise.all([assert.rejects(exporter.taken(), { name: 'Unreachable' }), exporter.close()]);
    assert.equal(recorder.of('export-dropped').length, 4);
  });
});
