// The XML of WeChat Pay v2 is read whole or refused: no DTD, no entity, nothing that two readers take differently.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Transformer } from 'wechatpay-axios-plugin';
import { PaycertError } from '../../../src/errors.ts';
import { readXml, writeXml } from '../../../src/providers/wechatpay-v2/xml.ts';
import { refusal } from '../../support/wechatpay.ts';

const read = (text: string | Uint8Array): Record<string, string> =>
  Object.fromEntries(readXml(typeof text === 'string' ? Buffer.from(text) : text));

const refused = refusal('message-malformed');

describe('XML', () => {
  it('is elements with text, CDATA or both, in any layout', () => {
    assert.deepEqual(
      read(
        '\ufeff<?xml version="1.0" encoding="UTF-8"?>\n<xml>\r\n  <a>1</a><b_1><![CDATA[<&>]]></b_1>\n<c/><d></d>\n</xml>\n',
      ),
      { a: '1', b_1: '<&>', c: '', d: '' },
    );
    assert.deepEqual(read('<root><a>x<![CDATA[y]]>z<![CDATA[]]></a></root>'), { a: 'xyz' });
    assert.deepEqual(read('<xml></xml>'), {});
    assert.deepEqual(read('<xml/>'), {});
  });

  it('keeps white space in values, with line ends as XML has them', () => {
    assert.deepEqual(read('<xml><a> x\r\n\ty </a></xml>'), { a: ' x\n\ty ' });
  });

  it('has the five entities and character references of XML itself', () => {
    assert.deepEqual(read('<xml><a>&lt;&gt;&amp;&quot;&apos;&#20013;&#x1F600;&#10;&amp;lt;</a></xml>'), {
      a: `<>&"'中😀\n&lt;`,
    });
  });

  const hostile = {
    'a DTD': '<!DOCTYPE xml [<!ENTITY a "b">]><xml><a>&a;</a></xml>',
    'an external entity': '<!DOCTYPE xml [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml><a>&a;</a></xml>',
    'a DTD without entities': '<!DOCTYPE xml><xml><a>1</a></xml>',
    'an entity that nobody defined': '<xml><a>&nbsp;</a></xml>',
    'an ampersand that begins nothing': '<xml><a>1 & 2</a></xml>',
    'an entity without its end': '<xml><a>&amp</a></xml>',
    'a reference to no character': '<xml><a>&#0;</a></xml>',
    'a reference to half a surrogate pair': '<xml><a>&#xD83D;</a></xml>',
    'a reference beyond Unicode': '<xml><a>&#x110000;</a></xml>',
    'a comment in a value': '<xml><a>1<!-- 2 -->3</a></xml>',
    'a comment between elements': '<xml><!-- x --><a>1</a></xml>',
    'a comment before the root': '<!-- x --><xml><a>1</a></xml>',
    'a processing instruction': '<xml><?php x ?><a>1</a></xml>',
    'a declaration that comes twice': '<?xml version="1.0"?><?xml version="1.0"?><xml><a>1</a></xml>',
    'an attribute': '<xml><a b="c">1</a></xml>',
    'a namespace': '<x:xml><x:a>1</x:a></x:xml>',
    'an element inside another': '<xml><a><b>1</b></a></xml>',
    'a name that stands twice': '<xml><a>1</a><a>2</a></xml>',
    'text between elements': '<xml>x<a>1</a></xml>',
    'CDATA between elements': '<xml><![CDATA[x]]><a>1</a></xml>',
    'CDATA that does not end': '<xml><a><![CDATA[1</a></xml>',
    'the end of CDATA alone': '<xml><a>1]]></a></xml>',
    'tags that do not match': '<xml><a>1</b></xml>',
    'an end that is missing': '<xml><a>1</a>',
    'a second root': '<xml><a>1</a></xml><xml><a>2</a></xml>',
    'text behind the end': '<xml><a>1</a></xml>x',
    'a control character': '<xml><a>\u0001</a></xml>',
    'bytes that are no UTF-8': Buffer.from('3c786d6c3e3c613eff3c2f613e3c2f786d6c3e', 'hex'),
    nothing: '',
    JSON: '{"a":1}',
  };
  for (const [what, text] of Object.entries(hostile))
    it(`with ${what} is refused`, () => {
      assert.throws(() => read(text), refused);
    });

  it('declares no other encoding than UTF-8', () => {
    assert.throws(() => read('<?xml version="1.0" encoding="GBK"?><xml><a>1</a></xml>'), refused);
    assert.deepEqual(read(`<?xml version='1.0' encoding='utf-8'?><xml><a>1</a></xml>`), { a: '1' });
  });

  it('of any bytes is read or refused, and never anything else', () => {
    const piece = fc.oneof(
      fc.constantFrom('<xml>', '</xml>', '<a>', '</a>', '<b/>', '<![CDATA[', ']]>', '&', '&amp;', '<!', '<?', '&#1;'),
      fc.string({ unit: 'binary', maxLength: 4 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        try {
          readXml(Buffer.from(pieces.join('')));
        } catch (error) {
          assert.ok(error instanceof PaycertError && error.code === 'message-malformed');
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('is read in a time that grows with its length only', () => {
    const million = 1_000_000;
    const bodies = [
      `<xml><a>${'&amp;'.repeat(million / 5)}</a></xml>`,
      `<xml><a>${'<![CDATA[]]>'.repeat(million / 12)}</a></xml>`,
      `<xml><a>${'&'.repeat(million)}</a></xml>`,
      `<xml><a>${'<![CDATA['.repeat(million / 9)}</a></xml>`,
      `<?xml${' '.repeat(million)}<xml/>`,
      `<xml>${' '.repeat(million)}`,
      `<xml><a${' '.repeat(million)}`,
    ];
    const started = process.cpuUsage();
    for (const body of bodies)
      try {
        readXml(Buffer.from(body));
      } catch (error) {
        assert.ok(error instanceof PaycertError);
      }
    const { user } = process.cpuUsage(started);
    assert.ok(user < 10_000_000, `${user} µs`);
  });
});

describe('XML to send', () => {
  const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,20}$/);
  const value = fc.string({ unit: 'grapheme' }).filter((text) => !/[\r\p{Cc}\p{Cs}\ufffe\uffff]/u.test(text));

  it('is read again as it was written', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(name, value), { selector: ([tag]) => tag }), (pairs) => {
        assert.deepEqual([...readXml(Buffer.from(writeXml(pairs)))], pairs);
      }),
    );
    assert.deepEqual(read(writeXml([['a', ']]>&amp;<b/>]]']])), { a: ']]>&amp;<b/>]]' });
  });

  it('is read alike by the platform’s SDK, and its XML by us', () => {
    const fields = { appid: 'wx1', body: '<商品> & "x"', total_fee: '1' };
    assert.deepEqual(Transformer.toObject(writeXml(Object.entries(fields))), fields);
    assert.deepEqual(read(Transformer.toXml(fields)), fields);
  });

  it('with a name or a character that XML cannot carry is refused', () => {
    for (const pair of [
      ['a b', '1'],
      ['', '1'],
      ['<', '1'],
      ['a', '\u0000'],
      ['a', '\ud800'],
      ['a', '\r'],
    ] as const)
      assert.throws(() => writeXml([pair]), refusal('request-invalid'));
  });
});
