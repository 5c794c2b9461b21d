// Alipay, the v2 gateway and the v3 REST interface: names of material → parts → rules → the operations they allow.
import { checkValue } from '../../crypto/check-value.ts';
import { certificateFacts } from '../shared/facts.ts';
import { type KeySet, type Provider, unusable } from '../provider.ts';
import { createContext } from './context.ts';
import { type AlipayOptions, defaults, type Settings } from './options.ts';
import { type Parts, readParts, unreadIn } from './parts.ts';
import { evaluate, ownCertificate } from './rules.ts';
import { serialOf } from './serials.ts';

export function alipay({ appId, mode, gateway = defaults.gateway }: AlipayOptions): Provider {
  const options: Settings = { appId, mode, gateway };
  return {
    id: 'alipay',
    identity: `alipay/${gateway}/${appId}`,
    async load(data, remote, nameSecret = checkValue) {
      const { parts, problems } = readParts(data, mode, remote);
      const unreadable = problems.map(({ field = '' }) => field.split('.')[0]);
      // What is there and cannot be read is not missing as well.
      const isNew = ({ code, field = '' }: (typeof problems)[number]) =>
        code !== 'material-missing' || !unreadable.some((name) => name?.startsWith(field.split('.')[0] ?? ''));
      const violations = [...problems, ...evaluate(parts, options, unreadIn(data, mode)).filter(isNew)];
      const [key] = parts.privateKeys;
      if (violations.length > 0 || key === undefined) return unusable(violations, signerOf(parts, options));
      return createContext(parts, key[1], options, { unread: unreadIn(data, mode), nameSecret });
    },
  };
}

/** Its certificate's dates are checked also where something else is wrong: all faults are reported at once. */
function signerOf(parts: Parts, { mode }: Settings): KeySet['signer'] {
  const own = mode === 'certificate' ? ownCertificate(parts)?.leaf : undefined;
  return own && { facts: certificateFacts(own, 'merchant', serialOf(own)), publicKey: own.publicKey };
}
