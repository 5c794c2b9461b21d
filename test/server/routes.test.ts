// Rows as routes: one matcher for every listener, and answers of any kind.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { after, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Event } from '../../src/events.ts';
import { listenOnPort } from '../../src/server/listeners.ts';
import { jsonReply, type Route, type RouteCall, serveRoutes } from '../../src/server/routes.ts';
import type { Ending } from '../../src/store/call.ts';
import { exchange, open } from '../support/http-client.ts';

const row = (path: Route['path'], run: Route['run'], more: Partial<Route> = {}): Route => ({
  ...{ method: 'GET', path, type: 'application/json', summary: '', run },
  ...more,
});

async function serve(...routes: Route[]) {
  const events: Event[] = [];
  const observe = (event: Event) => void events.push(event);
  const listener = await listenOnPort('127.0.0.1:0', serveRoutes(routes, { where: 'test', unknown: 'none', observe }));
  after(() => listener.close());
  return { ...listener, events, get: (path: string, method = 'GET') => exchange(listener.address, { path, method }) };
}

describe('a row', () => {
  it('answers HTML as well as JSON, with its own status', async () => {
    const { get } = await serve(
      row('/page', () => ({ body: '<h1>paycert</h1>' }), { type: 'text/html; charset=utf-8' }),
      row('/made', () => ({ ...jsonReply({ a: 1 }), status: 201 })),
    );
    const page = await get('/page');
    assert.deepEqual([page.status, page.headers['content-type'], page.text], [200, 'text/html; charset=utf-8', '<h1>paycert</h1>']); // prettier-ignore
    assert.deepEqual([(await get('/made')).status, (await get('/made')).text], [201, '{"a":1}']);
  });

  it('matches whole segments, none of them empty, and all that is left where it says so', async () => {
    const show = ({ parameters }: RouteCall) => jsonReply(parameters);
    const { get } = await serve(row('/of/{name}/sign', show), row('/to/{name}/{+target}', show));
    const said: Readonly<Record<string, string | undefined>> = {
      ...{ '/of/a/sign': '{"name":"a"}', '/of/a%2Fb/sign?c=/d': '{"name":"a%2Fb"}' },
      ...{ '/to/a/': '{"name":"a","target":""}', '/to/a//b/c?d': '{"name":"a","target":"/b/c"}' },
      ...{ '/of//sign': undefined, '/of/a/signs': undefined, '/of/a/sign/': undefined, '/of/a': undefined },
      ...{ '/to/a': undefined, '/to//b': undefined, '/xof/a/sign': undefined },
    };
    for (const [path, text] of Object.entries(said)) {
      const answer = await get(path);
      assert.deepEqual([path, answer.status === 404 ? undefined : answer.text], [path, text]);
    }
  });

  it('answers bytes as they are, few or many', async () => {
    const each = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const many = Buffer.concat(Array.from({ length: 100 }, () => each));
    const { address } = await serve(
      row('/few', () => ({ body: each })),
      row('/many', () => ({ body: many })),
      row('/none', () => ({ body: new Uint8Array() })),
    );
    for (const [path, bytes] of [['/few', each], ['/many', many], ['/none', Buffer.of()]] as const) {
      const answer = await fetch(`http://${address}${path}`);
      assert.ok(Buffer.from(await answer.arrayBuffer()).equals(bytes), path);
    } // prettier-ignore
  });

  it('answers a stream, piece by piece', async () => {
    const { get } = await serve(
      row('/log', () => ({ body: Readable.from(['one\n', 'two\n']) }), { type: 'text/plain' }),
    );
    const { text, headers } = await get('/log');
    assert.deepEqual([text, headers['transfer-encoding']], ['one\ntwo\n', 'chunked']);
  });

  it('ends the origin of a stream whose reader has gone, and takes that for no bug', async () => {
    const origin = new Readable({ read() {} });
    const { address, events } = await serve(row('/log', () => ({ body: origin }), { type: 'text/plain' }));
    const outgoing = open(address, { path: '/log' });
    outgoing.on('error', () => undefined);
    origin.push('one\n');
    outgoing.end();
    await once(outgoing, 'response');
    const ended = new Promise((resolve) => origin.on('error', () => undefined).once('close', resolve));
    outgoing.destroy();
    await ended;
    assert.deepEqual(events, []);
  });

  it('cuts a stream short whose origin fails, and tells of it', async () => {
    const { get, events } = await serve(
      row('/log', () => ({ body: Readable.from((function* () { yield 'one\n'; throw new TypeError('canary'); })()) })), // prettier-ignore
    );
    await assert.rejects(get('/log'));
    assert.deepEqual(events.map(({ type }) => type), ['internal-error']); // prettier-ignore
  });

  it('gives a segment by its name, and the rest of a path where the row asks for it', async () => {
    const echo: Route['run'] = ({ parameters }) => jsonReply(parameters);
    const { get } = await serve(row('/a/{name}/b', echo), row('/rest/{+name}', echo), row('/a.b', echo));
    assert.equal((await get('/a/x%2Fy/b?q')).text, '{"name":"x%2Fy"}');
    assert.equal((await get('/rest/x/../y')).text, '{"name":"x/../y"}');
    assert.equal((await get('/rest/')).text, '{"name":""}');
    for (const path of ['/a//b', '/a/x/y/b', '/a/x/b/', '/aXb', '/rest'])
      assert.equal((await get(path)).status, 404, path);
  });

  it('is one of several of its path, by method; HEAD is answered where it says so', async () => {
    const { get } = await serve(
      row('/x', () => jsonReply('got'), { answersHead: true }),
      row('/x', () => jsonReply('posted'), { method: 'POST' }),
      row('/y', () => jsonReply('got')),
    );
    assert.deepEqual([(await get('/x')).text, (await get('/x', 'POST')).text], ['"got"', '"posted"']);
    const head = await get('/x', 'HEAD');
    assert.deepEqual([head.status, head.text], [200, '']);
    assert.equal((await get('/x', 'PUT')).headers.allow, 'GET, HEAD, POST');
    assert.equal((await get('/y', 'HEAD')).status, 405);
  });

  it('knows when nobody waits for its answer any more', async () => {
    const started = Promise.withResolvers<Ending>();
    const { address } = await serve(
      row('/slow', ({ signal }) => {
        started.resolve(signal);
        return new Promise(() => undefined);
      }),
    );
    const outgoing = open(address, { path: '/slow' });
    outgoing.on('error', () => undefined);
    outgoing.end();
    const signal = await started.promise;
    assert.equal(signal.aborted, false);
    outgoing.destroy();
    await new Promise<void>((resolve) => signal.addEventListener('abort', { handleEvent: resolve }));
    assert.equal(signal.aborted, true);
  });

  it('finds out by a look, too, when nobody waits for its answer any more', async () => {
    const started = Promise.withResolvers<RouteCall['gone']>();
    const { address } = await serve(
      row('/slow', ({ gone }) => {
        started.resolve(gone);
        return new Promise(() => undefined);
      }),
    );
    const outgoing = open(address, { path: '/slow' });
    outgoing.on('error', () => undefined);
    outgoing.end();
    const gone = await started.promise;
    const isGone = () => gone.aborted;
    assert.equal(isGone(), false);
    outgoing.destroy();
    while (!isGone()) await setImmediate();
  });

  it('gets what stands in its own path, however often a path comes back, and among however many others', async () => {
    const { get } = await serve(
      row('/a/{name}/sign', ({ parameters }) => jsonReply(parameters), { method: 'POST' }),
      row('/a/{name}/verify', ({ parameters }) => jsonReply({ verify: parameters['name'] }), { method: 'POST' }),
      row('/rest/{+name}', ({ parameters }) => jsonReply(parameters), { method: 'POST' }),
    );
    const assertOwn = async () => {
      for (const name of ['one', 'other', 'one'])
        assert.equal((await get(`/a/${name}/sign`, 'POST')).text, `{"name":"${name}"}`);
      for (const query of ['', '?q', '?q', ''])
        assert.equal((await get(`/a/one/verify${query}`, 'POST')).text, '{"verify":"one"}');
      for (const name of ['x', 'x/y', 'x'])
        assert.equal((await get(`/rest/${name}`, 'POST')).text, `{"name":"${name}"}`);
    };
    await assertOwn();
    const others = Array.from({ length: 300 }, (_, index) => get(`/a/n${String(index)}/sign`, 'POST'));
    assert.deepEqual(
      (await Promise.all(others)).map(({ text }) => text),
      others.map((_, index) => `{"name":"n${String(index)}"}`),
    );
    await assertOwn();
    assert.equal((await get('/a/one/sign')).status, 405);
    assert.equal((await get('/a/one/sign/x', 'POST')).status, 404);
  });
});
