// The proxy on the way out, as the configuration has it: for every call of a platform that this process makes.
import type { WayOutConfig } from '../config/schema/way-out.ts';
import { readProxyUser } from '../config/token.ts';
import type { WayOut } from '../gateway/way-out.ts';

/**
 * Its user is read for each tunnel, since the password may have been replaced; and once now, so that a wrong file ends the start.
 * @throws PaycertError `config-invalid`
 */
export async function wayOutOf(config: WayOutConfig | undefined): Promise<WayOut | undefined> {
  if (config === undefined) return undefined;
  const { proxy, noProxy, userFile } = config;
  const user = userFile === undefined ? undefined : () => readProxyUser(userFile);
  await user?.();
  return { proxy, noProxy, user };
}
