// paycert.yaml reloads like material: valid whole, or the last good one stays; callers notice nothing.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import { paycert } from '../support/paycert.ts';
import {
  call,
  configuration,
  credential,
  makeDirectory,
  makeMaterial,
  replaceFile,
  type Sidecar,
  startSidecar,
  token,
} from '../support/sidecar.ts';

interface Running {
  readonly directory: string;
  readonly sidecar: Sidecar;
  readonly main: string;
  readonly initial: string;
  /** Replaces paycert.yaml and waits for what becomes of it. */
  readonly apply: (config: string, event?: string) => Promise<void>;
  readonly failures: () => Promise<number>;
}

/** A sidecar with one credential, and two callers that use it all the time. */
async function start(t: TestContext): Promise<Running> {
  const directory = await makeDirectory(t);
  await createSecretVolume(join(directory, 'main'), (await makeMaterial()).files);
  const main = credential({ path: join(directory, 'main') });
  const initial = configuration(directory, [main]);
  const sidecar = await startSidecar(t, directory, initial);
  const agent = new Agent({ keepAlive: true });
  let failed = 0;
  let isOver = false;
  const caller = async (): Promise<void> => {
    while (!isOver) {
      const answer = call(sidecar.socket, '/v1/credentials/wechat-main/sign', { body: { message: 'x' }, agent });
      const status = await answer.then(
        (received) => received.status,
        () => 'no answer',
      );
      if (status !== 200) failed += 1;
      if (status === 'no answer') return;
    }
  };
  const callers = Promise.all([caller(), caller()]);
  const failures = async (): Promise<number> => {
    isOver = true;
    await callers;
    agent.destroy();
    return failed;
  };
  t.after(failures);
  const apply = async (config: string, event = 'configured'): Promise<void> => {
    const from = sidecar.lines.length;
    await replaceFile(join(directory, 'paycert.yaml'), config);
    await sidecar.event(event, {}, from);
  };
  return { directory, sidecar, main, initial, apply, failures };
}

const names = async ({ sidecar }: Running): Promise<string[]> => {
  const { content } = await call(sidecar.socket, '/v1/credentials');
  return (JSON.parse(content) as { credentials: { name: string }[] }).credentials.map(({ name }) => name).sort();
};

describe('the configuration of a sidecar', { timeout: 900_000 }, () => {
  it('adds and removes merchants without a restart and without a failed request', async (t) => {
    const running = await start(t);
    const { directory, sidecar, main, apply } = running;
    await createSecretVolume(join(directory, 'second'), (await makeMaterial(1, '1900000002')).files);
    const second = credential({ name: 'second', merchant: '1900000002', path: join(directory, 'second') });
    await apply(configuration(directory, [main, second]));
    await sidecar.event('swapped', { credential: 'second' });
    assert.equal((await call(sidecar.socket, '/v1/credentials/second/sign', { body: { message: 'x' } })).status, 200);
    assert.match((await call(sidecar.admin, '/metrics')).content, /credential="second"/);

    await apply(configuration(directory, [main]));
    assert.deepEqual(await names(running), ['wechat-main']);
    assert.equal((await call(sidecar.socket, '/v1/credentials/second/sign', { body: { message: 'x' } })).status, 404);
    assert.ok(!(await call(sidecar.admin, '/metrics')).content.includes('"second"'));
    assert.equal(await running.failures(), 0);
  });

  it('changes where a merchant’s material comes from without a failed request', async (t) => {
    const running = await start(t);
    const next = await makeMaterial(2);
    await createSecretVolume(join(running.directory, 'moved'), next.files);
    const from = running.sidecar.lines.length;
    await running.apply(configuration(running.directory, [credential({ path: join(running.directory, 'moved') })]));
    const swapped = await running.sidecar.event('swapped', { generation: 2 }, from);
    assert.equal(swapped['keyId'], next.merchant.serialNumber);
    assert.equal(await running.failures(), 0);
  });

  it('makes another merchant under the same name a credential of its own', async (t) => {
    const running = await start(t);
    const { directory, sidecar, apply } = running;
    const other = await makeMaterial(1, '1900000003');
    await createSecretVolume(join(directory, 'other'), other.files);
    const from = sidecar.lines.length;
    await apply(configuration(directory, [credential({ merchant: '1900000003', path: join(directory, 'other') })]));
    await sidecar.event('swapped', { generation: 1 }, from);
    await sidecar.event('credential-removed', {}, from);
    const { content } = await call(sidecar.socket, '/v1/credentials/wechat-main');
    const { retired, generation } = JSON.parse(content) as { retired: unknown[]; generation: number };
    assert.deepEqual([retired, generation], [[], 1]);
  });

  it('stays as it is when the new one is not valid whole, and is told again when it is repaired', async (t) => {
    const running = await start(t);
    const { directory, main, initial, apply, sidecar } = running;
    const before = await names(running);
    const bad = credential({ name: 'bad', merchant: 'not-digits', path: directory });
    const unfit = [
      configuration(directory, [main, bad]),
      'listen: {',
      '',
      `${initial}surprise: 1\n`,
      // The next start would refuse these.
      initial.replace('127.0.0.1:0', '0.0.0.0:0'),
      initial.replace(/tokenFile: [^ ,}]+/, 'tokenFile: /nowhere/token'),
    ];
    for (const config of unfit) {
      await apply(config, 'config-rejected');
      assert.deepEqual(await names(running), before);
    }
    await apply(initial);
    assert.equal(await running.failures(), 0);
    assert.match(
      (await call(sidecar.admin, '/metrics')).content,
      /paycert_config_reloads_total\{outcome="rejected"\} 6/,
    );
  });

  it('only warns of a listener that changed, and takes the rest', async (t) => {
    const { directory, sidecar, main, initial, apply } = await start(t);
    const [from, tcp] = [sidecar.lines.length, sidecar.tcp];
    const second = credential({ name: 'second', path: join(directory, 'main') });
    await apply(configuration(directory, [main, second]).replace('127.0.0.1:0', '127.0.0.1:1'));
    const warned = await sidecar.event('configured', {}, from);
    assert.equal(warned['level'], 'warn');
    await sidecar.event('swapped', { credential: 'second' }, from);
    assert.equal((await call(tcp, '/statusz')).status, 401);
    await apply(initial);
    assert.equal(sidecar.lines.findLast(({ event }) => event === 'configured')?.['level'], 'info');
  });

  it('is told once for each content that is refused', async (t) => {
    const { directory, sidecar, initial, apply } = await start(t);
    await apply('listen: [', 'config-rejected');
    await replaceFile(join(directory, 'paycert.yaml'), 'listen: [');
    await apply(initial);
    assert.equal(sidecar.lines.filter(({ event }) => event === 'config-rejected').length, 1);
    assert.equal(await readFile(join(directory, 'paycert.yaml'), 'utf8'), initial);
  });
});

