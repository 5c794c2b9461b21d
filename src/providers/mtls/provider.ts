// mTLS: certificates that are shown in TLS, chosen by server name, and whom each of them trusts. It signs no messages.
import { provesPair } from '../../crypto/signature.ts';
import { PaycertError } from '../../errors.ts';
import type { KeyFacts, Provider, SigningContext } from '../provider.ts';
import { makeIdentity, type TlsVersion } from '../tls-identity.ts';
import { certificateFacts, isAlive } from '../wechatpay/platform-keys.ts';
import { keyName, type Pair, readPairs } from './parts.ts';
import { judge } from './rules.ts';
import { chooseByName, type ServerNames } from './server-names.ts';

export interface MtlsOptions {
  readonly serverNames: ServerNames;
  readonly minVersion: TlsVersion;
}

export function mtls(options: MtlsOptions): Provider {
  const named = new Set(Object.values(options.serverNames));
  return {
    id: 'mtls',
    identity: 'mtls',
    async load(data) {
      const { pairs, problems } = readPairs(data, named);
      const [first, ...rest] = pairs;
      const all = [...problems, ...pairs.flatMap(judge)];
      if (all.length === 0) all.push(...(await Promise.all(pairs.map(proofProblems))).flat());
      if (first === undefined || all.length > 0)
        return { keys: [], problems: all, capabilities: () => new Set(), warnings: () => [] };
      return createContext([first, ...rest], options);
    },
  };
}

/** A damaged private key parses, has the right public half, and fails in the first handshake. */
async function proofProblems({ name, privateKey, certificates: [leaf] }: Pair): Promise<readonly PaycertError[]> {
  const field = keyName(name);
  return (await provesPair(privateKey, leaf.publicKey))
    ? []
    : [new PaycertError('self-test-failed', `${field} cannot sign what its certificate verifies`, { field })];
}

function createContext(pairs: readonly [Pair, ...Pair[]], options: MtlsOptions): SigningContext {
  const [first] = pairs;
  const shown = pairs.flatMap(({ certificates: [leaf, ...chain] }) => [
    certificateFacts(leaf, 'tls'),
    ...chain.map((certificate) => certificateFacts(certificate, 'tls-intermediate')),
  ]);
  const trusted = pairs.flatMap(({ authorities }) =>
    authorities.map((certificate) => certificateFacts(certificate, 'tls-authority')),
  );
  const { minVersion, serverNames } = options;
  return {
    keys: unique([...shown, ...trusted]),
    problems: [],
    signer: { facts: certificateFacts(first.certificates[0], 'tls') },
    // Its keys sign handshakes and nothing else; with one certificate that has expired, some of them fail.
    capabilities: (now) => new Set(shown.every((facts) => isAlive(facts, now)) ? ['sign'] : []),
    warnings: (now) => unique(trusted).flatMap((facts) => (isAlive(facts, now) ? [] : [authorityExpired(facts)])),
    tls: chooseByName(
      pairs.map((pair) => makeIdentity({ ...pair, minVersion })),
      serverNames,
    ),
  };
}

const unique = (keys: readonly KeyFacts[]): readonly KeyFacts[] => [
  ...new Map(keys.map((facts) => [`${facts.role} ${facts.fingerprint}`, facts])).values(),
];

const authorityExpired = ({ keyId }: KeyFacts) =>
  new PaycertError('tls-authority-expired', `the authority ${keyId} has expired`, { field: 'ca.crt' });
