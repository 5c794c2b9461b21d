// Names as Java writes them: references computed with X500Principal.getName() of OpenJDK 17.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { DerError } from '../../src/crypto/der.ts';
import { readName } from '../../src/crypto/distinguished-name.ts';

/** DER in hex, and what Java makes of it. */
const references = [
  [
    '3081823139303706035504031330416e742046696e616e6369616c2043657274696669636174696f6e20417574686f7269747920436c61737320322052313120301e060355040b131743657274696669636174696f6e20417574686f7269747931163014060355040a130d416e742046696e616e6369616c310b300906035504061302434e',
    'C=CN,O=Ant Financial,OU=Certification Authority,CN=Ant Financial Certification Authority Class 2 R1',
  ],
  ['3022310a3008060355040a1301633114300806035504031301613008060355040b130162', 'CN=a+OU=b,O=c'],
  [
    '305531133011060a0992268993f22c6401191603636f6d31173015060a0992268993f22c64011916076578616d706c653125300806035504031301613008060355040b130162300f060a0992268993f22c640101130175',
    'CN=a+OU=b+UID=u,DC=example,DC=com',
  ],
  [
    '3037310b300906035504061302434e310a30080603550408130159310a300806035504071301583110300e06035504090c074d61696e202331',
    'STREET=Main \\#1,L=X,ST=Y,C=CN',
  ],
  [
    '302e310d300b06035504031304526f6f74311d301b06092a864886f70d010901160e6361406578616d706c652e636f6d',
    '1.2.840.113549.1.9.1=#160e6361406578616d706c652e636f6d,CN=Root',
  ],
  [
    '3036310a3008060355042a130147310d300b060355040c1304426f7373310a30080603550403130178310d300b0603550405130431323334',
    '2.5.4.5=#130431323334,CN=x,2.5.4.12=#1304426f7373,2.5.4.42=#130147',
  ],
  [
    '3037310f300d060355040a0c06e4b8ade696873124302206035504030c1b6c6561642c20747261696c203d202b203c203e203b205c20222023',
    'CN=lead\\, trail \\= \\+ \\< \\> \\; \\\\ \\" \\#,O=中文',
  ],
  ['3020310d300b060355040a130461202062310f300d06035504030c06236861736820', 'CN=\\#hash\\ ,O=a  b'],
] as const;

/** The same for 137 subjects: every type of string, values that are ill-formed in UTF-8, several values to a part. */
const path = new URL('java-names.json', import.meta.url);
const more = JSON.parse(readFileSync(path, 'utf8')) as readonly (readonly [der: string, text: string])[];

/** A name of one part, an organization. */
function nameOf(tag: number, content: Buffer): Buffer {
  const wrap = (outer: number, inside: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(inside.byteLength);
    const octets = length.subarray(length.findIndex((byte) => byte > 0));
    const head = inside.byteLength < 0x80 ? [outer, inside.byteLength] : [outer, 0x80 + octets.byteLength, ...octets];
    return Buffer.concat([Buffer.from(head), inside]);
  };
  const type = Buffer.from('060355040a', 'hex');
  return wrap(0x30, wrap(0x31, wrap(0x30, Buffer.concat([type, wrap(tag, content)]))));
}

describe('a distinguished name', () => {
  for (const [der, text] of references) {
    it(`reads as in Java: ${text}`, () => {
      assert.equal(readName(Buffer.from(der, 'hex')), text);
    });
  }

  it('reads as in Java whatever type its strings have, and however ill-formed they are', () => {
    assert.ok(more.length > 100);
    for (const [der, text] of more) assert.equal(readName(Buffer.from(der, 'hex')), text, der);
  });

  it('reads in UTF-16 and Latin-1 as Java does, which takes every string for UTF-8', () => {
    const utf16 = Buffer.from('蚂蚁 é', 'utf16le').swap16();
    assert.equal(readName(nameOf(0x1e, utf16)), 'O=\ufffd\ufffd\ufffd\ufffd\\00 \\00\ufffd');
    assert.equal(readName(nameOf(0x14, Buffer.from('é', 'latin1'))), 'O=\ufffd');
  });

  it('costs time in proportion to its length, whatever blanks it has', () => {
    const blanks = `a${' '.repeat(1_000_000)}b`;
    const start = process.cpuUsage();
    assert.equal(readName(nameOf(0x0c, Buffer.from(blanks))), `O=${blanks}`);
    assert.ok(process.cpuUsage(start).user < 1_000_000);
  });

  it('that is none is refused', () => {
    for (const hex of ['', '3003020101', '300b310930070603550403020101ff', '3000ff'])
      assert.throws(() => readName(Buffer.from(hex, 'hex')), DerError);
  });
});