describe('a file that a running sidecar refuses', { timeout: 900_000 }, () => {
  interface File {
    readonly file: string;
    readonly current: boolean;
    readonly rejection?: { readonly code: string; readonly detail?: string };
  }
  const filesIn = (content: string): readonly File[] => (JSON.parse(content) as { files: File[] }).files;

  for (const [file, path, content, code] of [
    ['configuration', 'paycert.yaml', 'listen: [', 'config-syntax'],
    ['token', 'token', 'short', 'token-unusable'],
  ] as const)
    it(`is named in every status until it is put right: ${file}`, async (t) => {
      const { directory, sidecar } = await start(t);
      const good = await readFile(join(directory, path), 'utf8');
      const public_ = async () => filesIn((await call(sidecar.admin, '/status')).content);
      const local = async () => filesIn((await call(sidecar.socket, '/statusz')).content);
      const fine = ['configuration', 'token'].map((name) => ({ file: name, current: true }));
      assert.deepEqual([await public_(), await local()], [fine, fine]);

      await replaceFile(join(directory, path), content);
      await sidecar.event('config-rejected');
      for (const files of [await public_(), await local()]) {
        const found = files.find((one) => one.file === file);
        assert.deepEqual([found?.current, found?.rejection?.code], [false, code]);
        assert.equal(files.filter(({ current }) => current).length, 1);
      }
      for (const args of [[], ['wechat-main']]) {
        const { stdout } = await paycert(['status', ...args, '--socket', sidecar.socket]);
        assert.match(stdout, new RegExp(`^rejected: ${file}: since .+ the next restart fails\\. .+\\(${code}\\)`, 'm'));
      }
      // No token is asked for there, so it says no more than the code.
      assert.equal(
        (await public_()).some(({ rejection }) => rejection?.detail !== undefined),
        false,
      );

      const from = sidecar.lines.length;
      await replaceFile(join(directory, path), good);
      await sidecar.event(file === 'token' ? 'token-replaced' : 'configured', {}, from);
      assert.deepEqual([await public_(), await local()], [fine, fine]);
    });
});

describe('the token of a sidecar', { timeout: 900_000 }, () => {
  const status = async ({ sidecar }: Running, bearer: string): Promise<number> =>
    (await call(sidecar.tcp, '/statusz', { headers: { Authorization: `Bearer ${bearer}` } })).status;

  it('follows its file without a restart', async (t) => {
    const running = await start(t);
    assert.equal(await status(running, token), 200);
    const next = 'another-token-of-24-chars';
    await replaceFile(join(running.directory, 'token'), next);
    await running.sidecar.event('token-replaced');
    assert.deepEqual([await status(running, token), await status(running, next)], [401, 200]);
  });

  it('stays as it is when the file holds none', async (t) => {
    const running = await start(t);
    await replaceFile(join(running.directory, 'token'), 'short');
    const refused = await running.sidecar.event('config-rejected');
    assert.equal(refused['code'], 'token-unusable');
    assert.deepEqual([await status(running, token), await status(running, 'short')], [200, 401]);
  });
});
