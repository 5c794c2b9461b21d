// The file that keeps material for a restart: it gives back what was kept, and anything else is refused by one code.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeKept, encodeKept, type Kept } from '../../src/sources/last-good-form.ts';

const part = fc.tuple(fc.string({ unit: 'binary' }), fc.uint8Array({ maxLength: 200 }));
const kept: fc.Arbitrary<Kept> = fc.record(
  {
    pod: fc.uuid(),
    credential: fc.string(),
    identity: fc.string(),
    version: fc.string(),
    keptAt: fc.date({ min: new Date(0), noInvalidDate: true }),
    data: fc.array(part, { maxLength: 8 }).map((parts) => new Map(parts)),
  },
  { requiredKeys: ['pod', 'credential', 'identity', 'keptAt', 'data'] },
);

const sample = encodeKept({
  pod: 'pod',
  credential: 'shop',
  identity: 'wechatpay/1900000001',
  keptAt: new Date(0),
  data: new Map([
    ['apiclient_key.pem', Buffer.from('a key')],
    ['apiv3_key', Buffer.from('a secret')],
  ]),
});

const refused = { name: 'PaycertError', code: 'last-good-refused' };

/** As a writer makes it who knows the form. */
function sealed(rest: string): Buffer {
  const digest = createHash('sha256').update(rest).digest('hex');
  return Buffer.from(`paycert last good 1 ${digest}\n${rest}`);
}

describe('what is kept of accepted material', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(kept, (one) => {
        const { data, ...about } = decodeKept(encodeKept(one));
        assert.deepEqual(about, (({ data: _, ...rest }) => rest)(one));
        assert.deepEqual(
          [...data].map(([name, bytes]) => [name, Buffer.from(bytes)]),
          [...one.data].map(([name, bytes]) => [name, Buffer.from(bytes)]),
        );
      }),
    );
  });

  it('is refused wherever it is cut off', () => {
    for (let length = 0; length < sample.byteLength; length += 1)
      assert.throws(() => decodeKept(sample.subarray(0, length)), refused);
  });

  it('is refused whichever of its bits is another', () => {
    fc.assert(
      fc.property(fc.nat(sample.byteLength - 1), fc.nat(7), (index, bit) => {
        const damaged = Buffer.from(sample);
        damaged[index]! ^= 1 << bit;
        assert.throws(() => decodeKept(damaged), refused);
      }),
    );
  });

  it('is refused with anything behind it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (more) => {
        assert.throws(() => decodeKept(Buffer.concat([sample, more])), refused);
      }),
    );
  });

  it('is refused for any bytes that are not of this form', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
        assert.throws(() => decodeKept(Buffer.from(bytes)), refused);
        assert.throws(() => decodeKept(sealed(Buffer.from(bytes).toString('latin1'))), refused);
      }),
    );
  });

  const about = { pod: 'p', credential: 'c', identity: 'i', keptAt: 0 };
  const foreign: Readonly<Record<string, unknown>> = {
    'without a head': '',
    'with a head that is no object': 'null',
    'without its pod': { ...about, pod: undefined, parts: [] },
    'with a member that nobody knows': { ...about, parts: [], more: 1 },
    'with a time that is none': { ...about, keptAt: 9e15, parts: [] },
    'with a part of a negative length': { ...about, parts: [{ name: 'a', byteLength: -1 }] },
    'with a part that is longer than the file': { ...about, parts: [{ name: 'a', byteLength: 9 }] },
    'with one part twice': { ...about, parts: [{ name: 'a', byteLength: 0 }, { name: 'a', byteLength: 0 }] }, // prettier-ignore
    'with bytes that are no part': `${JSON.stringify({ ...about, parts: [] })}\nmore`,
  };
  for (const [title, head] of Object.entries(foreign))
    it(`is refused ${title}, though its digest is right`, () => {
      const rest = typeof head === 'string' ? head : `${JSON.stringify(head)}\n`;
      assert.throws(() => decodeKept(sealed(rest)), refused);
    });
});
