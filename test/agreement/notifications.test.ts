// The programs of docs/notifications.md: each says of what paycert hands on that it is paycert's, and of nothing else.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { seal } from '../../src/delivery/envelope.ts';
import { parseConfig } from '../../src/config/load.ts';
import { codeBlocks } from './documents.ts';

const blocks = codeBlocks('docs/notifications.md');
const blockOf = (language: string): string =>
  blocks.find((block) => block.info === language)?.text ?? assert.fail(`no ${language}`);
const secret = 'a-secret-of-the-application';
const facts = { credential: 'shop', id: '1', eventType: 'T', keyId: 'K', verified: 'yes', target: '/x' } as const;
const body = Buffer.from('{"支付":1}');

const inLowerCase = (headers: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

/** What is handed on, and what is not paycert's. */
function cases() {
  const now = new Date();
  const good = seal(facts, body, { secret, now });
  const old = seal(facts, body, { secret, now: new Date(now.getTime() - 600_000) });
  const { 'Paycert-Signature': _, ...unsigned } = good.headers;
  return [
    [good, true],
    [{ ...good, body: Buffer.from('{}') }, false],
    [{ ...good, headers: { ...good.headers, 'Paycert-Verified': 'none' } }, false],
    [{ ...good, headers: { ...unsigned, 'Paycert-Signature': '' } }, false],
    [old, false],
  ] as const;
}

describe('docs/notifications.md', () => {
  it('has a check for Node that knows what paycert hands on', async () => {
    const module = `data:text/javascript,${encodeURIComponent(blockOf('js'))}`;
    const { isFromPaycert } = (await import(module)) as {
      isFromPaycert: (headers: object, body: Uint8Array, secret: string) => boolean;
    };
    for (const [{ headers, body: sent }, expected] of cases()) {
      assert.equal(isFromPaycert(inLowerCase(headers), sent, secret), expected);
    }
  });

  const hasPython = spawnSync('python3', ['--version']).status === 0;

  it('has a check for Python that knows what paycert hands on', { skip: !hasPython }, () => {
    for (const [{ headers, body: sent }, expected] of cases()) {
      const program = `import base64, hashlib, hmac, json, sys, time\n${blockOf('python')}\nheaders, body, secret = json.load(sys.stdin)\nprint(is_from_paycert(headers, base64.b64decode(body), secret.encode()))`;
      const input = JSON.stringify([inLowerCase(headers), Buffer.from(sent).toString('base64'), secret]);
      const { stdout, stderr } = spawnSync('python3', ['-c', program], { input, encoding: 'utf8' });
      assert.equal(stdout.trim(), expected ? 'True' : 'False', stderr);
    }
  });

  it('has a configuration that is accepted', () => {
    assert.ok(parseConfig(blockOf('yaml')).notifications);
  });
});
