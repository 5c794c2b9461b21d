// A throw-away identity and turns that are counted: each of its signatures is one of them.
import { identityOf, publicFilesOf } from '../../src/server/proxy/identity.ts';
import type { LocalSigning } from '../../src/server/proxy/resign.ts';
import { Limiter } from '../../src/store/limiter.ts';
import { generateKeyPair } from '../../src/testing/key-pair.ts';

class CountedTurns extends Limiter {
  count = 0;

  override run<T>(...given: Parameters<typeof Limiter.prototype.run<T>>): Promise<T> {
    this.count += 1;
    return super.run(...given);
  }
}

export interface CountedIdentity {
  readonly local: LocalSigning;
  /** What an SDK is given, by the name of the file. */
  readonly given: Readonly<Record<string, string>>;
  /** How often its private key has signed. */
  signatures(): number;
}

export async function makeLocalIdentity(): Promise<CountedIdentity> {
  const [{ privateKey }, limiter] = [await generateKeyPair(), new CountedTurns(64)];
  const identity = identityOf(privateKey);
  return {
    local: { identity, limiter },
    given: Object.fromEntries(publicFilesOf(identity)),
    signatures: () => limiter.count,
  };
}
