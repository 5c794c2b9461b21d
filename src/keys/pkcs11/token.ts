// One token: a log-in, a session for each signature in flight, and both again where the token or its sessions have gone.
import type { Unopened } from '../open-elsewhere.ts';
import { faultOf, returnValueOf } from './fault-error.ts';
import { logIn, type PinOptions } from './log-in.ts';
import { findToken, type Handle, type Module } from './module.ts';
import { findKey, type TokenKey } from './token-keys.ts';
import type { Place, Use } from './words.ts';

interface Opened {
  readonly slot: Handle;
  /** Keeps the log-in, which ends with the last session; keys are looked for with it. */
  readonly session: Handle;
  readonly free: Handle[];
  readonly keys: Map<string, TokenKey>;
  /** Another log-in has taken its place. */
  isOver: boolean;
}

/** No RSA signature and no plaintext is longer: 8192 bits. */
const maxOutputBytes = 1024;

export class Token {
  readonly #module: Module;
  readonly #pin: PinOptions;
  #opened: Promise<Opened> | undefined;

  constructor(module: Module, pin: PinOptions) {
    this.#module = module;
    this.#pin = pin;
  }

  /** @throws FaultError */
  key(place: Place, what: string): Promise<TokenKey> {
    return this.#again(what, async (opened) => {
      // Looked for each time: material that is new must not meet what was there before.
      opened.keys.delete(JSON.stringify(place));
      return this.#keyIn(opened, place, what);
    });
  }

  /** @throws FaultError */
  use({ place, how, input }: Use, what: string): Promise<Unopened | { readonly output: string }> {
    return this.#again(what, async (opened) => {
      const { handle } = this.#keyIn(opened, place, what);
      const session = opened.free.pop() ?? this.#openSession(opened.slot);
      try {
        const output = await this.#run(session, handle, how, Buffer.from(input, 'base64'));
        if (opened.isOver) this.#closeSession(session);
        else opened.free.push(session);
        return { output: output.toString('base64') };
      } catch (error) {
        // It may have an operation under way for ever.
        this.#closeSession(session);
        const unopened = how === 'oaep' ? unopenedBy(error) : undefined;
        if (unopened === undefined) throw error;
        return { unopened };
      }
    });
  }

  /** Once more after another log-in, where what we had of the token has gone. */
  async #again<T>(what: string, work: (opened: Opened) => Promise<T>): Promise<T> {
    for (let isSecond = false; ; isSecond = true) {
      const opening = (this.#opened ??= this.#open());
      try {
        return await work(await opening);
      } catch (error) {
        const fault = faultOf(error, what);
        const isLost = fault.fault.kind === 'lost';
        // A log-in that failed is tried by the next one who asks.
        const isOpen = await opening.then(() => true, () => false); // prettier-ignore
        if ((isLost || !isOpen) && this.#opened === opening) {
          this.#opened = undefined;
          if (isOpen) this.#leave(await opening);
        }
        if (!isLost || !isOpen || isSecond) throw fault;
      }
    }
  }

  async #open(): Promise<Opened> {
    const { slot, info } = findToken(this.#module, this.#pin.label);
    const session = this.#openSession(slot);
    try {
      await logIn(this.#module, session, info, this.#pin);
    } catch (error) {
      this.#closeSession(session);
      throw error;
    }
    return { slot, session, free: [], keys: new Map(), isOver: false };
  }

  /** Those in flight are closed when they come back. */
  #leave(opened: Opened): void {
    opened.isOver = true;
    for (const session of [...opened.free.splice(0), opened.session]) this.#closeSession(session);
  }

  #keyIn({ session, keys }: Opened, place: Place, what: string): TokenKey {
    const name = JSON.stringify(place);
    const key = keys.get(name) ?? findKey(this.#module, session, place, what);
    keys.set(name, key);
    return key;
  }

  #run(session: Handle, key: Handle, how: Use['how'], input: Buffer): Promise<Buffer> {
    const { pkcs11, constants: c } = this.#module;
    const output = Buffer.alloc(maxOutputBytes);
    if (how === 'oaep') {
      const parameter = { type: c.CK_PARAMS_RSA_OAEP, hashAlg: c.CKM_SHA_1, mgf: c.CKG_MGF1_SHA1, source: 1 };
      pkcs11.C_DecryptInit(session, { mechanism: c.CKM_RSA_PKCS_OAEP, parameter }, key);
      return pkcs11.C_DecryptAsync(session, input, output);
    }
    const pss = { type: c.CK_PARAMS_RSA_PSS, hashAlg: c.CKM_SHA256, mgf: c.CKG_MGF1_SHA256, saltLen: 32 };
    const mechanism = how === 'pss' ? { mechanism: c.CKM_RSA_PKCS_PSS, parameter: pss } : { mechanism: c.CKM_RSA_PKCS };
    pkcs11.C_SignInit(session, mechanism, key);
    return pkcs11.C_SignAsync(session, input, output);
  }

  #openSession(slot: Handle): Handle {
    const { pkcs11, constants } = this.#module;
    return pkcs11.C_OpenSession(slot, constants.CKF_SERIAL_SESSION);
  }

  #closeSession(session: Handle): void {
    try {
      this.#module.pkcs11.C_CloseSession(session);
    } catch (error) {
      // It has gone already.
      if (returnValueOf(error) === undefined) throw error;
    }
  }
}

const notOpened: ReadonlySet<string> = new Set([
  'CKR_DATA_INVALID',
  'CKR_DATA_LEN_RANGE',
  'CKR_ENCRYPTED_DATA_INVALID',
  'CKR_ENCRYPTED_DATA_LEN_RANGE',
]);

/** A ciphertext that was not made for this key, for which some modules have no better word than the one for all failures. */
function unopenedBy(error: unknown): Unopened['unopened'] | undefined {
  const value = returnValueOf(error) ?? '';
  if (notOpened.has(value)) return 'certainly';
  return value === 'CKR_GENERAL_ERROR' || value === 'CKR_FUNCTION_FAILED' ? 'perhaps' : undefined;
}
