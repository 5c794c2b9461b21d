// The image with what talks to a token, as a cluster runs it: a module is mounted, and the key in its token signs. Not part of `npm test`: it needs a container engine.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { verify } from 'node:crypto';
import { chmod, copyFile, mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createSecretVolume } from '../../src/testing/index.ts';
import { call, credential, makeDirectory, makeMaterial } from '../support/sidecar.ts';
import { noToken, SoftHsm } from '../support/softhsm.ts';
import { findEngine, type Mounts, standard, withTokens } from './container.ts';

const isWhole = findEngine()?.installs === true;
// Where its compiler cannot be installed, what it would build is mounted: the program, and all that it runs on, are those of the image.
const engine = findEngine(isWhole ? withTokens : standard);
const addon = fileURLToPath(new URL('../../node_modules/pkcs11js', import.meta.url));
const skip = engine === undefined ? 'no container engine on this machine' : noToken;

/** What the token's maker delivers: the module, and what it is linked to beside what every glibc has. */
async function copyModule(module: string, directory: string): Promise<void> {
  const linked = execFileSync('ldd', [module], { encoding: 'utf8' });
  const libraries = [...linked.matchAll(/=> (\/\S+)/g)].flatMap(([, path = '']) =>
    /\/lib(c|m|dl|pthread)\.so/.test(path) ? [] : [path],
  );
  await mkdir(directory);
  for (const path of [module, ...libraries]) await copyFile(path, join(directory, basename(path)));
}

describe('the image with pkcs11', { skip, timeout: 900_000 }, () => {
  it('signs with a key in a token whose module is mounted, as a user that is not root', async (t) => {
    await engine!.build();
    const directory = await makeDirectory(t);
    const { files, merchant } = await makeMaterial();
    const token = await SoftHsm.start(t);
    const reference = Buffer.from(await token.import(merchant.privateKey));
    const { module, tokens, environment } = token.config();
    const library = join(directory, 'hsm');
    await copyModule(module, library);
    await createSecretVolume(join(directory, 'secret'), new Map([...files, ['apiclient_key.pem', reference]]));
    const pkcs11 = {
      module: `/opt/hsm/${basename(module)}`,
      environment: { ...environment, LD_LIBRARY_PATH: '/opt/hsm' },
      tokens,
      deadline: '30s',
    };
    const configuration = `listen: { socket: /run/paycert/paycert.sock }
admin: { address: "127.0.0.1:0" }
keyServices: ${JSON.stringify({ pkcs11 })}
credentials:
${credential({ path: '/etc/paycert/wechat-main', more: '    required: true\n' })}`;
    await writeFile(join(directory, 'paycert.yaml'), configuration);
    await mkdir(join(directory, 'run'));
    for (const path of ['', 'secret', 'hsm', 'run']) await chmod(join(directory, path), path === 'run' ? 0o777 : 0o755);
    const tokenDirectory = dirname(token.pinFile);
    // The sidecar is another user there; a real token is reached over a network.
    execFileSync('chmod', ['-R', 'a+rwX', tokenDirectory]);
    const mounts: Mounts = [
      { host: join(directory, 'paycert.yaml'), path: '/etc/paycert/paycert.yaml' },
      { host: join(directory, 'secret'), path: '/etc/paycert/wechat-main' },
      { host: library, path: '/opt/hsm' },
      ...(isWhole ? [] : [{ host: addon, path: '/paycert/node_modules/pkcs11js' }]),
      { host: tokenDirectory, path: tokenDirectory, isWritable: true },
      { host: join(directory, 'run'), path: '/run/paycert', isWritable: true },
    ];
    const child = await engine!.run(mounts, ['sidecar', '--config', '/etc/paycert/paycert.yaml']);
    t.after(() => child.kill('SIGTERM'));
    await new Promise<void>((resolve, reject) => {
      let lines = '';
      for (const stream of [child.stdout, child.stderr])
        stream?.on('data', (chunk: Buffer) => {
          lines += chunk.toString();
          if (lines.includes('"event":"swapped"')) resolve();
          if (lines.includes('"event":"rejected"')) reject(new Error(lines));
        });
      child.once('exit', () => reject(new Error(`it ended: ${lines}`)));
    });
    const body = { message: 'from the container' };
    const socket = join(directory, 'run', 'paycert.sock');
    const { status, content } = await call(socket, '/v1/credentials/wechat-main/sign', { body });
    assert.equal(status, 200, content);
    const { signature, keyId } = JSON.parse(content) as { readonly signature: string; readonly keyId: string };
    assert.equal(keyId, merchant.serialNumber);
    assert.ok(verify('sha256', Buffer.from(body.message), merchant.publicKey, Buffer.from(signature, 'base64')));
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
});
