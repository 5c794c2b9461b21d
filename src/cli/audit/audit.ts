// paycert audit: verifies what an audit holds, or shows lines of it.
import { systemClock } from '../../clock.ts';
import { type Invocation, text, texts, usageError } from '../command.ts';

/** @throws PaycertError `usage`, `token-unusable` */
export async function audit({ values, positionals: [action = '', path = ''] }: Invocation): Promise<number> {
  const keyFiles = texts(values, 'key');
  const isJson = values['output'] === 'json';
  const given = (name: string) => text(values, name);
  if (action === 'verify') {
    const { verifyAudit } = await import('./verify.ts');
    return verifyAudit({ path, keyFiles, head: given('head'), isJson });
  }
  if (action !== 'show') throw usageError('expected verify or show, and a directory or file');
  const { showAudit } = await import('./show.ts');
  return showAudit({
    ...{ path, keyFiles, isJson, now: systemClock.now() },
    members: { credential: given('credential'), type: given('type'), request: given('request') },
    ...{ since: given('since'), until: given('until'), find: given('find') },
  });
}
