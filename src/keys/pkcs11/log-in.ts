// Logs in to a token with the PIN of a file. A PIN that the token refused is never sent again: so many wrong ones lock a token, for everybody.
import { createHmac } from 'node:crypto';
import { PaycertError } from '../../errors.ts';
import { readWord } from '../../origins/settings.ts';
import { FaultError, returnValueOf } from './fault-error.ts';
import type { Handle, Module, TokenInfo } from './module.ts';

export interface PinOptions {
  readonly label: string;
  readonly pinFile: string;
  readonly salt: string;
  /** Those that a token refused, by its label, under the salt. */
  readonly refusedPins: Map<string, string>;
}

/** @throws FaultError of kind `pin`, or what the module throws */
export async function logIn(module: Module, session: Handle, info: TokenInfo, options: PinOptions): Promise<void> {
  const { constants, pkcs11 } = module;
  const has = (flag: number) => (info.flags & flag) !== 0;
  if (!has(constants.CKF_LOGIN_REQUIRED)) return;
  const { label, pinFile, refusedPins } = options;
  const fail = (what: string, fingerprint?: string): never => {
    const refusedPin = fingerprint === undefined ? undefined : { token: label, fingerprint };
    throw new FaultError('pin', `the token ${label} ${what}`, refusedPin);
  };
  if (has(constants.CKF_USER_PIN_LOCKED)) fail('is locked: its owner must set another PIN');
  // The one that is left is for a person: after it nobody gets in.
  if (has(constants.CKF_USER_PIN_FINAL_TRY))
    fail('has one try left, which is not used here: log in to it once with the right PIN');
  const pin = await readPin(pinFile);
  const fingerprint = createHmac('sha256', Buffer.from(options.salt, 'hex')).update(`${label}\n${pin}`).digest('hex');
  if (refusedPins.get(label) === fingerprint)
    fail(`refused the PIN in ${pinFile}, and it has not changed since: it is not tried again`, fingerprint);
  try {
    pkcs11.C_Login(session, constants.CKU_USER, pin);
  } catch (error) {
    const value = returnValueOf(error);
    // By another session of this process.
    if (value === 'CKR_USER_ALREADY_LOGGED_IN') return;
    if (value === undefined || !refusals.has(value)) throw error;
    refusedPins.set(label, fingerprint);
    fail(`does not take the PIN in ${pinFile}: the module says ${value}`, fingerprint);
  }
  refusedPins.delete(label);
}

const refusals: ReadonlySet<string> = new Set([
  'CKR_PIN_EXPIRED',
  'CKR_PIN_INCORRECT',
  'CKR_PIN_INVALID',
  'CKR_PIN_LEN_RANGE',
  'CKR_PIN_LOCKED',
  'CKR_USER_PIN_NOT_INITIALIZED',
]);

async function readPin(pinFile: string): Promise<string> {
  try {
    // None is sent where the file is empty: it would cost one of the few tries.
    return await readWord('pinFile', pinFile, 'PIN');
  } catch (error) {
    if (error instanceof PaycertError) throw new FaultError('pin', error.message);
    throw error;
  }
}
