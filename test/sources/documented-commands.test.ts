// The commands of docs/sources/ as somebody pastes them, against a real OpenBao: what they write is what the source reads.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import type { SourceConfig } from '../../src/config/schema/source.ts';
import { buildCredential } from '../../src/running/build.ts';
import { startKeyServices } from '../../src/running/key-services.ts';
import { noBao, useBao } from '../support/bao.ts';
import { blocksOf, ownersShell } from '../support/documented-shell.ts';
import { textsOf } from '../support/directories.ts';

const limit = { timeout: 300_000, skip: noBao };
const bao = useBao();
const signal = new AbortController().signal;
const surroundings = { clock: systemClock, observe: () => undefined };

const blocks = (page: string, title: string, language: string) => blocksOf(`docs/sources/${page}.md`, title, language);
const openShell = () => ownersShell(bao());

/** A token that may do what the policy of the page says, and no more. */
async function tokenOf(page: string, title: string): Promise<string> {
  const [policy] = blocks(page, title, 'hcl');
  assert.ok(policy);
  await bao().owner('PUT', `sys/policies/acl/${page}`, { policy });
  return bao().tokenFile([page]);
}

async function read(t: TestContext, source: SourceConfig, tokenFile: string) {
  const services = { hashivault: { address: bao().url, auth: { token: { tokenFile } } } };
  const keyServices = await startKeyServices(services, surroundings);
  t.after(() => keyServices[Symbol.asyncDispose]());
  const built = buildCredential(
    { name: 'wechat-main', provider: { wechatpay: { merchantId: '1900000001' } }, source },
    { ...surroundings, environment: {}, keyServices },
  );
  return textsOf((await built.source.read(signal)).data);
}

describe('the commands of the documents', () => {
  it(
    'wrap a value, and wrap it again with a new version of the key, and it opens each time with the policy there',
    limit,
    async (t) => {
      const { folder, shell } = await openShell();
      await writeFile(join(folder, 'apiclient_key.pem'), 'the key\n');
      const [wrap = '', again = ''] = blocks('unwrap', 'With transit', 'sh');
      await shell(wrap);
      const tokenFile = await tokenOf('unwrap', 'With transit');
      const unwrap = {
        source: { files: { path: join(folder, 'wrapped') } },
        with: { hashivault: { key: 'wrapping' } },
        context: { credential: 'wechat-main' },
      };
      assert.deepEqual(await read(t, { unwrap }, tokenFile), { 'apiclient_key.pem': 'the key\n' });
      await shell(`bao write -f transit/keys/wrapping/rotate\n${again}`);
      assert.match(await readFile(join(folder, 'wrapped/apiclient_key.pem'), 'utf8'), /^vault:v2:/);
      await shell('bao write transit/keys/wrapping/config min_decryption_version=2');
      assert.deepEqual(await read(t, { unwrap }, tokenFile), { 'apiclient_key.pem': 'the key\n' });
    },
  );

  it('write a set as one path, which the policy there lets a token read', limit, async (t) => {
    const { folder, shell } = await openShell();
    const names = ['apiclient_key.pem', 'apiclient_cert.pem', 'apiv3_key', 'pub_key.pem', 'pub_key_id'];
    for (const name of names) await writeFile(join(folder, name), `content of ${name}`);
    const [put = ''] = blocks('vault', 'One path is one set', 'sh');
    await shell(put);
    const tokenFile = await tokenOf('vault', 'Policy');
    const vault = { address: bao().url, path: 'shop/wechat-main', auth: { token: { tokenFile } } };
    const found = await read(t, { vault }, tokenFile);
    assert.deepEqual(found, Object.fromEntries(names.map((name) => [name, `content of ${name}`])));
  });
});
