// A second sidecar on the keys of an SDK's world, whose proxy signs verified responses again with a throw-away identity.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { makeDirectory } from './directories.ts';
import { paycert } from './paycert.ts';
import { providers } from './provider-sidecar.ts';
import type { SdkWorld } from './sdk-world.ts';
import { configuration, startSidecar } from './sidecar.ts';

const names = ['wechat-main', 'alipay-main'] as const;

export interface Resigning {
  /** What SDKs were given, by the name of the file. */
  readonly given: (name: string) => string;
  /** The base URL of a credential. */
  readonly proxied: (credential: string) => string;
  /** The same for programs in other languages. */
  readonly env: Readonly<Record<string, string>>;
}

export async function startResigning(t: TestContext, { running, env }: SdkWorld): Promise<Resigning> {
  const [directory, identity] = [await makeDirectory(t), join(await makeDirectory(t), 'identity')];
  const made = await paycert(['proxy', 'identity', identity]);
  assert.equal(made.code, 0, made.stderr);
  assert.deepEqual(readdirSync(identity).sort(), ['alipay_public_key', 'apiv2_key', 'identity', 'pub_key.pem', 'pub_key_id']);
  const credentials = names.map((name) =>
    `  - name: ${name}\n    provider: { ${providers[name]} }\n    source: { files: { path: ${JSON.stringify(join(running.directory, name))} } }\n`,
  );
  const proxy = {
    listen: { tcp: { address: '127.0.0.1:0', insecure: true } },
    ...{ resign: 'local', identityFile: join(identity, 'identity') },
  };
  const config = configuration(directory, credentials, `wayOut: { proxy: ${JSON.stringify(env['HTTPS_PROXY'])} }\nproxy: ${JSON.stringify(proxy)}\n`);
  const trusted = { NODE_EXTRA_CA_CERTS: env['NODE_EXTRA_CA_CERTS']! };
  const sidecar = await startSidecar(t, directory, config, { waitFor: names, env: trusted });
  const address = `http://${String(sidecar.lines.find(({ listener }) => listener === 'proxy-tcp')?.['address'])}`;
  return {
    given: (name) => readFileSync(join(identity, name), 'utf8').trim(),
    proxied: (credential) => `${address}/${credential}`,
    env: { PAYCERT_RESIGNING_PROXY: address, PAYCERT_IDENTITY: identity },
  };
} // prettier-ignore
