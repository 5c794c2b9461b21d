// A certificate that a real OpenBao issues for a key made here: in time, after a revocation, and never because somebody reads.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { type Clock, systemClock } from '../../src/clock.ts';
import type { SourceConfig } from '../../src/config/schema/source.ts';
import { PaycertError } from '../../src/errors.ts';
import { createHttpsAgent, startPaycert } from '../../src/index.ts';
import { buildCredential, buildProvider } from '../../src/running/build.ts';
import { noBao, useBao } from '../support/bao.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { Recorder } from '../support/recorder.ts';
import { RecordingProxy } from '../support/recording-proxy.ts';
import { Watching } from '../support/watching.ts';

type Config = NonNullable<SourceConfig['pki']>;

const limit = { timeout: 300_000, skip: noBao };
const signal = new AbortController().signal;
const hour = 3_600_000;
const provider = { mtls: {} };
let root = '';
const bao = useBao(async (started) => {
  await started.owner('POST', 'sys/mounts/pki', { type: 'pki', config: { max_lease_ttl: '87600h' } });
  const { data } = await started.owner('POST', 'pki/root/generate/internal', { common_name: 'Root', ttl: '8760h' });
  root = (data as { certificate: string }).certificate;
  const names = { allowed_domains: 'shop.example', allow_bare_domains: true, allow_subdomains: true };
  await started.owner('POST', 'pki/roles/shop', { ...names, max_ttl: '1h', ttl: '1h', key_type: 'any' });
});

async function configure(more: Partial<Config> = {}): Promise<Config> {
  const auth = more.auth ?? { token: { tokenFile: await bao().tokenFile() } };
  return { address: bao().url, role: 'shop', commonName: 'shop.example', ...more, auth };
}

const build = (config: Config, clock: Clock = systemClock) =>
  buildCredential(
    { name: 'shop', provider, source: { pki: config } },
    { clock, observe: () => undefined, environment: {} },
  ).source;

/** Under a clock that a test moves; the server has its own. */
function follow(t: TestContext, config: Config) {
  const clock = new FakeClock(new Date());
  const source = build(config, clock);
  const watching = new Watching(t, { source: () => source, provider: buildProvider(provider), clock });
  const { recorder } = watching;
  return {
    ...{ clock, source, recorder },
    serial: () => watching.current.context.set.keys.find(({ role }) => role === 'tls')?.keyId,
    swapped: () => recorder.next('swapped'),
    failed: () => recorder.next('source-failed'),
  };
}

const codeIs = (code: string, message: RegExp) => (error: unknown) =>
  error instanceof PaycertError && error.code === code && message.test(error.message);

