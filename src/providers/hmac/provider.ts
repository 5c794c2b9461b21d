// Requests between partners that share a secret: HMAC-SHA256 over their parameters, in the scheme that both agreed on.
import type { KeyObject } from 'node:crypto';
import { checkValue } from '../../crypto/check-value.ts';
import { secretKey } from '../../crypto/mac.ts';
import { PaycertError } from '../../errors.ts';
import { shortestMemory } from '../partner/freshness.ts';
import { secretFacts } from '../shared/facts.ts';
import { materialReader, readSecret } from '../shared/material.ts';
import { Nonces } from '../shared/nonces.ts';
import { defaultMaxNonces } from '../shared/options.ts';
import { type KeyFacts, type Provider, type SigningContext, unusable } from '../provider.ts';
import { defaults, type HmacOptions, type Settings } from './options.ts';
import type { Memory } from './parameters.ts';
import { receiving } from './receiving.ts';
import { signing } from './signing.ts';

/** Made once per credential: the nonces seen outlive every load. */
export function hmac(given: HmacOptions): Provider {
  const { keyId, scheme, slash = defaults.slash, maxNonces = defaultMaxNonces } = given;
  const options: Settings = { keyId, scheme, slash, maxNonces };
  const about = { milliseconds: shortestMemory, capacity: maxNonces };
  // Those of our own requests: both sides have the one key, so that a request sent back to us would verify.
  const memory = { partner: new Nonces(about), own: new Nonces({ ...about, whenFull: 'forget' }) };
  return {
    id: 'hmac',
    identity: `hmac/${keyId}`,
    async load(data, _remote, nameSecret = checkValue) {
      const { part, required, problems } = materialReader(data);
      const key = required('key', readKey);
      const previous = part('key.previous', readKey);
      if (problems.length > 0 || key === undefined) return unusable(problems);
      const one = async (secret: KeyObject, role: 'hmac' | 'hmac-previous') => ({
        key: secret,
        facts: await secretFacts(secret, { role, algorithm: 'HMAC-SHA256', keyId }, nameSecret),
      });
      const current = await one(key, 'hmac');
      const before = previous === undefined ? [] : [await one(previous, 'hmac-previous')];
      return createContext([current, ...before], options, memory);
    },
  };
}

function readKey(bytes: Uint8Array, field: string): KeyObject {
  const refuse = (what: string) => new PaycertError('hmac-key-too-short', `${field} ${what}`, { field });
  const key = readSecret(bytes, 'agreed', refuse);
  if (key.byteLength >= 32) return secretKey(key);
  throw new PaycertError('hmac-key-too-short', `${field} is shorter than 32 bytes`, { field });
}

interface Secret {
  readonly key: KeyObject;
  readonly facts: KeyFacts;
}

function createContext(keys: readonly [Secret, ...Secret[]], options: Settings, memory: Memory): SigningContext {
  const [current] = keys;
  return {
    set: {
      keys: keys.map(({ facts }) => facts),
      problems: [],
      capabilities: () => new Set(['sign', 'verify']),
      warnings: () => [],
      signer: { facts: current.facts },
    },
    operations: { ...signing(current.key, options, memory.own), ...receiving(keys, options, memory) },
  };
}
