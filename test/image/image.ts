// The image as a cluster runs it: built once, run once. Not part of `npm test`: it needs a container engine.
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createSecretVolume, createWechatpayMaterial } from '../../src/testing/index.ts';
import { findEngine, type Mounts } from './container.ts';

const engine = findEngine();

const configuration = `listen: { socket: /run/paycert/paycert.sock }
admin: { address: "127.0.0.1:0" }
credentials:
  - name: wechat-main
    required: true
    provider: { wechatpay: { merchantId: "1900000001" } }
    source: { files: { path: /etc/paycert/wechat-main } }
`;

async function output(child: ChildProcess): Promise<string> {
  const chunks: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(child, 'close');
  return Buffer.concat(chunks).toString();
}

function sign(socketPath: string): Promise<{ status: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const path = '/v1/credentials/wechat-main/sign';
    const request = httpRequest(
      { socketPath, path, method: 'POST', headers: { 'Content-Type': 'application/json' } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve({ status: response.statusCode, body: Buffer.concat(chunks).toString() }));
      },
    );
    request.on('error', reject);
    request.end('{"message":"from the container"}');
  });
}

describe('the image', { skip: engine === undefined && 'no container engine on this machine' }, () => {
  let directory = '';
  let mounts: Mounts = [];

  before(async () => {
    await engine?.build();
    directory = await mkdtemp(join(tmpdir(), 'paycert-image-'));
    const material = await createWechatpayMaterial({ merchantId: '1900000001', now: new Date() });
    await createSecretVolume(join(directory, 'secret'), material.files);
    await writeFile(join(directory, 'paycert.yaml'), configuration);
    await mkdir(join(directory, 'run'));
    for (const path of ['', 'secret', 'run']) await chmod(join(directory, path), path === 'run' ? 0o777 : 0o755);
    mounts = [
      { host: join(directory, 'paycert.yaml'), path: '/etc/paycert/paycert.yaml' },
      { host: join(directory, 'secret'), path: '/etc/paycert/wechat-main' },
      { host: join(directory, 'run'), path: '/run/paycert', isWritable: true },
    ];
  });
  after(() => rm(directory, { recursive: true, force: true }));

  it('prints its version and help without a shell', async () => {
    assert.match(await output(await engine!.run([], ['--version'])), /^\d+\.\d+\.\d+\n$/);
    assert.match(await output(await engine!.run([], ['--help'])), /Usage: paycert COMMAND/);
  });

  it('starts from compiled code that its user may read', async () => {
    // What Node says about its cache goes to the standard output too.
    const program = 'process.stdout.write(process.env.NODE_COMPILE_CACHE)';
    const folder = await output(await engine!.run([], ['--eval', program], 'node'));
    const list = `console.log(fs.readdirSync(${JSON.stringify(folder)}, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => fs.readFileSync(entry.parentPath + '/' + entry.name).length > 100_000 && entry.parentPath.endsWith('-' + process.getuid())))`;
    assert.equal(await output(await engine!.run([], ['--eval', list], 'node')), '[ true ]\n');
  });

  it('has no shell, no package manager and nothing that it may write', async () => {
    const program = `
      const found = ['sh', 'bash', 'dash', 'busybox', 'npm', 'npx', 'apt', 'dpkg', 'env', 'ls']
        .filter((name) => ['/bin', '/usr/bin', '/sbin', '/usr/sbin', '/usr/local/bin'].some((folder) => fs.existsSync(folder + '/' + name)));
      const writes = ['/tmp/x', '/paycert/x', '/etc/x', '/x'].filter((path) => { try { fs.writeFileSync(path, ''); return true; } catch { return false; } });
      console.log(JSON.stringify({ found, writes, user: [process.getuid(), process.getgid()], programs: fs.readdirSync('/usr/local/bin') }));`;
    assert.deepEqual(JSON.parse(await output(await engine!.run([], ['--eval', program], 'node'))), {
      found: [],
      writes: [],
      user: [65532, 65532],
      programs: ['node', 'paycert'],
    });
  });

  it('serves on a socket as a user that is not root, answers `paycert` by name, and ends on SIGTERM', async (t) => {
    const child = await engine!.run(mounts, ['sidecar', '--config', '/etc/paycert/paycert.yaml']);
    t.after(() => child.kill('SIGTERM'));
    await new Promise<void>((resolve, reject) => {
      let lines = '';
      child.stdout?.on('data', (chunk: Buffer) => {
        lines += chunk.toString();
        if (lines.includes('"event":"swapped"')) resolve();
      });
      child.once('exit', () => reject(new Error(`it ended: ${lines}`)));
    });
    const socket = join(directory, 'run', 'paycert.sock');
    const stats = await stat(socket);
    assert.equal(stats.uid, 65532);
    assert.equal(stats.mode & 0o777, 0o660);
    const { status, body } = await sign(socket);
    assert.equal(status, 200, body);
    // As `kubectl exec … -- paycert status`.
    const said = await output(await engine!.run(mounts, ['status'], 'paycert'));
    assert.match(said, /wechat-main/);
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
});
