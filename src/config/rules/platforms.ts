// The platforms that an entry names, as far as it is in order.
import type { Platform } from '../../providers/platform.ts';
import { platforms } from '../../providers/registry.ts';
import type { CredentialConfig } from '../schema/credential.ts';
import type { Sound } from '../sound.ts';

export type Providers = Sound<CredentialConfig['provider']>;

/** One, unless there are too many. */
export const platformsOf = (
  provider: Providers = {},
): readonly { platform: Platform; options: Record<string, unknown> }[] =>
  Object.entries<Platform>(platforms).flatMap(([id, platform]) => {
    const options = (provider as Readonly<Record<string, Record<string, unknown> | undefined>>)[id];
    return options === undefined ? [] : [{ platform, options }];
  });
