// Resolves what material refers to: every reference becomes a key that signs elsewhere, or the reason why it cannot be used.
import { isKeyReference, type KeyReference, readKeyReference } from '../crypto/key-reference.ts';
import type { PrivateKey, RemoteKeys } from '../crypto/private-key.ts';
import { PaycertError } from '../errors.ts';
import { ofOwnFile } from './own-file.ts';

export interface KeyService<R extends KeyReference = KeyReference> {
  /** @throws PaycertError why there is no such key for us */
  key(reference: R, signal: AbortSignal): Promise<PrivateKey>;
}

/** By the scheme of their references. */
export type Services = {
  readonly [Scheme in KeyReference['service']]?: KeyService<Extract<KeyReference, { readonly service: Scheme }>>;
};

/** Each costs a question: more than any set of keys has, and not as many as a Secret has room for. */
const maxReferences = 32;

export class KeyServices {
  readonly #services: Services;

  constructor(services: Services) {
    this.#services = services;
  }

  /** Never rejects for a reason that has to do with one key: the others are resolved all the same. */
  async resolve(data: ReadonlyMap<string, Uint8Array>, signal: AbortSignal): Promise<RemoteKeys> {
    const references = [...data].filter(([, bytes]) => isKeyReference(bytes));
    const resolved = references.map(async ([name, bytes], index): Promise<[string, PrivateKey | PaycertError]> => {
      try {
        if (index >= maxReferences)
          throw new PaycertError('key-reference-refused', `${name} is one reference too many: there may be ${String(maxReferences)}`, { field: name }); // prettier-ignore
        return [name, await this.#find(readKeyReference(bytes, name), name, signal)];
      } catch (error) {
        if (!(error instanceof PaycertError)) throw error;
        // Under the name of the part, so that it is not missing as well.
        const labelled = error.field === name ? error : new PaycertError(error.code, `${name}: ${error.message}`, { field: name, cause: error }); // prettier-ignore
        return [name, labelled];
      }
    });
    return new Map(await Promise.all(resolved));
  }

  async #find(reference: KeyReference, field: string, signal: AbortSignal): Promise<PrivateKey> {
    const service = this.#services[reference.service] as KeyService | undefined;
    if (service !== undefined)
      return service.key(reference, signal).catch((error: unknown) => {
        throw (error instanceof PaycertError && ofOwnFile(error, reference.service)) || error;
      });
    const message = `${field} names a key of ${reference.service}, and keyServices does not say where that is`;
    throw new PaycertError('key-service-missing', message, { field });
  }
}