describe('a certificate that Vault issues', () => {
  it('is not issued by a read, and a token that may only sign is enough', limit, async (t) => {
    const proxy = await RecordingProxy.start(t, bao().url);
    await bao().policy('sign', { 'pki/sign/shop': ['update'], 'auth/token/lookup-self': ['read'] });
    const auth = { token: { tokenFile: await bao().tokenFile(['sign'], { no_default_policy: true }) } };
    const { source, swapped } = follow(t, await configure({ address: proxy.url, auth }));
    await swapped();
    await assert.rejects(
      build(await configure({ address: proxy.url })).read(signal),
      codeIs('not-issued-here', /^pki:pki\/shop has issued nothing in this process/),
    );
    for (let times = 0; times < 20; times++) await source.read(signal);
    assert.equal(proxy.count(/pki\/sign/), 1);
    assert.ok(proxy.bodies.some((body) => body.includes('CERTIFICATE REQUEST')));
    assert.ok(proxy.bodies.every((body) => !body.includes('PRIVATE KEY')));
  });

  it('is issued again at two thirds of its life, with another key', limit, async (t) => {
    const proxy = await RecordingProxy.start(t, bao().url);
    const { clock, source, swapped, serial, recorder } = follow(
      t,
      await configure({ address: proxy.url, poll: '12h' }),
    );
    await swapped();
    const [before, old] = [serial(), await source.read(signal)];
    clock.advance((hour * 2) / 3 - 60_000);
    assert.equal(proxy.count(/pki\/sign/), 1);
    const next = swapped();
    clock.advance(120_000);
    await next;
    assert.notEqual(serial(), before);
    const fresh = await source.read(signal);
    assert.notDeepEqual(fresh.data.get('tls.key'), old.data.get('tls.key'));
    assert.deepEqual(recorder.of('source-failed'), []);
  });

  it('is as the configuration asks: names, an RSA key, a life, the authority to trust', limit, async (t) => {
    const more: Partial<Config> & { altNames: string[] } = {
      altNames: ['a.shop.example', 'b.shop.example'],
      keyType: 'rsa',
      ttl: '10m',
      trustIssuer: true,
    };
    const { source, swapped } = follow(t, await configure(more));
    await swapped();
    const { data } = await source.read(signal);
    const leaf = new X509Certificate(data.get('tls.crt')!);
    assert.equal(leaf.subject, 'CN=shop.example');
    // The common name too, since Vault adds it.
    for (const name of more.altNames) assert.ok(leaf.checkHost(name) !== undefined, name);
    assert.equal(leaf.publicKey.asymmetricKeyType, 'rsa');
    assert.ok(Math.abs(leaf.validToDate.getTime() - Date.now() - 600_000) < 60_000);
    assert.equal(Buffer.from(data.get('ca.crt')!).toString().trim(), root.trim());
    // The authority at the top is not shown.
    assert.equal(Buffer.from(data.get('tls.crt')!).toString().split('BEGIN').length, 2);
  });

  it('that is revoked is replaced at the next question', limit, async (t) => {
    const { clock, swapped, serial, recorder } = follow(t, await configure());
    await swapped();
    const revoked = serial();
    await bao().owner('POST', 'pki/revoke', { serial_number: revoked?.toLowerCase().match(/../g)?.join(':') });
    const next = swapped();
    clock.advance(70_000);
    await next;
    assert.notEqual(serial(), revoked);
    assert.deepEqual(recorder.of('source-failed'), []);
  });

  it(
    'stays current while Vault is sealed at the time to renew, and is renewed when it is unsealed',
    limit,
    async (t) => {
      const { clock, swapped, serial, failed } = follow(t, await configure({ poll: '12h' }));
      await swapped();
      const before = serial();
      await bao().seal();
      const failure = failed();
      clock.advance((hour * 2) / 3 + 1000);
      assert.equal((await failure).error.code, 'origin-sealed');
      assert.equal(serial(), before);
      const next = swapped();
      await bao().unseal();
      // The pauses of source, session and server, whichever is under way.
      const pump = setInterval(() => clock.advance(5000), 20);
      t.after(() => clearInterval(pump));
      await next;
      assert.notEqual(serial(), before);
    },
  );

  it('is issued once Vault is there, where it was away at the start', limit, async (t) => {
    const proxy = await RecordingProxy.start(t, bao().url);
    proxy.instead = () => ({ status: 503, body: '{"errors":["Vault is sealed"]}' });
    const { clock, swapped, failed } = follow(t, await configure({ address: proxy.url }));
    assert.equal((await failed()).error.code, 'origin-sealed');
    const next = swapped();
    proxy.instead = () => undefined;
    const pump = setInterval(() => clock.advance(5000), 20);
    t.after(() => clearInterval(pump));
    await next;
  });

  it(
    'is issued again when the clock was set back, since what is left of its life is not known then',
    limit,
    async (t) => {
      const { clock, swapped, recorder } = follow(t, await configure());
      await swapped();
      const next = swapped();
      const isPoll = (milliseconds: number) => milliseconds >= 54_000 && milliseconds <= 66_000;
      while (!clock.sleeping.some(isPoll)) await clock.nextSleep();
      const poll = clock.sleeping.find(isPoll) ?? 0;
      // Valid all the same: Vault dates certificates back by half a minute.
      clock.jump(-poll - 15_000);
      clock.advance(poll);
      await next;
      assert.deepEqual(recorder.of('source-failed'), []);
    },
  );

  it(
    'that a role does not allow is refused in words that name the cause, and asked for once a minute at most',
    limit,
    async (t) => {
      const proxy = await RecordingProxy.start(t, bao().url);
      const { clock, failed } = follow(t, await configure({ address: proxy.url, commonName: 'other.example' }));
      const { error } = await failed();
      assert.ok(codeIs('origin-refused', /pki\/sign\/shop: the role does not allow these names \(400\)$/)(error));
      // As much time as twenty more questions take; Vault's own counts in addition.
      let seconds = 0;
      for (const before = proxy.count(/pki\/sign/); proxy.count(/pki\/sign/) < before + 20; seconds += 5) {
        clock.advance(5000);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      assert.ok(seconds >= 400, `${seconds} s`);
    },
  );
});

describe('a program with a certificate that Vault issues', () => {
  it('is let in by a peer that trusts the same authority, and after a renewal with the new one', limit, async (t) => {
    const { data } = await bao().owner('POST', 'pki/issue/shop', {
      common_name: 'shop.example',
      key_type: 'ec',
      key_bits: 256,
    });
    const own = data as { certificate: string; private_key: string };
    let shown = '';
    const server = createServer(
      { key: own.private_key, cert: own.certificate, ca: root, requestCert: true, rejectUnauthorized: true },
      (_, answer) => void answer.end(shown),
    );
    server.on('secureConnection', (socket) => (shown = socket.getPeerX509Certificate()?.serialNumber ?? ''));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => (server.closeAllConnections(), server.close()));
    const recorder = new Recorder();
    const pki = await configure({ ttl: '15s', trustIssuer: true });
    const shop = { name: 'shop', provider, source: { pki }, required: true };
    await using paycert = await startPaycert([shop], { observe: recorder.observe });
    const agent = createHttpsAgent(paycert, 'shop', { drainMilliseconds: 100, clock: systemClock });
    t.after(() => agent.destroy());
    const { port } = server.address() as AddressInfo;
    const ask = async () => {
      const sent = request({ agent, host: '127.0.0.1', port, servername: 'shop.example' }).end();
      const [response] = (await once(sent, 'response')) as [AsyncIterable<Uint8Array>];
      return text(response);
    };
    const first = await ask();
    await recorder.next('swapped');
    assert.notEqual(await ask(), first);
  });
});
