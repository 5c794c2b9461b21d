// A PKCS#11 module, loaded: its tokens by label. Loads pkcs11js, in a process of its own alone: what a module does there hangs or ends nothing else.
import type * as pkcs11js from 'pkcs11js';
import { PaycertError } from '../../errors.ts';
import { loadOptional } from '../../optional-package.ts';
import { FaultError, faultOf, returnValueOf } from './fault-error.ts';

export type Constants = typeof pkcs11js;
export type Handle = Buffer;
export type TokenInfo = pkcs11js.TokenInfo;

export interface Module {
  readonly pkcs11: pkcs11js.PKCS11;
  readonly constants: Constants;
}

/** @throws FaultError of kind `package` or `module`, or what the module says when it begins */
export async function loadModule(path: string): Promise<Module> {
  const constants = await loadPackage();
  const pkcs11 = new constants.PKCS11();
  try {
    pkcs11.load(path);
  } catch (error) {
    // The loader's own words are about files of this machine: which one is missing cannot be found out without them.
    const said = error instanceof Error ? error.message.replaceAll(/[^ -~]/g, ' ').slice(0, 300) : 'nothing';
    // Mostly they begin with the path; those about what a module is linked to do not.
    throw new FaultError('module', `keyServices.pkcs11.module: ${said.startsWith(path) ? said : `${path}: ${said}`}`);
  }
  try {
    // Without it, parallel sessions wait for each other for ever.
    pkcs11.C_Initialize({ flags: constants.CKF_OS_LOCKING_OK });
  } catch (error) {
    throw faultOf(error, `load ${path}`);
  }
  return { pkcs11, constants };
}

async function loadPackage(): Promise<Constants> {
  try {
    const { default: constants } = await loadOptional('pkcs11js', 'keyServices.pkcs11', () => import('pkcs11js'));
    return constants;
  } catch (error) {
    if (error instanceof PaycertError) throw new FaultError('package', error.message);
    throw new FaultError(
      'package',
      'pkcs11js is installed and cannot be loaded: npm rebuild pkcs11js, with a compiler',
    );
  }
}

/** The slot of the only token with that label. @throws FaultError of kind `lost` or `refused` */
export function findToken({ pkcs11 }: Module, label: string): { readonly slot: Handle; readonly info: TokenInfo } {
  const found = pkcs11.C_GetSlotList(true).flatMap((slot) => {
    try {
      const info = pkcs11.C_GetTokenInfo(slot);
      // Padded with blanks to 32 bytes.
      return info.label.trimEnd() === label ? [{ slot, info }] : [];
    } catch (error) {
      // It was pulled out meanwhile.
      if (returnValueOf(error) === undefined) throw error;
      return [];
    }
  });
  const [first, second] = found;
  if (first === undefined) throw new FaultError('lost', `no token that is present has the label ${label}`);
  if (second !== undefined) throw new FaultError('refused', `several tokens have the label ${label}`);
  return first;
}
