// Lists that speak for some certificates only, and serial numbers with a sign: made by openssl, as authorities make them.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { readRevocationList, revocationOf } from '../../src/crypto/revocation.ts';

const directory = mkdtempSync(join(tmpdir(), 'paycert-test-'));
after(() => rmSync(directory, { recursive: true }));
const path = (name: string): string => join(directory, name);
const openssl = (...words: readonly string[]): void => {
  execFileSync('openssl', words, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] });
};

/** The lists are made after this file is read. */
const now = new Date(Date.now() + 3_600_000);
const point = (shard: number): string => `URI:http://crl.example/${shard}.crl`;

openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=Root', '-days', '9', '-addext', 'keyUsage=critical,keyCertSign,cRLSign'); // prettier-ignore
openssl('req', '-new', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'leaf.key', '-out', 'leaf.csr', '-subj', '/CN=leaf');
const issuer = new X509Certificate(readFileSync(path('ca.pem')));

/** With that serial number, which openssl takes with a sign. */
function issue(serial: string, extensions: string): X509Certificate {
  writeFileSync(path('leaf.ext'), extensions);
  openssl('x509', '-req', '-in', 'leaf.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-set_serial', serial, '-days', '5', '-extfile', 'leaf.ext', '-out', 'leaf.pem'); // prettier-ignore
  return new X509Certificate(readFileSync(path('leaf.pem')));
}

/** `serials`: in hex, with a sign. `scope`: lines of IssuingDistributionPoint as openssl writes it. */
function makeList(serials: readonly string[], scope: readonly string[] = []) {
  const entries = serials.map((serial) => `R\t301231000000Z\t250101000000Z\t${serial}\tunknown\t/CN=x\n`);
  writeFileSync(path('index.txt'), entries.join(''));
  writeFileSync(path('number'), '01\n');
  const extensions =
    scope.length === 0 ? '' : `issuingDistributionPoint = critical, @scope\n[scope]\n${scope.join('\n')}\n`;
  const config = `[ca]\ndefault_ca = own\n[own]\ndatabase = index.txt\ncrlnumber = number\ndefault_md = sha256\ndefault_crl_days = 3\n[list]\nauthorityKeyIdentifier = keyid\n${extensions}`;
  writeFileSync(path('ca.cnf'), config);
  openssl('ca', '-gencrl', '-config', 'ca.cnf', '-cert', 'ca.pem', '-keyfile', 'ca.key', '-crlexts', 'list', '-out', 'list.pem'); // prettier-ignore
  openssl('crl', '-in', 'list.pem', '-outform', 'DER', '-out', 'list.der');
  return readRevocationList(readFileSync(path('list.der')), 'ca.crl');
}

const statusOf = async (certificate: X509Certificate, ...lists: readonly ReturnType<typeof makeList>[]) =>
  (await revocationOf(certificate, issuer, lists))(now);

const ofShard = (serial: string, shard: number) => issue(serial, `crlDistributionPoints = ${point(shard)}\n`);
const leaf = issue('0x21', 'basicConstraints = CA:FALSE\n');
const authority = issue('0x22', 'basicConstraints = critical,CA:TRUE\nkeyUsage = keyCertSign\n');
const [first, seventh] = [ofShard('0x31', 1), ofShard('0x37', 7)];

describe('a list of one distribution point', () => {
  const shard = (number: number, serials: readonly string[] = []) => makeList(serials, [`fullname = ${point(number)}`]);

  it('says of a certificate of another point nothing, and of its own that it is good', async () => {
    const list = shard(7);
    assert.deepEqual([await statusOf(seventh, list), await statusOf(first, list)], ['good', 'unknown']);
    assert.equal(await statusOf(leaf, list), 'unknown', 'of one that names no point either');
  });

  it('does not hide what the list of another one revokes', async () => {
    const lists = [shard(1, ['31']), shard(7)];
    assert.deepEqual([await statusOf(first, ...lists), await statusOf(seventh, ...lists)], ['revoked', 'good']);
  });

  it('revokes what it names, whatever point that has', async () => {
    const list = shard(7, ['31', '21']);
    assert.deepEqual([await statusOf(first, list), await statusOf(leaf, list)], ['revoked', 'revoked']);
  });

  it('beside the complete list changes nothing', async () => {
    assert.equal(await statusOf(first, shard(7), makeList([])), 'good');
  });
});

describe('a list of one kind', () => {
  const kinds: readonly (readonly [scope: string, leaf: string, authority: string])[] = [
    ['onlyuser = TRUE', 'good', 'unknown'],
    ['onlyCA = TRUE', 'unknown', 'good'],
    ['onlyAA = TRUE', 'unknown', 'unknown'],
    ['onlysomereasons = keyCompromise, CACompromise', 'unknown', 'unknown'],
  ];
  for (const [scope, ofLeaf, ofAuthority] of kinds) {
    it(`says nothing of other certificates: ${scope}`, async () => {
      const list = makeList([], [scope]);
      assert.deepEqual([await statusOf(leaf, list), await statusOf(authority, list)], [ofLeaf, ofAuthority]);
    });

    it(`revokes what it names: ${scope}`, async () => {
      const list = makeList(['21', '22'], [scope]);
      assert.deepEqual([await statusOf(leaf, list), await statusOf(authority, list)], ['revoked', 'revoked']);
    });
  }

  it('that speaks for other issuers is refused', () => {
    assert.throws(() => makeList([], ['indirectCRL = TRUE']), { code: 'revocation-list-malformed', field: 'ca.crl' });
  });
});

describe('a serial number with a sign', () => {
  const [negative, positive, large] = [issue('-5', ''), issue('5', ''), issue('255', '')];

  it('is revoked by a list that names it, and by no list that names its opposite', async () => {
    for (const [certificate, serial, expected] of [
      [negative, '-05', 'revoked'],
      [negative, '05', 'good'],
      [positive, '05', 'revoked'],
      [positive, '-05', 'good'],
    ] as const)
      assert.equal(
        await statusOf(certificate, makeList([serial])),
        expected,
        `${certificate.serialNumber} on ${serial}`,
      );
  });

  it('is compared as a number: −1 does not revoke 255, whose bytes end alike', async () => {
    assert.equal(await statusOf(large, makeList(['-01'])), 'good');
    assert.equal(await statusOf(large, makeList(['FF'])), 'revoked');
  });
});
