// Material that others write, such as cert-manager: what it holds before, between and instead of what it should, each with its own verdict.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { errorTable, type PaycertError } from '../../src/errors.ts';
import { platforms } from '../../src/providers/registry.ts';
import { mtls } from '../../src/providers/mtls/provider.ts';
import { buildSecureContext, secureOptions } from '../../src/tls/secure-context.ts';
import { followServer } from '../../src/tls/server.ts';
import { findViolation } from '../../src/store/checks.ts';
import { createAuthority } from '../../src/testing/authority.ts';
import { Followable } from '../support/followable.ts';
import { keyPairs } from '../support/key-pairs.ts';
import { filesOf, issue, makeAuthority, makeIntermediate, now, pairFiles } from '../support/mtls.ts';

const root = await makeAuthority(0);
const { certificate: intermediate, authority: issuing } = await makeIntermediate(root);
const [server, client, stranger] = [
  await issue(issuing, 'localhost', { hostNames: ['localhost'] }),
  await issue(issuing, 'client'),
  await issue(await makeAuthority(1), 'localhost', { hostNames: ['localhost'] }),
];
const fit = { ...pairFiles(client), 'ca.crt': intermediate };

const problemsOf = async (texts: Readonly<Record<string, string | undefined>>) =>
  (await mtls({}).load(filesOf({ ...fit, ...texts }))).set.problems;

const codesOf = async (texts: Readonly<Record<string, string | undefined>>) =>
  (await problemsOf(texts)).map(({ code, field }) => `${code} ${String(field)}`);

/** The code of the handshake's end, on the side that presents `client` and trusts what the material says; empty where it is a good one. */
async function shakeHands(
  t: TestContext,
  texts: Readonly<Record<string, string>>,
  presented: typeof server,
): Promise<string> {
  const context = await mtls({}).load(filesOf(texts));
  assert.deepEqual(context.set.problems, []);
  const mine = secureOptions(context.tls!.choose());
  const { cert, key } = { cert: `${presented.certificate}${intermediate}`, key: pairFiles(presented)['tls.key']! };
  const peer = createServer({ cert, key, ca: root.certificate, requestCert: true }).listen(0, '127.0.0.1');
  t.after(() => peer.close());
  peer.on('tlsClientError', () => undefined);
  await once(peer, 'listening');
  const socket = connect({
    ...mine,
    port: (peer.address() as AddressInfo).port,
    host: '127.0.0.1',
    servername: 'localhost',
  });
  try {
    await once(socket, 'secureConnect');
    return '';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? '';
  } finally {
    socket.destroy();
  }
}

describe('ca.crt with an intermediate authority alone', { timeout: 900_000 }, () => {
  it('trusts what that authority has issued, in a real handshake', async (t) => {
    assert.equal(await shakeHands(t, fit, server), '');
  });

  it('still refuses a server of another authority', async (t) => {
    assert.notEqual(await shakeHands(t, fit, stranger), '');
  });

  it('still refuses what the root above it has issued to others', async (t) => {
    const aside = await issue(root, 'localhost', { hostNames: ['localhost'] });
    assert.notEqual(await shakeHands(t, fit, aside), '');
  });

  it('trusts clients of that authority, and no others, in a server', async (t) => {
    const context = await mtls({}).load(filesOf({ ...pairFiles(server), 'ca.crt': intermediate }));
    const ours = createServer({ requestCert: true, rejectUnauthorized: true });
    t.after(followServer(ours, new Followable(context), 'gate'));
    ours.listen(0, '127.0.0.1');
    t.after(() => ours.close());
    ours.on('tlsClientError', () => undefined);
    await once(ours, 'listening');
    const { port } = ours.address() as AddressInfo;
    const accepted: string[] = [];
    ours.on('secureConnection', (socket: TLSSocket) => {
      accepted.push(String(socket.getPeerCertificate().subject.CN));
      socket.end('x');
    });
    for (const one of [client, stranger]) {
      const files = pairFiles(one);
      const socket = connect({ port, host: '127.0.0.1', ca: root.certificate, cert: `${files['tls.crt']!}${intermediate}`, key: files['tls.key'], servername: 'localhost', checkServerIdentity: () => undefined, rejectUnauthorized: false }); // prettier-ignore
      // A refusal may reset it, which `once` would call an error.
      const over = new Promise((resolve) => socket.once('close', resolve));
      socket.on('error', () => undefined).resume();
      await over;
    }
    assert.deepEqual(accepted, ['client']);
  });
});

describe('ca.crt that is empty', () => {
  for (const [title, text] of [
    ['no bytes', ''],
    ['a line end', '\n'],
  ] as const)
    it(`with ${title} counts as absent, and is reported`, async () => {
      const { set, tls } = await mtls({}).load(filesOf({ ...fit, 'ca.crt': text }));
      assert.deepEqual(set.problems, []);
      assert.deepEqual(tls?.choose().authorities, []);
      assert.deepEqual(
        set.warnings(now).map(({ code, field }) => [code, field]),
        [['trust-empty', 'ca.crt']],
      );
      buildSecureContext(tls.choose());
    });

  it('never takes the place of one that held authorities: it would trust everybody whom Node trusts', async () => {
    const provider = mtls({});
    const { set: current } = await provider.load(filesOf(fit));
    const refusal = async (texts: object) => {
      const context = await provider.load(filesOf({ ...fit, ...texts }));
      return (await findViolation({ context, current, older: 'accept' }, now))?.code;
    };
    assert.equal(await refusal({}), undefined);
    assert.equal(await refusal({ 'ca.crt': '' }), 'trust-emptied');
    // Also where another pair trusts the same authority, so that no key of the set has changed.
    assert.equal(await refusal({ 'ca.crt': '', 'tls.ca.crt': fit['ca.crt'] }), 'trust-emptied');
    assert.equal(await refusal({ 'ca.crt': undefined }), undefined);
  });

  it('of one pair leaves that pair with what all have', async () => {
    const { tls } = await mtls({}).load(filesOf({ ...fit, 'tls.ca.crt': '' }));
    assert.equal(tls?.choose().authorities.length, 1);
  });
});

