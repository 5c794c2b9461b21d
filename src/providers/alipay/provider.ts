// Alipay, the v2 gateway and the v3 REST interface: names of material → parts → rules → the operations they allow.
import { certificateFacts } from '../shared/facts.ts';
import type { Provider, SigningContext } from '../provider.ts';
import { createContext } from './context.ts';
import type { AlipayOptions } from './options.ts';
import { type Parts, readParts } from './parts.ts';
import { judge, ownCertificate } from './rules.ts';
import { serialOf } from './serials.ts';

export function alipay(options: AlipayOptions): Provider {
  const { gateway = 'production' } = options;
  return {
    id: 'alipay',
    identity: `alipay/${gateway}/${options.appId}`,
    async load(data) {
      const { parts, problems } = readParts(data);
      const unreadable = problems.map(({ field = '' }) => field.split('.')[0]);
      // What is there and cannot be read is not missing as well.
      const isNew = ({ code, field = '' }: (typeof problems)[number]) =>
        code !== 'material-missing' || !unreadable.some((name) => name?.startsWith(field.split('.')[0] ?? ''));
      const violations = [...problems, ...judge(parts, options).filter(isNew)];
      const [key] = parts.privateKeys;
      if (violations.length > 0 || key === undefined) return unfit(violations, parts, options);
      return createContext(parts, key[1], options);
    },
  };
}

/** A context that can do nothing, and says why. Its certificate's dates are judged all the same: people want all that is wrong. */
function unfit(problems: SigningContext['problems'], parts: Parts, { mode }: AlipayOptions): SigningContext {
  const own = mode === 'certificate' ? ownCertificate(parts)?.leaf : undefined;
  return {
    keys: [],
    problems,
    capabilities: () => new Set(),
    warnings: () => [],
    ...(own && { signer: { facts: certificateFacts(own, 'merchant', serialOf(own)), publicKey: own.publicKey } }),
  };
}
