// paycert proxy identity: makes the throw-away identity by which an SDK verifies what the proxy has verified, and its public half.
import { generateKeyPair } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { identityOf, identityText, publicFilesOf } from '../server/proxy/identity.ts';
import { type Invocation, usageError } from './command.ts';
import { print } from './table.ts';

/** @throws PaycertError `usage` if the directory holds anything: an identity that is in use is not replaced by accident */
export async function proxy({ positionals: [what = '', directory = ''] }: Invocation): Promise<number> {
  if (what !== 'identity') throw usageError('expected identity DIR');
  await mkdir(directory, { recursive: true });
  if ((await readdir(directory)).length > 0) throw usageError(`${directory} is not empty: name a new directory`);
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  const identity = identityOf(privateKey);
  const exclusive = { flag: 'wx' } as const;
  await writeFile(join(directory, 'identity'), identityText(identity), { ...exclusive, mode: 0o600 });
  const files = publicFilesOf(identity);
  for (const [name, text] of files) await writeFile(join(directory, name), `${text.trimEnd()}\n`, exclusive);
  print(`${join(directory, 'identity')} is for the proxy alone:

proxy:
  resign: local
  identityFile: ${join(directory, 'identity')}

SDKs are given ${[...files.keys()].join(', ')}. No platform trusts any of it.`);
  return 0;
}