describe('a certificate that is not there yet', () => {
  for (const [title, texts] of [
    ['with its key already there', { 'tls.crt': '' }],
    ['with both parts empty', { 'tls.crt': '', 'tls.key': '' }],
    ['with a line end in both', { 'tls.crt': '\n', 'tls.key': '\n' }],
  ] as const)
    it(`${title} has not been issued, and nobody is told to paste anything`, async () => {
      assert.deepEqual(await codesOf(texts), ['certificate-not-issued tls.crt']);
      assert.doesNotMatch(errorTable['certificate-not-issued'].hint, /paste/i);
    });

  it('is missing where its part is missing; its key is empty where its key is', async () => {
    assert.deepEqual(await codesOf({ 'tls.crt': undefined }), ['material-missing tls.crt']);
    assert.deepEqual(await codesOf({ 'tls.key': '' }), ['part-empty tls.key']);
    assert.deepEqual(await codesOf({ 'tls.key': undefined }), ['material-missing tls.key']);
  });
});

describe('the temporary certificate of cert-manager', () => {
  it('is refused by its own code, whichever version of cert-manager has made it', async () => {
    const [throwaway] = [
      await createAuthority({ now, commonName: 'cert-manager.local', keyPair: (await keyPairs())[3]! }),
    ];
    const recent = await issue(throwaway, 'shop.example');
    assert.deepEqual(await codesOf(pairFiles(recent)), ['certificate-temporary tls.crt']);
    const old = await issue(root, 'shop.example', { serialNumber: '1234567890' });
    assert.deepEqual(await codesOf(pairFiles(old)), ['certificate-temporary tls.crt']);
  });

  it('never takes the place of a certificate that works', async () => {
    const temporary = await issue(root, 'shop.example', { serialNumber: '1234567890' });
    const context = await mtls({}).load(filesOf({ ...fit, ...pairFiles(temporary) }));
    const refusal = await findViolation({ context, current: undefined, older: 'accept' }, now);
    assert.equal(refusal?.code, 'certificate-temporary');
  });

  it('is told apart from a self-signed certificate of one’s own', async () => {
    const own = await createAuthority({ now, commonName: 'own', keyPair: (await keyPairs())[3]! });
    assert.deepEqual(await codesOf(pairFiles(await issue(own, 'shop.example'))), []);
  });
});

describe('a certificate that is not what a peer expects', () => {
  it('with its authority before it is refused for the order alone: the key is the right one', async () => {
    const [leaf] = [pairFiles(client)['tls.crt']!.match(/-----BEGIN[^]*?-----END CERTIFICATE-----\n/)![0]];
    assert.deepEqual(await codesOf({ 'tls.crt': `${intermediate}${leaf}` }), ['chain-broken tls.crt']);
    assert.deepEqual(await codesOf({ 'tls.crt': `${leaf}${intermediate}` }), []);
    const other = pairFiles(server)['tls.key'];
    assert.ok((await codesOf({ 'tls.key': other })).includes('key-mismatch tls.key'));
  });

  it('of an ingress controller that made it up loads with a warning', async () => {
    const fake = pairFiles(await issue(root, 'Kubernetes Ingress Controller Fake Certificate'));
    const { set } = await mtls({}).load(filesOf({ ...fit, ...fake }));
    assert.deepEqual(set.problems, []);
    assert.deepEqual(
      set.warnings(now).map(({ code, field }) => [code, field]),
      [['material-unusual', 'tls.crt']],
    );
  });
});

describe('an empty part of any platform', () => {
  const options = { wechatpay: { merchantId: '1900000001' }, wechatpayV2: { merchantId: '1900000001' }, alipay: { appId: '2021000000000001', mode: 'key' }, pss: { appId: 'shop' } } as const; // prettier-ignore
  for (const [id, names] of [
    ['wechatpay', ['apiclient_key.pem', 'apiclient_cert.pem', 'pub_key.pem', 'wechatpay_1.pem', 'trust.pem']],
    ['wechatpayV2', ['apiclient_key.pem', 'apiclient_cert.pem']],
    ['alipay', ['app_private_key.txt', 'alipay_public_key']],
    ['pss', ['private_key.pem', 'public_key.pem']],
  ] as const)
    it(`of ${id} is called empty, and not badly pasted`, async () => {
      for (const name of names)
        for (const content of ['', '\n']) {
          const material = new Map([[name, Buffer.from(content)]]);
          const { set } = await platforms[id].create(options[id] as never).load(material);
          const about = set.problems.filter(({ field }: PaycertError) => field === name).map(({ code }) => code);
          assert.deepEqual(about, ['part-empty'], name);
        }
    });
});
