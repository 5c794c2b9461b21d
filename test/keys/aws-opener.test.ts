// Values that a symmetric key of a real local-kms wrapped: opened with their context, and refused one by one.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import type { SourceConfig } from '../../src/config/schema/source.ts';
import { PaycertError } from '../../src/errors.ts';
import { buildCredential } from '../../src/running/build.ts';
import { startKeyServices } from '../../src/running/key-services.ts';
import { makeDirectory, textsOf } from '../support/directories.ts';
import { keyId, noLocalKms, region, useLocalKms } from '../support/local-kms.ts';
import { RecordingProxy } from '../support/recording-proxy.ts';

const limit = { timeout: 300_000, skip: noLocalKms };
const [wrapping, other] = [keyId(30), keyId(31)];
const kms = useLocalKms(async () => ({
  rsa: {},
  ecc: {},
  aes: { [wrapping]: randomBytes(32).toString('hex'), [other]: randomBytes(32).toString('hex') },
  aliases: { 'alias/wrapping': wrapping },
}));
const signal = new AbortController().signal;

/** As `aws kms encrypt` does. */
async function wrap(text: string, context: object, key = wrapping): Promise<string> {
  const body = { KeyId: key, Plaintext: Buffer.from(text).toString('base64'), EncryptionContext: context };
  const response = await fetch(kms().url, {
    method: 'POST',
    headers: { 'X-Amz-Target': 'TrentService.Encrypt', 'Content-Type': 'application/x-amz-json-1.1' },
    body: JSON.stringify(body),
  });
  const { CiphertextBlob: blob } = (await response.json()) as { CiphertextBlob: string };
  return `aws-kms:${blob}`;
}

async function build(t: TestContext, files: Readonly<Record<string, string>>, more: object = {}) {
  const proxy = await RecordingProxy.start(t, kms().url);
  const directory = await makeDirectory(t);
  const [idFile, secretFile] = [join(directory, 'id'), join(directory, 'secret')];
  await writeFile(idFile, 'AKIDEXAMPLE');
  await writeFile(secretFile, 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY');
  const path = await makeDirectory(t);
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
  const surroundings = { clock: systemClock, observe: () => undefined };
  const awskms = { region, address: proxy.url, auth: { accessKey: { idFile, secretFile } } };
  const keyServices = await startKeyServices({ awskms }, surroundings);
  t.after(() => keyServices[Symbol.asyncDispose]());
  const unwrap = { source: { files: { path } }, with: { awskms: { key: 'alias/wrapping' } }, ...more };
  const source: SourceConfig = { unwrap };
  const provider = { wechatpay: { merchantId: '1900000001' } };
  const built = buildCredential({ name: 'shop', provider, source }, { ...surroundings, environment: {}, keyServices });
  return { source: built.source, proxy };
}

const codeIs = (code: string, message: RegExp) => (error: unknown) =>
  error instanceof PaycertError && error.code === code && message.test(error.message);

describe('values that AWS KMS wrapped', () => {
  it('are opened with the context that they were bound to, each once', limit, async (t) => {
    const context = { credential: 'shop', stage: 'live' };
    const files = { a: await wrap('1', context), b: await wrap('2', context) };
    const { source, proxy } = await build(t, files, { context });
    assert.deepEqual(textsOf((await source.read(signal)).data), { a: '1', b: '2' });
    await source.read(signal);
    assert.equal(proxy.count(/ 200$/), 2);
  });

  it('with another context, with another key, or changed since, are refused by the name of each', limit, async (t) => {
    const files = {
      a: await wrap('1', {}),
      b: await wrap('2', { credential: 'other' }),
      c: await wrap('3', {}, other),
    };
    const { source } = await build(t, { ...files, d: files.a.replace(/.{8}$/, 'AAAAAAA=') });
    const error: unknown = await source.read(signal).catch((thrown: unknown) => thrown);
    assert.ok(codeIs('unwrap-refused', /^b of files:.*unwrap with awskms:\/\/\/alias\/wrapping/)(error), String(error));
    assert.deepEqual((error as PaycertError).others.map(({ field }) => field), ['c', 'd']); // prettier-ignore
  });

  it('that the service may not open for us, or has no key for, say so of all', limit, async (t) => {
    const { source } = await build(t, { a: await wrap('1', {}) }, { with: { awskms: { key: 'alias/absent' } } });
    await assert.rejects(source.read(signal), codeIs('key-missing', /a?.*unwrap with awskms:\/\/\/alias\/absent/));
    const forbidden = await build(t, { a: await wrap('1', {}) });
    forbidden.proxy.instead = () => ({ status: 400, body: '{"__type":"AccessDeniedException"}' });
    await assert.rejects(forbidden.source.read(signal), codeIs('origin-forbidden', /unwrap with awskms/));
  });
});
