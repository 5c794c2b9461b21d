// Names to addresses without libuv's thread pool: by the hosts file and search domains, as the system does it, and in no thread.
import { lookup as systemLookup, type LookupAddress, promises } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { readBounded } from './read-bounded.ts';
import { type Lane, namesLane } from './lanes.ts';
import { runForeign } from './threads.ts';

/** What a look-up needs of its surroundings. */
export interface Names {
  /** The text of `/etc/hosts`, and of `/etc/resolv.conf`; empty where there is none. */
  readonly hosts: () => Promise<string>;
  readonly resolverConfig: () => Promise<string>;
  /** The addresses of one whole name; throws as `node:dns` does. */
  readonly query: (name: string) => Promise<readonly LookupAddress[]>;
  /** As the system resolves a name by its other means, such as mDNS. */
  readonly bySystem: (name: string) => Promise<readonly LookupAddress[]>;
}

/** A name server that is silent costs the requests of one name this long, and no thread. */
const queryOptions = { timeout: 1500, tries: 2 };

/** The name server says that there is nothing under that name. Every other code says that it could not be asked. */
const negative: ReadonlySet<unknown> = new Set(['ENOTFOUND', 'ENODATA']);

const isNegative = (error: unknown): boolean => negative.has((error as NodeJS.ErrnoException).code);

/** For the option `lookup` of a connection. Who asks for the same name at the same time waits for the same answer. */
export function createLookup(names: Names = systemNames): LookupFunction {
  const asking = new Map<string, Promise<readonly LookupAddress[]>>();
  const ask = (name: string): Promise<readonly LookupAddress[]> => {
    const started = asking.get(name) ?? resolve(name, names).finally(() => asking.delete(name));
    asking.set(name, started);
    return started;
  };
  return (name, options, callback) => {
    ask(name).then(
      (all) => {
        const wanted = { IPv4: 4, IPv6: 6 }[String(options.family)] ?? options.family;
        const some = wanted === 4 || wanted === 6 ? all.filter(({ family }) => family === wanted) : all;
        const [first] = some;
        if (first === undefined) callback(notFound(name), '', 0);
        else if (options.all === true) callback(null, [...some]);
        else callback(null, first.address, first.family);
      },
      (error: unknown) => callback(error as NodeJS.ErrnoException, '', 0),
    );
  };
}

async function resolve(name: string, names: Names): Promise<readonly LookupAddress[]> {
  const [hosts, config] = await Promise.all([names.hosts(), names.resolverConfig()]);
  const known = addressesIn(hosts, name);
  if (known.length > 0) return known;
  for (const candidate of candidatesOf(name, config)) {
    try {
      return await names.query(candidate);
    } catch (error) {
      if (!isNegative(error)) throw error;
    }
  }
  return names.bySystem(name);
}

const notFound = (name: string): NodeJS.ErrnoException =>
  Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND', hostname: name });

/** hosts(5): an address, then its names; a `#` begins a comment. Case does not matter, nor a dot at the end. */
export function addressesIn(hosts: string, name: string): readonly LookupAddress[] {
  const wanted = bare(name);
  return hosts.split('\n').flatMap((line) => {
    const [address = '', ...aliases] = line.replace(/#.*/, '').trim().split(/\s+/);
    const family = isIP(address);
    return family !== 0 && aliases.some((alias) => bare(alias) === wanted) ? [{ address, family }] : [];
  });
}

const bare = (name: string): string => name.toLowerCase().replace(/\.$/, '');

/** resolv.conf(5): the whole names that a name may stand for, in the order in which they are tried. */
export function candidatesOf(name: string, resolverConfig: string): readonly string[] {
  if (name.endsWith('.')) return [name.slice(0, -1)];
  const lines = resolverConfig.split('\n').map((line) => line.trim().split(/\s+/));
  // The last line of either kind counts.
  const [, ...domains] = lines.findLast(([word]) => word === 'search' || word === 'domain') ?? [];
  const options = lines.filter(([word]) => word === 'options').flat();
  const ndots = Number(options.findLast((option) => /^ndots:\d+$/.test(option))?.slice('ndots:'.length) ?? 1);
  const searched = domains.map((domain) => `${name}.${bare(domain)}`.replace(/\.$/, ''));
  const dots = name.split('.').length - 1;
  return [...new Set(dots >= ndots ? [name, ...searched] : [...searched, name])];
}

const readText = (path: string, lane: Lane) => async (): Promise<string> =>
  readBounded(path, undefined, lane).then(
    ({ bytes }) => bytes.toString(),
    () => '',
  );

const systemNames: Names = {
  hosts: readText('/etc/hosts', namesLane),
  resolverConfig: readText('/etc/resolv.conf', namesLane),
  async query(name) {
    // One for each query: it reads the servers from resolv.conf, which may have changed.
    const resolver = new promises.Resolver(queryOptions);
    const [four, six] = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
    const found = [
      ...(four.status === 'fulfilled' ? four.value.map((address) => ({ address, family: 4 })) : []),
      ...(six.status === 'fulfilled' ? six.value.map((address) => ({ address, family: 6 })) : []),
    ];
    if (found.length > 0) return found;
    const reasons = [four, six].flatMap((one): Error[] => (one.status === 'rejected' ? [one.reason as Error] : []));
    throw reasons.find((reason) => !isNegative(reason)) ?? notFound(name);
  },
  bySystem: (name) =>
    runForeign(
      namesLane,
      () =>
        new Promise((found, reject) => {
          systemLookup(name, { all: true }, (error, addresses) => {
            if (error === null) found(addresses);
            else reject(error);
          });
        }),
    ),
};
