// Entries of a revocation list that mean something of their own: with a critical extension that is not understood, no entry counts.
import assert from 'node:assert/strict';
import { sign, X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { derTag, readDer, readInside, writeDer } from '../../src/crypto/der.ts';
import { readRevocationList, revocationOf } from '../../src/crypto/revocation.ts';
import { keyPairs } from '../support/key-pairs.ts';
import { issue, makeAuthority, now } from '../support/mtls.ts';
import { makeList } from '../support/revocation.ts';

const authority = await makeAuthority(0);
const issuer = new X509Certificate(authority.certificate);
const certificate = async (name: string) => new X509Certificate((await issue(authority, name)).certificate);
const [listed, other] = [await certificate('listed'), await certificate('other')];
const key = (await keyPairs())[0]!.privateKey;

const oid = (hex: string) => writeDer(derTag.objectIdentifier, Buffer.from(hex, 'hex'));
const yes = Buffer.from([0x01, 0x01, 0xff]);
const extension = (hex: string, value: Buffer, ...critical: readonly Buffer[]) =>
  writeDer(derTag.sequence, oid(hex), ...critical, writeDer(derTag.octetString, value));
const reason = (code: number) => extension('551d15', Buffer.from([0x0a, 0x01, code]));

/** A list of that authority, signed by it, in which the entry of `listed` has these extensions. */
async function listWith(...extensions: readonly Buffer[]) {
  const template = await makeList(0, [listed.serialNumber]);
  const [body, algorithm] = readInside(readDer(template)[0]);
  const fields = readInside(body).map(({ tag, whole, content }) => {
    const [entry] = tag === derTag.sequence ? readDer(content) : [];
    const parts = entry?.tag === derTag.sequence ? readDer(entry.content) : [];
    if (parts[0]?.tag !== derTag.integer) return whole;
    const [serial, time] = parts.map((part) => part.whole);
    return writeDer(tag, writeDer(derTag.sequence, serial!, time!, writeDer(derTag.sequence, ...extensions)));
  });
  const signed = writeDer(derTag.sequence, ...fields);
  const signature = writeDer(derTag.bitString, Buffer.from([0]), sign('sha256', signed, key));
  return readRevocationList(writeDer(derTag.sequence, signed, algorithm!.whole, signature), 'ca.crl');
}
const statusOf = async (of: X509Certificate, ...extensions: readonly Buffer[]) =>
  (await revocationOf(of, issuer, [await listWith(...extensions)]))(now);

describe('an entry of a revocation list', () => {
  it('revokes with any reason, on hold too, and with what is not critical', async () => {
    for (const code of [1, 3, 4, 5, 6, 9]) {
      assert.equal(await statusOf(listed, reason(code)), 'revoked', `reason ${code}`);
      assert.equal(await statusOf(other, reason(code)), 'good');
    }
    const unknown = extension('2a0304', Buffer.from([0x05, 0x00]));
    const stated = extension('2a0304', Buffer.from([0x05, 0x00]), Buffer.from([0x01, 0x01, 0x00]));
    for (const harmless of [unknown, stated])
      assert.deepEqual([await statusOf(listed, harmless), await statusOf(other, harmless)], ['revoked', 'good']);
  });

  it('with a critical extension that is not understood makes its list say nothing of anybody', async () => {
    const unknown = extension('2a0304', Buffer.from([0x05, 0x00]), yes);
    // Certificate issuer: this entry, and all after it, are of another authority (RFC 5280 §5.3.3).
    const issuedElsewhere = extension('551d1d', writeDer(derTag.sequence, Buffer.from([0x82, 0x01, 0x78])), yes);
    for (const extensions of [[unknown], [issuedElsewhere], [reason(1), unknown]])
      for (const one of [listed, other]) {
        assert.equal(await statusOf(one, ...extensions), 'unknown');
        await assert.rejects((await listWith(...extensions)).about(one, issuer), { code: 'revocation-list-malformed' });
      }
  });

  it('that says in another form than DER that an extension is critical makes it say nothing, too', async () => {
    for (const critical of ['018101ff', '01820001ff', '0101fe', '010101'])
      assert.equal(
        await statusOf(other, extension('2a0304', Buffer.from([0x05, 0x00]), Buffer.from(critical, 'hex'))),
        'unknown',
        critical,
      );
  });

  it('revokes with the reason removeFromCRL too, which only a delta may have', async () => {
    assert.equal(await statusOf(listed, reason(8)), 'revoked');
  });
});
