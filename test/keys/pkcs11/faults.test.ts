// What a module of PKCS#11 can do to its users, with a real token: hang, die, lose its token, refuse a PIN. The sidecar, and other keys, are not among those that notice.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { constants, type KeyObject, verify } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { localKey } from '../../../src/crypto/private-key.ts';
import { rsaPss } from '../../../src/crypto/suites.ts';
import { PaycertError } from '../../../src/errors.ts';
import { toSpkiPem } from '../../../src/testing/index.ts';
import { filesOf } from '../../support/directories.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { keyPairs } from '../../support/key-pairs.ts';
import { remoteCredential } from '../../support/remote-credential.ts';
import { noToken, type Pkcs11Config, rightPin, SoftHsm } from '../../support/softhsm.ts';

/** A library that is no module of PKCS#11. */
const addon = fileURLToPath(new URL('../../../node_modules/pkcs11js/build/Release/pkcs11.node', import.meta.url));
const limit = { timeout: 300_000, skip: noToken };
const [own, other, partner] = await keyPairs();
assert.ok(own && other && partner);
const partners = { 'public_key.pem': toSpkiPem(partner.publicKey) };
const referring = (reference: string) => filesOf({ ...partners, 'private_key.pem': reference });
const isPss = (signature: Uint8Array, text: string, key: KeyObject) =>
  verify('sha256', Buffer.from(text), { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }, signature);

async function start(t: TestContext, more: Partial<Pkcs11Config> = {}) {
  const token = await SoftHsm.start(t);
  const credential = await remoteCredential(t, { pss: { appId: 'app-1' } }, { pkcs11: token.config(more) });
  const files = referring(await token.import(own!.privateKey));
  const pid = () => credential.recorder.of('key-process-started').at(-1)?.pid ?? assert.fail('no process');
  return { token, files, pid, ...credential };
}

/** `mayBeLate`: its deadline is shorter than a busy machine takes. */
async function prepared(t: TestContext, more: Partial<Pkcs11Config> = {}, mayBeLate = false) {
  const credential = await start(t, more);
  for (;;) {
    const error = await credential.load(credential.files);
    if (error === undefined) return credential;
    assert.ok(mayBeLate && /^key-service-(unavailable|timeout)$/.test(error.code), error.message);
  }
}

/** Tries as a caller would, until it is signed. */
async function signsAgain(ask: (text: string) => Promise<{ signature: Uint8Array }>) {
  for (;;) {
    const signed = await ask('x').catch((error: unknown) => {
      assert.match((error as PaycertError).code, /^key-service-(unavailable|timeout)$/);
      return new Promise<undefined>((resolve) => setImmediate(resolve, undefined));
    });
    if (signed === undefined) continue;
    assert.ok(isPss(signed.signature, 'x', own!.publicKey));
    return;
  }
}

describe('a module that hangs', () => {
  it(
    'stops no other key: its callers get an error in time, its process is ended, and the next one signs',
    limit,
    async (t) => {
      const { sign: ask, pid, recorder } = await prepared(t, { deadline: '3s' }, true);
      const timedOut = () => recorder.of('remote-signed').filter(({ outcome }) => outcome === 'timed-out').length;
      const [stopped, before] = [pid(), timedOut()];
      process.kill(stopped, 'SIGSTOP');
      const ended = recorder.next('key-process-ended');
      const hanging = ['a', 'b', 'c'].map((text) => assert.rejects(ask(text), { code: 'key-service-timeout' }));
      // The loop is free meanwhile, and so is the pool.
      const local = await localKey(other.privateKey).sign(rsaPss, Buffer.from('x'));
      assert.ok(isPss(local, 'x', other.publicKey));
      assert.equal(timedOut(), before);
      await Promise.all(hanging);
      assert.equal((await ended).error.code, 'key-service-timeout');
      await signsAgain(ask);
      assert.notEqual(pid(), stopped);
      assert.throws(() => process.kill(stopped, 0), { code: 'ESRCH' });
    },
  );

  it('again and again is started the less often, and everything ends when paycert does', limit, async (t) => {
    const { sign: ask, pid, recorder, keyServices } = await prepared(t, { deadline: '100ms' }, true);
    const before = recorder.of('key-process-started').length;
    const stopEach = (): void =>
      void recorder.next('key-process-started').then(({ pid: next = assert.fail('no process') }) => {
        process.kill(next, 'SIGSTOP');
        stopEach();
      });
    stopEach();
    process.kill(pid(), 'SIGSTOP');
    for (let n = 0; n < 20; n++) await assert.rejects(ask('x'));
    assert.ok(recorder.of('key-process-started').length < before + 10);
    await keyServices[Symbol.asyncDispose]();
    await assert.rejects(ask('x'));
  });
});

