// Certificates for TLS, as everything outside this folder knows them: what they are made of, and what is fetched alongside.
import { definePlatform, type Fetches } from '../platform.ts';
import { defaults, type MtlsOptions, Options } from './options.ts';
import { listName, readPairs, responseName } from './parts.ts';
import { mtls } from './provider.ts';

/** Where `revocation` is configured: the lists that it names, and what responders say of our own certificates. */
function fetches({ revocation, serverNames = {} }: MtlsOptions): Fetches | undefined {
  if (revocation === undefined) return undefined;
  const { urls = [], ocsp = defaults.ocsp } = revocation;
  const named = new Set(Object.values(serverNames));
  return {
    listUrls: urls,
    queriesResponders: ocsp === 'ask',
    chainsOf: (data) => readPairs(data, named).pairs,
    listName,
    responseName,
  };
}

export const platform = definePlatform({
  id: 'mtls',
  name: 'TLS',
  options: Options,
  create: mtls,
  // Its keys serve TLS, and sign no messages.
  takes: {},
  async draft(files) {
    const parts = [...files.keys()].filter((name) => /^(?:tls\.(?:crt|key)|(?:tls\.)?ca\.crt|ca\.crl)$/.test(name));
    const isPair = parts.includes('tls.key') || parts.includes('tls.crt');
    return isPair ? { options: {}, parts: new Map(parts.map((name) => [name, name])) } : undefined;
  },
  origins: () => [],
  fetches,
  fileNames: [{ pattern: /^tls\.key$/, what: 'for TLS: tls.key', holds: 'key' }],
});
