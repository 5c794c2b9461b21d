// The application behind TLS: only with a certificate that is trusted for its name, and never in plain text.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:https';
import { type AddressInfo, createServer as createPlainServer } from 'node:net';
import { describe, it } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import { Application } from '../../src/delivery/application.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { issue, makeAuthority, pairFiles } from '../support/mtls.ts';
import { listen } from '../support/listening.ts';

const envelope = { headers: { 'Content-Type': 'application/json' }, body: Buffer.from('{}') };
const applicationAt = (url: string) =>
  new Application({
    place: { url },
    clock: systemClock,
    milliseconds: () => performance.now(),
    deadlineMilliseconds: 10_000,
    connections: 4,
  });

describe('an application elsewhere', () => {
  it('is not told anything when nobody that is trusted vouches for it', async (t) => {
    const files = pairFiles(await issue(await makeAuthority(), 'localhost'));
    const [cert, key] = [files['tls.crt'], files['tls.key']];
    let requests = 0;
    const server = createServer({ cert, key }, (_, response) => {
      requests += 1;
      response.end();
    });
    const application = applicationAt(`https://localhost:${String(await listen(t, server, '127.0.0.1'))}/`);
    t.after(() => application.close());
    await assert.rejects(application.deliver(envelope), { code: 'application-unreachable', message: /CERT|SIGNATURE/ });
    assert.equal(requests, 0);
  });

  it('that does not end what it says has its connection closed at the deadline', async (t) => {
    const closed = Promise.withResolvers<undefined>();
    const server = createPlainServer((socket) => {
      socket.on('error', () => undefined).on('close', () => closed.resolve(undefined));
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n'));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const clock = new FakeClock();
    const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`;
    const application = new Application({ place: { url }, clock, milliseconds: () => 0, deadlineMilliseconds: 10_000, connections: 4 }); // prettier-ignore
    t.after(() => {
      application.close();
      server.close();
    });
    await application.deliver(envelope);
    assert.deepEqual(clock.sleeping, [10_000]);
    clock.advance(10_000);
    await closed.promise;
  });

  it('that closes a connection that was kept is told again over a new one', async (t) => {
    let connections = 0;
    const server = createPlainServer((socket) => {
      connections += 1;
      socket.on('error', () => undefined);
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
        socket.once('data', () => socket.destroy());
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const application = applicationAt(`http://127.0.0.1:${String(port)}/`);
    t.after(() => {
      application.close();
      server.close();
    });
    await application.deliver(envelope);
    await application.deliver(envelope);
    assert.equal(connections, 2);
  });
});
