// mTLS: certificates that are presented in TLS, chosen by server name, and whom each of them trusts. It signs no messages.
import { provesPair } from '../../crypto/private-key.ts';
import { PaycertError, violation } from '../../errors.ts';
import { certificateFacts, isAlive } from '../shared/facts.ts';
import { type KeyFacts, type KeySet, type Provider, type SigningContext, unusable } from '../provider.ts';
import { evaluateOwn, listProblems } from '../shared/revocation-status.ts';
import { makeIdentity, makeRules, type RevocationRules } from '../shared/tls-identity.ts';
import { defaults, type MtlsOptions } from './options.ts';
import { keyName, type Pair, readPairs } from './parts.ts';
import { evaluate, warningsOf } from './rules.ts';
import { chooseByName } from './server-names.ts';

export function mtls(options: MtlsOptions): Provider {
  const named = new Set(Object.values(options.serverNames ?? {}));
  return {
    id: 'mtls',
    identity: 'mtls',
    async load(data) {
      const { pairs, lists, answers, trust, problems } = readPairs(data, named);
      const [first, ...rest] = pairs;
      const all = [...problems, ...pairs.flatMap(evaluate)];
      if (all.length === 0) all.push(...(await Promise.all(pairs.map(proofProblems))).flat());
      if (all.length === 0) all.push(...(await listProblems(lists, authoritiesOf(pairs))));
      if (first === undefined || all.length > 0) return unusable(all);
      return createContext([first, ...rest], { lists, answers, trust }, options);
    },
  };
}

const authoritiesOf = (pairs: readonly Pair[]) => [
  ...new Set(pairs.flatMap(({ certificates, authorities }) => [...certificates, ...authorities])),
];

/** A damaged private key parses, has the right public half, and fails in the first handshake. */
async function proofProblems({ name, privateKey, certificates: [leaf] }: Pair): Promise<readonly PaycertError[]> {
  const field = keyName(name);
  return (await provesPair(privateKey, leaf.publicKey))
    ? []
    : [new PaycertError('self-test-failed', `${field} cannot sign what its certificate verifies`, { field })];
}

async function createContext(
  pairs: readonly [Pair, ...Pair[]],
  { trust, ...known }: Pick<RevocationRules, 'lists' | 'answers'> & Required<Pick<KeySet, 'trust'>>,
  options: MtlsOptions,
): Promise<SigningContext> {
  const [first] = pairs;
  const shown = pairs.flatMap(({ certificates: [leaf, ...chain] }) => [
    certificateFacts(leaf, 'tls'),
    ...chain.map((certificate) => certificateFacts(certificate, 'tls-intermediate')),
  ]);
  const trusted = pairs.flatMap(({ authorities }) =>
    authorities.map((certificate) => certificateFacts(certificate, 'tls-authority')),
  );
  const { minVersion = defaults.minVersion, serverNames = {} } = options;
  const { whenUnknown = defaults.whenUnknown, ocsp = defaults.ocsp } = options.revocation ?? {};
  const isAsked = options.revocation !== undefined && ocsp === 'ask';
  const revocation = await makeRules({ ...known, isHard: whenUnknown === 'reject', isAsked });
  const all = pairs.map((pair) => makeIdentity({ ...pair, minVersion, revocation }));
  const isLookedAt = options.revocation !== undefined || known.lists.length > 0;
  const revoked = isLookedAt ? await evaluateOwn(all) : () => [];
  const isViolation = ({ code }: PaycertError) => revocation.isHard || code === 'certificate-revoked';
  return {
    set: {
      keys: unique([...shown, ...trusted]),
      problems: [],
      trust,
      signer: { facts: certificateFacts(first.certificates[0], 'tls') },
      // Its keys sign handshakes and nothing else; with one certificate that has expired, some of them fail.
      capabilities: (now) => new Set(shown.every((facts) => isAlive(facts, now)) ? ['sign'] : []),
      violations: (now) => revoked(now).filter(isViolation),
      warnings: (now) => [
        ...pairs.flatMap(warningsOf),
        ...unique(trusted).flatMap((facts) => (isAlive(facts, now) ? [] : [authorityExpired(facts)])),
        ...trust.empty.flatMap((name) => violation('trust-empty', name, 'is empty, and says nothing of whom to trust')),
        // Material that was valid at load stays in use, and is reported.
        ...revoked(now),
      ],
    },
    operations: {},
    tls: chooseByName(all, serverNames),
  };
}

const unique = (keys: readonly KeyFacts[]): readonly KeyFacts[] => [
  ...new Map(keys.map((facts) => [`${facts.role} ${facts.fingerprint}`, facts])).values(),
];

const authorityExpired = ({ keyId }: KeyFacts) =>
  new PaycertError('tls-authority-expired', `the authority ${keyId} has expired`, { field: 'ca.crt' });
