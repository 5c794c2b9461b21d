// Names are resolved as the system does it: the hosts file first, search domains in their order, the system's other means last.
import assert from 'node:assert/strict';
import { lookup as systemLookup } from 'node:dns/promises';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { request } from 'node:http';
import type { AddressInfo, LookupFunction } from 'node:net';
import { describe, it } from 'node:test';
import { addressesIn, candidatesOf, createLookup, type Names } from '../../src/system/lookup.ts';

const failing = (code: string) => Object.assign(new Error(code), { code });

/** Names that are found where the test says; everything else does not exist. */
function stage({ hosts = '', config = '', found = {}, other = {} }: Stage = {}) {
  const asked: string[] = [];
  const names: Names = {
    hosts: () => Promise.resolve(hosts),
    resolverConfig: () => Promise.resolve(config),
    async query(name) {
      asked.push(name);
      const address = found[name];
      if (address === undefined || address instanceof Error) throw address ?? failing('ENOTFOUND');
      return Promise.resolve([{ address, family: 4 }]);
    },
    async bySystem(name) {
      asked.push(`system ${name}`);
      const address = other[name];
      if (address === undefined) throw failing('ENOTFOUND');
      return Promise.resolve([{ address, family: 4 }]);
    },
  };
  return { asked, lookup: createLookup(names) };
}

interface Stage {
  readonly hosts?: string;
  readonly config?: string;
  readonly found?: Readonly<Record<string, string | Error>>;
  readonly other?: Readonly<Record<string, string>>;
}

const resolve = (lookup: LookupFunction, name: string, family: 0 | 4 | 6 = 0): Promise<unknown> =>
  new Promise((resolved) => {
    lookup(name, { family, all: true }, (error, addresses) => resolved(error === null ? addresses : error.code));
  });

const four = (address: string) => [{ address, family: 4 }];

describe('a hosts file', () => {
  const hosts =
    '127.0.0.1\tlocalhost\n# 10.0.0.1 gone\n10.0.0.2 Crl.Example.com crl # 10.0.0.3 no\n::1 localhost\nx y\n';

  it('names addresses by any of their names, whatever the case, comments left out', () => {
    assert.deepEqual(addressesIn(hosts, 'CRL'), four('10.0.0.2'));
    assert.deepEqual(addressesIn(hosts, 'crl.example.com.'), four('10.0.0.2'));
    assert.deepEqual(addressesIn(hosts, 'localhost'), [...four('127.0.0.1'), { address: '::1', family: 6 }]);
    for (const name of ['gone', 'no', 'y', '127.0.0.1', '']) assert.deepEqual(addressesIn(hosts, name), [], name);
  });

  it('comes first: no server is asked', async () => {
    const { lookup, asked } = stage({ hosts, found: { crl: '1.2.3.4' } });
    assert.deepEqual(await resolve(lookup, 'crl'), four('10.0.0.2'));
    assert.deepEqual(asked, []);
  });
});

describe('search domains', () => {
  const pod = 'nameserver 10.96.0.10\nsearch pay.svc.cluster.local svc.cluster.local\noptions ndots:5 timeout:1\n';

  it('come first for names with few dots, and last for the others', () => {
    assert.deepEqual(candidatesOf('crl', pod), ['crl.pay.svc.cluster.local', 'crl.svc.cluster.local', 'crl']);
    assert.deepEqual(candidatesOf('a.b.c.d.e.f', pod)[0], 'a.b.c.d.e.f');
    assert.deepEqual(candidatesOf('crl.', pod), ['crl']);
    assert.deepEqual(candidatesOf('a.b', 'search one\ndomain two\n'), ['a.b', 'a.b.two']);
    assert.deepEqual(candidatesOf('crl', ''), ['crl']);
    assert.deepEqual(candidatesOf('crl', 'search .'), ['crl']);
  });

  it('are gone through until one has the name, and no further where a server cannot be asked', async () => {
    const { lookup, asked } = stage({ config: pod, found: { 'crl.svc.cluster.local': '10.0.0.5' } });
    assert.deepEqual(await resolve(lookup, 'crl'), four('10.0.0.5'));
    assert.deepEqual(asked, ['crl.pay.svc.cluster.local', 'crl.svc.cluster.local']);
    const silent = stage({ config: pod, found: { 'crl.pay.svc.cluster.local': failing('ETIMEOUT') } });
    assert.equal(await resolve(silent.lookup, 'crl'), 'ETIMEOUT');
    assert.deepEqual(silent.asked, ['crl.pay.svc.cluster.local']);
  });
});

describe('a name', () => {
  it('that no server has is asked of the system, which may know it otherwise', async () => {
    const { lookup } = stage({ other: { 'printer.local': '10.0.0.9' } });
    assert.deepEqual(await resolve(lookup, 'printer.local'), four('10.0.0.9'));
    assert.equal(await resolve(lookup, 'nobody'), 'ENOTFOUND');
  });

  it('is asked for once by all who want it at the same time, and again later', async () => {
    const { lookup, asked } = stage({ found: { crl: '10.0.0.5' } });
    await Promise.all([resolve(lookup, 'crl'), resolve(lookup, 'crl'), resolve(lookup, 'crl', 4)]);
    assert.deepEqual(asked, ['crl']);
    await resolve(lookup, 'crl');
    assert.deepEqual(asked, ['crl', 'crl']);
  });

  it('without an address of the family that is wanted is not found', async () => {
    const { lookup } = stage({ found: { crl: '10.0.0.5' } });
    assert.equal(await resolve(lookup, 'crl', 6), 'ENOTFOUND');
  });

  it('is that of this machine too: a connection to localhost stands, as with the system’s own look-up', async (t) => {
    const server = createServer((_, response) => response.end()).listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const lookup = createLookup();
    const outgoing = request({ host: 'localhost', port, lookup, agent: false }).end();
    const [response] = (await once(outgoing, 'response')) as [{ statusCode?: number }];
    assert.equal(response.statusCode, 200);
    const [address] = (await resolve(lookup, 'localhost', 4)) as readonly { address: string }[];
    assert.equal(address?.address, (await systemLookup('localhost', { family: 4 })).address);
  });
});
