// A provider whose material is a JSON description of the context it makes: no keys, no time spent.
import { generateKeyPairSync } from 'node:crypto';
import { atOnce } from '../../src/crypto/private-key.ts';
import { rsaPkcs1 } from '../../src/crypto/suites.ts';
import { type ErrorCode, PaycertError } from '../../src/errors.ts';
import type { Capability, Claim, KeyFacts, Opener, Provider, SigningContext } from '../../src/providers/provider.ts';
import { confirm, open } from '../../src/providers/shared/tries.ts';

export interface Description {
  readonly keyId: string;
  readonly notBefore?: string;
  readonly notAfter?: string;
  /** Key ids of the platform, and until when each is valid. */
  readonly platform?: Readonly<Record<string, string>>;
  readonly problem?: ErrorCode;
  /** A bug in the parser. */
  readonly crash?: boolean;
  /** A bug that shows later, when warnings are asked for. */
  readonly crashOnWarnings?: boolean;
  readonly breaksSelfTest?: boolean;
}

const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 512 });

export function describeMaterial(description: Description): Map<string, Uint8Array> {
  return new Map([['context', Buffer.from(JSON.stringify(description))]]);
}

export const facts = (role: KeyFacts['role'], keyId: string, notBefore?: string, notAfter?: string): KeyFacts => ({
  role,
  keyId,
  algorithm: 'RSA-2048',
  fingerprint: `fingerprint of ${keyId}`,
  ...(notBefore !== undefined && { notBefore: new Date(notBefore) }),
  ...(notAfter !== undefined && { notAfter: new Date(notAfter) }),
});

const refuse = (code: ErrorCode): never => {
  throw new PaycertError(code, code);
};

/** Verifies a message for any platform key id that is valid; decrypts what begins with its own key id. */
export function fakeContext(description: Description): SigningContext {
  const { keyId, notBefore, notAfter, platform = {} } = description;
  const signer = facts('merchant', keyId, notBefore, notAfter);
  const alive = (now: Date) => Object.entries(platform).filter(([, until]) => now < new Date(until));
  const isPlatform = (id: string, now: Date): boolean => alive(now).some(([one]) => one === id);
  const verifiers = Object.keys(platform).map((id) => ({
    facts: facts('platform', id, undefined, platform[id]),
    id,
    confirm: ({ signature }: Claim) => (signature === 'forged' ? undefined : 0),
  }));
  const opener: Opener = {
    facts: signer,
    id: keyId,
    takes: () => true,
    open: async ({ ciphertext }) =>
      ciphertext.startsWith(`${keyId}:`) ? Buffer.from(ciphertext.slice(keyId.length + 1)) : undefined,
  };
  return {
    set: {
      keys: [signer, ...Object.entries(platform).map(([id, until]) => facts('platform', id, undefined, until))],
      problems: description.problem === undefined ? [] : [new PaycertError(description.problem, description.problem)],
      capabilities(now) {
        const able = new Set<Capability>();
        if (signer.notAfter === undefined || now < signer.notAfter) able.add('sign');
        if (alive(now).length > 0) able.add('verify');
        return able;
      },
      warnings() {
        if (description.crashOnWarnings === true) throw new TypeError('a bug in warnings');
        return [];
      },
      signer: { facts: signer, publicKey, suite: rsaPkcs1 },
    },
    operations: {
      // Present only to fail: what the fake signs never verifies.
      ...(description.breaksSelfTest === true && { sign: async () => ({ signature: Buffer.alloc(64), keyId }) }),
      verifiers,
      async verify(received, now, earlier) {
        const wanted = received.kind === 'message' ? received.keyId : '';
        const claim = { messages: [], signature: received.kind === 'message' ? received.signature : '' };
        const isNamed = ({ keyId: id }: KeyFacts) => id === wanted;
        return { keyId: confirm(verifiers, claim, { now, earlier, owner: 'nobody', isNamed }).keyId };
      },
      async encrypt(plaintext, now, wanted = '') {
        if (!isPlatform(wanted, now)) refuse('key-unknown');
        return { ciphertext: plaintext, keyId: wanted };
      },
      openers: [opener],
      decrypt: (input, turn = atOnce, earlier) =>
        open([opener], input, { earlier, turn, absent: () => new PaycertError('no-apiv3-key', 'none') }),
    },
  };
}

export const fakeProvider: Provider = {
  id: 'fake',
  identity: 'fake',
  async load(data) {
    const description = JSON.parse(Buffer.from(data.get('context') ?? '{"keyId":""}').toString()) as Description;
    if (description.crash === true) throw new TypeError('a bug in the parser');
    return fakeContext(description);
  },
};
