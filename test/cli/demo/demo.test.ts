// The demo runs anywhere, ends by itself, and says by its exit code whether all went well.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { steps } from '../../../src/cli/demo/rotations.ts';
import { describeOutcome } from '../../../src/cli/demo/view.ts';
import { ReloadWatch } from '../../../src/cli/demo/watch.ts';
import { PaycertError } from '../../../src/errors.ts';
import { makeDirectory } from '../../support/directories.ts';
import { paycert } from '../../support/paycert.ts';
import { noPeer } from '../../support/peers.ts';
import { hasScript, onTerminal } from '../../support/terminal.ts';

const assets = process.env['KUBEBUILDER_ASSETS'] ?? '';
const peers = { PAYCERT_PEERS: process.env['PAYCERT_PEERS'] ?? '', KUBEBUILDER_ASSETS: assets };
const noEtcd = !existsSync(join(assets, 'etcd')) && 'KUBEBUILDER_ASSETS names no folder with etcd';

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
}

/** As long as this machine needs to show that; what fails, and not for a lack of time, is shown at once. */
async function longEnough<T extends Ran>(
  first: number,
  wanted: RegExp,
  run: (duration: string) => Promise<T>,
): Promise<T> {
  for (let seconds = first; ; seconds *= 4) {
    const ran = await run(`${String(seconds)}s`);
    const isShort = ran.code === 0 ? !wanted.test(ran.stdout) : ran.code === 64;
    if (!isShort || seconds >= first * 16) return ran;
  }
}

const mismatch = /: rejected \(key-mismatch\) in \d+ ms\n +\d+ requests, 0 failures$/m;

describe('paycert demo', { timeout: 900_000 }, () => {
  it('prints one line per event without a terminal, and ends with exit code 0', async () => {
    const { code, stdout, stderr } = await longEnough(8, mismatch, (duration) => paycert(['demo', '--duration', duration])); // prettier-ignore
    assert.equal(code, 0, stdout + stderr);
    assert.equal(stderr, '');
    assert.ok(!stdout.includes('\x1b'));
    assert.match(stdout, /^\S+ new merchant certificate and key: current in \d+ ms\n +\d+ requests, 0 failures$/m);
    assert.match(stdout, mismatch);
    const wide = stdout.split('\n').filter((line) => line.length > 80 && !/\/tmp\/|\/node/.test(line));
    assert.deepEqual(wide, [], 'no line is wider than 80 columns, but for paths');
    assert.match(stdout, /^\d+ requests, 0 failures, 0 refused by the gateway$/m);
    assert.match(stdout, /, 0 missed\nno request failed\n$/);
  });

  for (const [origin, skip] of [
    ['vault', noPeer('bao')],
    ['consul', noPeer('consul')],
    ['etcd', noEtcd],
  ] as const)
    it(`rotates through a real ${origin}, and no request fails`, { skip }, async () => {
      const { code, stdout, stderr } = await longEnough(10, mismatch, (duration) => paycert(['demo', '--origin', origin, '--duration', duration], { env: peers })); // prettier-ignore
      assert.equal(code, 0, stdout + stderr);
      assert.match(stdout, mismatch);
      assert.match(stdout, /, 0 missed\nno request failed\n$/);
    });

  it('says which server is missing, and which origins there are', async () => {
    const env = { PAYCERT_PEERS: '/nowhere' };
    const missing = await paycert(['demo', '--origin', 'vault'], { env });
    assert.deepEqual(
      [missing.code, /set PAYCERT_PEERS to a folder with the program bao/.test(missing.stderr)],
      [64, true],
    );
    const unknown = await paycert(['demo', '--origin', 'toString'], { env });
    assert.match(unknown.stderr, /--origin is one of files, vault, consul, etcd/);
  });

  it('tells each step in 80 columns, on a slow machine too', () => {
    for (const { title, expected } of steps) {
      const line = `00:00:00 ${describeOutcome({ title, expected, actual: expected, milliseconds: 99_999 })}`;
      assert.ok(line.length <= 80, line);
    }
  });

  it('refuses to call a run good in which no key has changed, and prints lines that can be pasted as they are', async () => {
    const { code, stdout, stderr } = await paycert(['demo', '--duration', '1s']);
    assert.equal(code, 64, stdout);
    assert.match(stderr, /--duration was too short to see a rotation/);
    const commands = stdout.replaceAll('\\\n', ' ').split('\n');
    assert.equal(commands.filter((line) => line.startsWith('curl ')).length, 4);
    assert.ok(
      commands.some((line) => /^curl http:\/\/127\.0\.0\.1:\d+\/~\w+\/wechat-main\/v3\/certificates$/.test(line)),
    );
    assert.ok(commands.some((line) => /--unix-socket \S+ .*\/v1\/credentials\/wechat-main\/sign$/.test(line)));
    assert.ok(commands.some((line) => /http:\/\/127\.0\.0\.1:\d+\/metrics$/.test(line)));
    assert.ok(commands.some((line) => / status +--socket \S+$/.test(line)));
  });

  it('writes made-up material into a new directory, readable by its owner alone, and into no other', async (t) => {
    const directory = join(await makeDirectory(t), 'material');
    const { code, stdout } = await paycert(['demo', '--out', directory]);
    assert.equal(code, 0);
    assert.match(stdout, /^kubectl create secret generic wechat-main \\\n {2}--from-file=/m);
    assert.ok((await readdir(directory)).includes('apiclient_key.pem'));
    assert.equal((await stat(join(directory, 'apiclient_key.pem'))).mode & 0o777, 0o600);
    assert.equal((await paycert(['demo', '--out', directory])).code, 64);
  });

  it('shows a live view on a terminal, and leaves the terminal as it was', async (t) => {
    if (!hasScript) {
      t.skip('there is no script(1)');
      return;
    }
    const ten = /(?:payments continue while keys change[^]*?){10}/;
    const { code, shown } = await longEnough(5, ten, async (duration) => {
      const ran = await onTerminal(['demo', '--duration', duration]);
      return { ...ran, stdout: ran.shown };
    });
    assert.equal(code, 0, shown);
    for (const label of ['requests', 'failures', 'generation', 'serial', 'expires in', 'rejections'])
      assert.match(shown, new RegExp(`^ {2}${label} `, 'm'));
    assert.match(shown, ten);
    // Redrawn in place, below the lines to paste: nothing that was printed is wiped.
    assert.ok(!shown.includes('\x1b[2J'));
    assert.ok(shown.lastIndexOf('\x1b[?25h') > shown.lastIndexOf('\x1b[?25l'));
    assert.ok(shown.lastIndexOf('\x1b[?7h') > shown.lastIndexOf('\x1b[?7l'));
  });

  it('takes a second attempt at refused material for no answer to the next write', async () => {
    const watch = new ReloadWatch();
    const next = watch.next();
    const error = new PaycertError('key-mismatch', 'again');
    watch.observe({ type: 'rejected', credential: 'a', error, seconds: 0, isNew: false });
    const fresh = new PaycertError('pem-malformed', 'new');
    watch.observe({ type: 'rejected', credential: 'a', error: fresh, seconds: 0, isNew: true });
    const event = await next;
    assert.ok(event.type === 'rejected' && event.error === fresh);
  });

  it('accepts a duration longer than a timer can be', async (t) => {
    const { RunningPaycert } = await import('../../support/paycert.ts');
    const demo = new RunningPaycert(t, ['demo', '--duration', '60d']);
    await demo.line(({ line }) => String(line).includes('new merchant certificate'));
    demo.child.kill('SIGINT');
    assert.equal(await demo.ended, 0, demo.stdout + demo.stderr);
  });
});
