// What the platforms whose files a directory holds would say of them together: the same rules as `validate`, on the same bytes.
import { buildProvider } from '../../running/build.ts';
import { PaycertError } from '../../errors.ts';
import type { Platform, Told } from '../../providers/platform.ts';
import { platforms } from '../../providers/registry.ts';
import { findViolations } from '../../store/checks.ts';

type Files = ReadonlyMap<string, Uint8Array>;

/**
 * The violations of what is there. A missing part is not one here: a directory may hold a part, and `inspect` says what it
 * is. Neither is what depends on a configuration, since there is none: the certificates say whose they are.
 */
export async function evaluateTogether(files: Files, told: Told, now: Date): Promise<readonly PaycertError[]> {
  const all: readonly Platform[] = Object.values(platforms);
  return (await Promise.all(all.map((platform) => evaluateAs(platform, files, told, now)))).flat();
}

async function evaluateAs(platform: Platform, files: Files, told: Told, now: Date): Promise<readonly PaycertError[]> {
  const options = await optionsFor(platform, files, told);
  if (options === undefined) return [];
  const context = await buildProvider({ [platform.id]: options }).load(files);
  const violations = await findViolations({ context, current: undefined, older: 'accept' }, now);
  return violations.filter(({ code }) => code !== 'material-missing');
}

/** Undefined where nothing says that the platform is meant, or which of several accounts. */
async function optionsFor(platform: Platform, files: Files, told: Told) {
  try {
    const drafted = await platform.draft?.(files, told);
    if (drafted !== undefined) return drafted.options;
  } catch (error) {
    if (error instanceof PaycertError && error.code === 'usage') return undefined;
    throw error;
  }
  const isThere = [...files.keys()].some((name) => platform.fileNames.some(({ pattern }) => pattern.test(name)));
  return isThere ? platform.neutral : undefined;
}
