// Loads a package that users install only if they need what it does, and says which one where it is missing.
import { PaycertError } from './errors.ts';

/** `names`: what to install, as `npm install` takes it. @throws PaycertError `package-missing` */
export async function loadOptional<T>(names: string, purpose: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    // Only what is named: a package that is there and lacks one of its own is broken, not missing.
    const missing = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
    if (!missing || !names.split(' ').some((name) => error.message.includes(`'${name}'`))) throw error;
    throw new PaycertError('package-missing', `${purpose} needs what is not installed: npm install ${names}`);
  }
}
