// What every command has in common: help, exit codes, where output goes.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { commands } from '../../src/cli/commands.ts';
import { mainFile, paycert } from '../support/paycert.ts';
import { makeDirectory } from '../support/sidecar.ts';

const escape = '\x1b';
const timeout = 900_000;

describe('the command line', { timeout, concurrency: 2 }, () => {
  for (const args of [[], ['--help']]) {
    it(`lists every command for ${JSON.stringify(args.join(' '))}`, async () => {
      const { code, stdout } = await paycert(args);
      assert.equal(code, 0);
      for (const name of [...Object.keys(commands), 'completion']) assert.match(stdout, new RegExp(`^  ${name} `, 'm'));
    });
  }

  for (const name of [...Object.keys(commands), 'completion']) {
    it(`explains ${name} with --help, whatever is missing`, async () => {
      const { code, stdout, stderr } = await paycert([name, '--help']);
      assert.equal(code, 0, stderr);
      assert.match(stdout, new RegExp(`^Usage: paycert ${name}`, 'm'));
      for (const option of Object.keys(commands[name]?.options ?? {})) assert.ok(stdout.includes(`--${option}`));
    });
  }

  it('explains a command the same way with -h, and with help before it', async () => {
    const [long, short, before] = await Promise.all(
      [
        ['status', '--help'],
        ['status', '-h'],
        ['help', 'status'],
      ].map((args) => paycert(args)),
    );
    assert.deepEqual([short, before], [long, long]);
  });

  it('prints the version of the package', async () => {
    const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    assert.deepEqual(await paycert(['--version']), { code: 0, stdout: `${version}\n`, stderr: '' });
  });

  for (const args of [
    ['explain', '/dev/zero'],
    ['explain', '/proc/self/pagemap'],
    ['sign', 'shop', '/dev/zero'],
    ['validate', '--config', '/dev/zero'],
    ['inspect', '/dev/zero'],
  ]) {
    it(`ends ${args.join(' ')}, which has no end`, async () => {
      const { code, stderr } = await paycert(args);
      assert.ok([64, 65, 75, 78].includes(code ?? 0), `${String(code)}: ${stderr}`);
    });
  }

  it('reads no more of an endless standard input than a command may take', async () => {
    for (const words of ['explain', 'sign shop', 'validate --config -', 'inspect -']) {
      const line = `"$0" "$1" ${words} </dev/zero`;
      const child = spawn('sh', ['-c', line, process.execPath, mainFile], { stdio: ['ignore', 'ignore', 'pipe'] });
      const [told, [code]] = await Promise.all([text(child.stderr), once(child, 'close') as Promise<[number | null]>]);
      assert.match(told, /standard input holds more than \d+ bytes/, words);
      assert.ok(code === 64 || code === 65, `${words}: ${String(code)}`);
    }
  });

  it('reads a pipe that is named as a file', async () => {
    const line = `printf '\\377' | "$0" "$1" explain /dev/fd/0`;
    const child = spawn('sh', ['-c', line, process.execPath, mainFile], { stdio: ['ignore', 'ignore', 'pipe'] });
    assert.match(await text(child.stderr), /\(refusal-unknown\)/);
  });

  const misuses: readonly (readonly [title: string, args: readonly string[]])[] = [
    ['an unknown command', ['frobnicate']],
    ['a command that only an object has', ['constructor']],
    ['an unknown option', ['status', '--frobnicate']],
    ['an option without its value', ['sidecar', '--config']],
    ['a required option that is missing', ['sidecar']],
    ['too many arguments', ['status', 'a', 'b']],
    ['too few arguments', ['inspect']],
    ['a value outside the choices', ['inspect', '.', '--output', 'xml']],
    ['a time that is none', ['demo', '--duration', 'soon']],
    ['an address that is none', ['status', '--url', 'ftp://127.0.0.1']],
    ['an unknown shell', ['completion', 'tcsh']],
  ];
  for (const [title, args] of misuses) {
    it(`answers ${title} with a usage error and exit code 64`, async () => {
      const { code, stdout, stderr } = await paycert(args);
      assert.equal(code, 64);
      assert.equal(stdout, '');
      assert.match(stderr, /^error: .+ \(usage\)\nhint: .*--help/);
    });
  }

  it('answers a configuration that is not there with exit code 78 and a hint', async () => {
    const { code, stderr } = await paycert(['sidecar', '--config', '/nowhere/paycert.yaml']);
    assert.equal(code, 78);
    assert.match(stderr, /^error: \/nowhere\/paycert\.yaml cannot be read \(ENOENT\) \(config-unreadable\)\nhint: /);
  });

  it('writes no colours where nobody sees them', async () => {
    const { stderr } = await paycert(['frobnicate'], { env: { TERM: 'xterm-256color', FORCE_COLOR: '0' } });
    assert.ok(!stderr.includes(escape));
  });

  it('writes no colours into a file for errors, even from a terminal', async (t) => {
    const { hasScript } = await import('../support/terminal.ts');
    if (!hasScript) {
      t.skip('there is no script(1)');
      return;
    }
    const directory = await makeDirectory(t);
    const child = spawn('script', [
      '-qec',
      `"${process.execPath}" "${mainFile}" frobnicate 2>${directory}/error`,
      '/dev/null',
    ]);
    await once(child, 'close');
    const written = await readFile(`${directory}/error`, 'utf8');
    assert.match(written, /^error: /);
  });

  it('ends quietly when its reader has gone', async () => {
    const child = spawn('sh', ['-c', `"${process.execPath}" "${mainFile}" completion fish | head -n 1 >/dev/null`]);
    const [stderr] = await Promise.all([text(child.stderr), once(child, 'close')]);
    assert.equal(stderr, '');
  });

  it('dies of an interrupt while a client command waits for its input', async () => {
    const child = spawn(process.execPath, [mainFile, 'sign', 'wechat-main'], {
      timeout: 900_000,
      killSignal: 'SIGKILL',
    });
    // It has started when it has opened its standard input: a byte has been taken from the pipe.
    child.stdin.write('x'.repeat(1 << 20), () => child.kill('SIGINT'));
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    assert.deepEqual([code, signal], [null, 'SIGINT']);
  });
});
