// OpenSSL's own OCSP responder, on the authorities of test/support/mtls.ts: answers that nobody here has written.
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import type { X509Certificate } from 'node:crypto';
import { makeDirectory } from './directories.ts';
import { keyPairs } from './key-pairs.ts';
import { makeAuthority, pem } from './mtls.ts';
import type { Certified } from './ocsp.ts';

const run = promisify(execFile);

/** Why its tests cannot run, if they cannot. */
export const withoutOpenssl =
  spawnSync('openssl', ['version']).status === 0 ? false : 'there is no openssl command: nothing else answers for real';

export interface ResponderOptions {
  readonly good?: readonly X509Certificate[];
  readonly revoked?: readonly X509Certificate[];
  /** Who signs in the authority's place. */
  readonly delegate?: Certified;
  /** Further options of `openssl ocsp`. */
  readonly options?: readonly string[];
}

/** The arguments of `openssl ocsp` that make it a responder of an authority. */
async function prepare(t: TestContext, index: 0 | 1, { good = [], revoked = [], delegate, options }: ResponderOptions) {
  const directory = await makeDirectory(t);
  const path = (name: string) => join(directory, name);
  const authority = await makeAuthority(index);
  const key = delegate?.privateKey ?? (await keyPairs())[index]!.privateKey;
  const row = (status: string, { serialNumber }: X509Certificate) =>
    `${status}\t491231235959Z\t${status === 'R' ? '250101000000Z' : ''}\t${serialNumber}\tunknown\t/CN=${serialNumber}\n`;
  const rows = [...good.map((one) => row('V', one)), ...revoked.map((one) => row('R', one))];
  await writeFile(path('index'), rows.join(''));
  await writeFile(path('authority'), authority.certificate);
  await writeFile(path('signer'), delegate?.certificate.toString() ?? authority.certificate);
  await writeFile(path('key'), pem(key), { mode: 0o600 });
  const files = ['-index', path('index'), '-CA', path('authority'), '-rsigner', path('signer'), '-rkey', path('key')];
  return { path, args: ['ocsp', ...files, ...(options ?? ['-ndays', '1'])] };
}

/** What it answers to a request, as bytes. */
export async function answerWithOpenssl(
  t: TestContext,
  index: 0 | 1,
  request: Uint8Array,
  options: ResponderOptions,
): Promise<Buffer> {
  const { path, args } = await prepare(t, index, options);
  await writeFile(path('request'), request);
  await run('openssl', [...args, '-reqin', path('request'), '-respout', path('response')]);
  return readFile(path('response'));
}

/** Serves on a port of its own until the test ends; its address. */
export async function startOpensslResponder(t: TestContext, index: 0 | 1, options: ResponderOptions): Promise<string> {
  const { args } = await prepare(t, index, options);
  const child = spawn('openssl', [...args, '-port', '0', '-ignore_err'], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stderr.resume();
  t.after(async () => {
    child.kill();
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
  for await (const line of createInterface(child.stdout)) {
    const port = /^ACCEPT \S*:(\d+)/.exec(line)?.[1];
    if (port !== undefined) return `http://localhost:${port}`;
  }
  throw new Error('openssl ended before it listened');
}