describe('a module that ends its process', () => {
  it('is noticed by nobody: what was asked of it is asked of the next one', limit, async (t) => {
    const { sign: ask, pid, recorder } = await prepared(t);
    const texts = Array.from({ length: 40 }, (_, index) => `text ${String(index)}`);
    const asked = texts.map((text) => ask(text));
    process.kill(pid(), 'SIGKILL');
    const signed = await Promise.all(asked);
    assert.ok(signed.every(({ signature }, index) => isPss(signature, texts[index]!, own.publicKey)));
    assert.equal(recorder.of('key-process-ended').length, 1);
    assert.deepEqual(recorder.of('key-service-changed'), []);
  });

  it('when it is loaded, or cannot be loaded, is said with the reason', limit, async (t) => {
    const token = await SoftHsm.start(t);
    for (const [module, reason] of [
      ['/nowhere/token.so', /: keyServices\.pkcs11\.module: \/nowhere\/token\.so: cannot open shared object file/],
      [token.pinFile, /: keyServices\.pkcs11\.module: \/[^ ]+: (file too short|invalid ELF header)/],
      [addon, /: keyServices\.pkcs11\.module: \/[^ ]+: undefined symbol: C_GetFunctionList/],
    ] as const) {
      const { load } = await remoteCredential(t, { pss: { appId: 'app-1' } }, { pkcs11: token.config({ module }) });
      const error = await load(referring('pkcs11:token=pay;object=merchant'));
      assert.equal(error?.code, 'key-module-unusable');
      assert.match(error.message, reason);
      assert.equal(error.message.split(module).length, 2, error.message);
    }
  });
});

describe('a token that is removed', () => {
  it('signs nothing, and signs again when it is back, without a restart', limit, async (t) => {
    const { token, sign: ask, recorder, load, files } = await prepared(t);
    await token.remove();
    const error = await ask('x').then(() => undefined, (thrown: unknown) => thrown as PaycertError); // prettier-ignore
    assert.equal(error?.code, 'key-service-unavailable');
    assert.match(error.message, /no token that is present has the label pay$/);
    await token.putBack();
    await signsAgain(ask);
    assert.deepEqual([recorder.of('rejected'), await load(files)], [[], undefined]);
  });

  it('keeps nobody from another token of the same module', limit, async (t) => {
    const token = await SoftHsm.start(t);
    const tokens = ['pay', 'gone'].map((label) => ({ label, pinFile: token.pinFile }));
    // No time passes, and so no pause ends.
    const { load, sign: ask, recorder } = await remoteCredential(t, { pss: { appId: 'app-1' } }, { pkcs11: token.config({ tokens }) }, new FakeClock()); // prettier-ignore
    assert.equal(await load(referring(await token.import(own.privateKey))), undefined);
    for (let n = 0; n < 10; n++) {
      assert.equal((await load(referring('pkcs11:token=gone;object=x')))?.code, 'key-service-unavailable');
      assert.ok(isPss((await ask('x')).signature, 'x', own.publicKey));
    }
    assert.equal(recorder.of('key-process-started').length, 2);
  });

  it('and signs on while somebody else uses the token', limit, async (t) => {
    const { token, sign: ask, recorder } = await prepared(t);
    await token.import(other.privateKey);
    await Promise.all(Array.from({ length: 8 }, () => ask('x')));
    // Another user of the token, at the same time.
    await token.tool('--list-objects');
    assert.ok(isPss((await ask('x')).signature, 'x', own.publicKey));
    assert.equal(recorder.of('key-process-started').length, 1);
  });
});

