// A server of several nodes: the next one answers where one cannot, a redirect leads to a configured node or nowhere, and an answer has an end.
import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import { describe, it, type TestContext } from 'node:test';
import { PaycertError } from '../../src/errors.ts';
import type { TlsFiles } from '../../src/origins/connections.ts';
import { Server } from '../../src/origins/server.ts';
import { troubleOf } from '../../src/origins/vault/responses.ts';
import { makeDirectory } from '../support/directories.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { issue, makeAuthority, pem } from '../support/mtls.ts';
import { listen, listenFor } from '../support/listening.ts';

const signal = new AbortController().signal;
const question = {
  method: 'GET',
  path: '/v1/secret/data/a',
  headers: { 'X-Vault-Token': 't' },
  what: 'read a',
} as const;

interface Node {
  readonly url: string;
  readonly asked: string[];
}

async function node(t: TestContext, listener: RequestListener): Promise<Node> {
  const asked: string[] = [];
  const url = await listenFor(t, (request, response) => {
    asked.push(request.url ?? '');
    listener(request, response);
  });
  return { url, asked };
}

const answers =
  (status: number, body: object, headers: Record<string, string> = {}): RequestListener =>
  (_, response) =>
    response.writeHead(status, headers).end(JSON.stringify(body));

const serverOf = (addresses: readonly string[], tls?: TlsFiles, clock = new FakeClock()) =>
  new Server({ name: 'Vault', addresses, tls, troubleOf, clock, random: () => 1 });

const codeIs = (code: string, message: RegExp) => (error: unknown) =>
  error instanceof PaycertError && error.code === code && message.test(error.message);

describe('a server of several nodes', () => {
  it('is asked at the next one where one is down, sealed or a stand-by, and there first from then on', async (t) => {
    const good = await node(t, answers(200, { data: 1 }));
    for (const status of [503, 501, 472, 473, 500]) {
      const bad = await node(t, answers(status, { errors: ['Vault is sealed'] }));
      const server = serverOf([bad.url, 'http://127.0.0.1:1', good.url]);
      assert.deepEqual((await server.ask(question, signal)).content, { data: 1 });
      assert.equal((await server.ask(question, signal)).status, 200);
      assert.equal(bad.asked.length, 1);
    }
  });

  it('that all fail is told by what a node said, and not by one that is silent', async (t) => {
    const sealed = await node(t, answers(503, { errors: ['Vault is sealed'] }));
    for (const addresses of [
      [sealed.url, 'http://127.0.0.1:1'],
      ['http://127.0.0.1:1', sealed.url],
    ])
      await assert.rejects(
        serverOf(addresses).ask(question, signal),
        codeIs('origin-sealed', /^read a: Vault is sealed/),
      );
    const gone = serverOf(['http://127.0.0.1:1']).ask(question, signal);
    await assert.rejects(gone, codeIs('origin-unreachable', /^read a: Vault cannot be reached \(ECONNREFUSED\)$/));
  });

  it('is not asked for a while after all have failed, and then asked again', async (t) => {
    const sealed = await node(t, answers(503, { errors: ['Vault is sealed'] }));
    const clock = new FakeClock();
    const server = serverOf([sealed.url], undefined, clock);
    for (const expected of [1, 1, 2]) {
      await assert.rejects(server.ask(question, signal), codeIs('origin-sealed', /sealed/));
      assert.equal(sealed.asked.length, expected);
      if (expected === 1) clock.advance(sealed.asked.length * 300);
    }
  });
});

describe('a redirect', () => {
  it('of a stand-by to the leader is followed, with the same question', async (t) => {
    const leader = await node(t, answers(200, { data: 1 }));
    const standby = await node(t, answers(307, {}, { Location: `${leader.url}/elsewhere` }));
    const reply = await serverOf([standby.url, leader.url]).ask(question, signal);
    assert.deepEqual(reply.content, { data: 1 });
    assert.deepEqual([standby.asked, leader.asked], [[question.path], [question.path]]);
  });

  it('to a host that is not configured is refused by name, and gets no token', async (t) => {
    const stranger = await node(t, answers(200, { data: 1 }));
    const standby = await node(t, answers(307, {}, { Location: `${stranger.url}/v1/secret/data/a` }));
    const asked = serverOf([standby.url]).ask(question, signal);
    await assert.rejects(asked, codeIs('origin-refused', /redirects to http:\/\/127\.0\.0\.1:\d+, which is not among/));
    assert.deepEqual(stranger.asked, []);
  });

  it('is followed once: a circle ends', async (t) => {
    const urls: string[] = [];
    const nodes = [];
    for (const other of [1, 0])
      nodes.push(await node(t, (_, response) => response.writeHead(307, { Location: urls[other] }).end()));
    urls.push(...nodes.map(({ url }) => url));
    const reply = await serverOf(urls).ask(question, signal);
    assert.equal(reply.status, 307);
    assert.deepEqual(nodes.map(({ asked }) => asked.length), [1, 1]); // prettier-ignore
  });
});

describe('an answer', () => {
  it('that is too large is refused before it is whole, and one that is no JSON has no content', async (t) => {
    const endless = await node(t, (_, response) => {
      const more = () => {
        if (response.writable) response.write(Buffer.alloc(65_536, 'x'), more);
      };
      response.writeHead(200);
      more();
    });
    await assert.rejects(serverOf([endless.url]).ask(question, signal), codeIs('source-too-large', /4194304 bytes/));
    const many = await node(t, (_, response) => response.end(`[${'[],'.repeat(20_000)}1]`));
    await assert.rejects(
      serverOf([many.url]).ask(question, signal),
      codeIs('source-too-large', /more than 10000 values/),
    );
    const deep = await node(t, (_, response) => response.end('['.repeat(1_000_000)));
    await assert.rejects(serverOf([deep.url]).ask(question, signal), codeIs('source-too-large', /more than 32 levels/));
    const page = await node(t, (_, response) => response.end('<html>'));
    assert.equal((await serverOf([page.url]).ask(question, signal)).content, undefined);
  });
});

describe('trust', () => {
  it('is in files that are read again: a CA that is replaced counts without a restart', async (t) => {
    const directory = await makeDirectory(t);
    const [right, wrong] = [await makeAuthority(0), await makeAuthority(1)];
    const { certificate, privateKey } = await issue(right, 'localhost', { hostNames: ['localhost'] });
    const server = createSecureServer({ cert: certificate, key: pem(privateKey) }, answers(200, { data: 1 }));
    const url = `https://localhost:${String(await listen(t, server, 'localhost'))}`;
    const caFile = join(directory, 'ca.pem');
    const clock = new FakeClock();
    const asked = serverOf([url], { caFile }, clock);
    await assert.rejects(
      asked.ask(question, signal),
      codeIs('source-unreadable', /ca\.pem cannot be read \(ENOENT\)$/),
    );
    await writeFile(caFile, wrong.certificate);
    await assert.rejects(asked.ask(question, signal), codeIs('origin-unreachable', /\([A-Z_]+\)$/));
    await writeFile(caFile, right.certificate);
    clock.advance(11_000);
    assert.deepEqual((await asked.ask(question, signal)).content, { data: 1 });
  });
});
