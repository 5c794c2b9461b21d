// What a start reads: the configuration and the tokens that it names, or why it cannot.
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseForStart, readConfig, tokenFilesOf } from '../../src/config/read.ts';
import { makeDirectory } from '../support/directories.ts';

const token = 't'.repeat(16);
const fields: Readonly<Record<string, string>> = {
  token: 'listen.tcp.tokenFile',
  'proxy-token': 'proxy.listen.tcp.tokenFile',
  'notification-secret': 'notifications.secretFile',
  'redis-password': 'notifications.dedupe.redis.passwordFile',
  'audit-key': 'audit.keyFile',
};
const files = Object.keys(fields);
const withTokens = (directory: string): string => `
listen: { socket: ${directory}/s, tcp: { address: "127.0.0.1:0", tokenFile: ${directory}/token } }
proxy: { listen: { tcp: { address: "127.0.0.1:0", tokenFile: ${directory}/proxy-token } } }
notifications: { listen: { address: ":0" }, forwardTo: { socket: /s }, secretFile: ${directory}/notification-secret, dedupe: { redis: { address: "rediss://r", passwordFile: ${directory}/redis-password } } }
audit: { stdout: true, keyFile: ${directory}/audit-key }
credentials: []
`;

describe('the configuration of a start', () => {
  it('is read with the tokens of its listeners', async (t) => {
    const directory = await makeDirectory(t);
    for (const name of files) await writeFile(join(directory, name), `${token}\n`);
    await writeFile(join(directory, 'paycert.yaml'), withTokens(directory));
    const config = await readConfig(join(directory, 'paycert.yaml'));
    assert.deepEqual(tokenFilesOf(config), [
      ['token', join(directory, 'token')],
      ['proxy-token', join(directory, 'proxy-token')],
      ['notification-secret', join(directory, 'notification-secret')],
      ['redis-password', join(directory, 'redis-password')],
      ['audit-key', join(directory, 'audit-key')],
    ]);
    assert.deepEqual(await parseForStart(withTokens(directory)), config);
  });

  it('is refused by the member that names it while a token or secret is missing or unusable', async (t) => {
    for (const broken of files) {
      const directory = await makeDirectory(t);
      for (const other of files) if (other !== broken) await writeFile(join(directory, other), token);
      await assert.rejects(parseForStart(withTokens(directory)), {
        code: 'token-unusable',
        field: fields[broken],
        message: /ENOENT/,
      });
      await writeFile(join(directory, broken), 'two words');
      await assert.rejects(parseForStart(withTokens(directory)), {
        code: 'token-unusable',
        field: fields[broken],
      });
    }
  });

  it('says of a file that cannot be read which one and why', async (t) => {
    const directory = await makeDirectory(t);
    await mkdir(join(directory, 'folder'));
    for (const [name, why] of [
      ['missing', 'cannot be read (ENOENT)'],
      ['folder', 'is not a regular file'],
    ] as const) {
      const path = join(directory, name);
      await assert.rejects(readConfig(path), { code: 'config-unreadable', message: `${path} ${why}` });
    }
  });

  it('keeps what its text is refused for', async (t) => {
    const path = join(await makeDirectory(t), 'paycert.yaml');
    await writeFile(path, 'credentials: {');
    await assert.rejects(readConfig(path), { code: 'config-syntax' });
  });
});