describe('a PIN that is wrong', () => {
  const flagsOf = async (token: SoftHsm): Promise<string> => {
    const { stdout } = await promisify(execFile)('pkcs11-tool', ['--module', token.config().module, '--list-token-slots'], { env: { ...process.env, ...token.environment } }); // prettier-ignore
    return /token flags.*/.exec(stdout)?.[0] ?? '';
  };

  it(
    'is sent once, and not again before the file changes, whatever is tried and however often the process starts',
    limit,
    async (t) => {
      const { token, load, files, pid, recorder } = await start(t);
      await token.setPin('9999');
      const first = await load(files);
      assert.equal(first?.code, 'key-pin-refused');
      assert.match(first.message, /does not take the PIN in .*: the module says CKR_PIN_INCORRECT$/);
      assert.match(await flagsOf(token), /user PIN count low/);
      // Its owner logs in, and so sees whether a wrong one is sent after that.
      await token.tool('--list-objects');
      assert.doesNotMatch(await flagsOf(token), /user PIN count low/);
      for (let n = 0; n < 5; n++) {
        assert.match((await load(files))?.message ?? '', /it is not tried again$/);
        const gone = recorder.of('key-process-started').length;
        process.kill(pid(), 'SIGKILL');
        assert.match((await load(files))?.message ?? '', /it is not tried again$/);
        assert.ok(recorder.of('key-process-started').length >= gone);
      }
      // Written again as it was: it has not changed.
      await token.setPin('9999');
      assert.match((await load(files))?.message ?? '', /it is not tried again$/);
      assert.doesNotMatch(await flagsOf(token), /user PIN count low/);
      await token.setPin(rightPin);
      assert.equal(await load(files), undefined);
    },
  );

  it('that is not there, since its file is empty, is never sent: it would cost one of few tries', limit, async (t) => {
    const { token, load, files } = await start(t);
    for (const nothing of ['', ' \r']) {
      await token.setPin(nothing);
      const error = await load(files);
      assert.deepEqual([error?.code, / holds no PIN$/.test(error?.message ?? '')], ['key-pin-refused', true], error?.message); // prettier-ignore
    }
    assert.doesNotMatch(await flagsOf(token), /user PIN count low/);
    await token.setPin(rightPin);
    assert.equal(await load(files), undefined);
  });

  it(
    'is said to callers by its own code and remedy, as 503: the next one that is right signs again',
    limit,
    async (t) => {
      const { token, pid, sign: ask, recorder } = await prepared(t);
      await token.setPin('9999');
      const ended = recorder.next('key-process-ended');
      process.kill(pid(), 'SIGKILL');
      const error = await ask('x').then(() => undefined, (thrown: unknown) => thrown as PaycertError); // prettier-ignore
      await ended;
      assert.deepEqual([error?.code, error?.kind], ['key-pin-refused', 'not-ready'], error?.message);
      assert.match(error?.hint ?? '', /`pinFile`/);
      assert.equal(recorder.of('remote-signed').at(-1)?.outcome, 'refused');
      await token.setPin(rightPin);
      assert.ok(isPss((await ask('x')).signature, 'x', own.publicKey));
    },
  );

  it('is in no event, and neither is the right one', limit, async (t) => {
    const { token, load, files, recorder } = await start(t);
    await token.setPin('73619482');
    await load(files);
    await token.setPin(rightPin);
    await load(files);
    assert.ok(!JSON.stringify(recorder.events).includes('73619482'));
    assert.ok(!recorder.events.some((event) => 'error' in event && event.error instanceof PaycertError && event.error.message.includes('73619482'))); // prettier-ignore
  });
});
