// paycert demo --out: made-up material in a directory, for a first trial on a cluster without a merchant account.
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../clock.ts';
import { createWechatpayMaterial } from '../../testing/index.ts';
import { usageError } from '../command.ts';
import { print } from '../table.ts';

const merchantId = '1900000001';

/**
 * Writes a merchant's files, each readable by its owner alone, and prints what to do with them.
 * @throws PaycertError `usage` if the directory holds anything: it could be real material
 */
export async function writeDemoMaterial(directory: string): Promise<number> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if ((await readdir(directory)).length > 0) throw usageError(`${directory} is not empty: name a new directory`);
  const { files } = await createWechatpayMaterial({ merchantId, now: systemClock.now() });
  for (const [name, bytes] of files) {
    const path = join(directory, name);
    await writeFile(path, bytes);
    await chmod(path, 0o600);
  }
  print(`Made-up material of merchant ${merchantId} is in ${directory}. No platform accepts it.

kubectl create secret generic wechat-main \\
  --from-file=${directory}`);
  return 0;
}
