// The parts of an upload: byte for byte, wherever they are, and none where it could be another.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PaycertError } from '../../../src/errors.ts';
import { isMultipart, onePart, partsOf, withBoundary } from '../../../src/providers/shared/multipart.ts';

const type = 'multipart/form-data; boundary=b';
const part = (disposition: string, content: string | Uint8Array): Buffer =>
  Buffer.concat([Buffer.from(`--b\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n`), Buffer.from(content), Buffer.from('\r\n')]); // prettier-ignore
const message = (...parts: Buffer[]): Buffer => Buffer.concat([...parts, Buffer.from('--b--\r\n')]);
const refused = (contentType: string, body: Uint8Array): void =>
  assert.throws(
    () => onePart(partsOf(contentType, body), 'meta'),
    (error) => error instanceof PaycertError && error.code === 'request-invalid',
  );

describe('an upload', () => {
  it('is told by its media type alone, in any case', () => {
    for (const yes of [type, 'MULTIPART/Form-Data;boundary=b', 'multipart/form-data']) assert.ok(isMultipart(yes), yes);
    for (const no of [undefined, 'application/json', 'multipart/form-datax', 'text/plain; multipart/form-data'])
      assert.ok(!isMultipart(no), no);
  });

  it('signs its meta as it is, before the file or after it, whatever the file holds', () => {
    const content = fc.uint8Array({ maxLength: 64 }).filter((bytes) => !Buffer.from(bytes).includes('--b'));
    fc.assert(
      fc.property(content, content, fc.boolean(), (meta, file, isFirst) => {
        const parts = [part('name="meta"', meta), part('name="file"; filename="meta"', file)];
        const body = message(...(isFirst ? parts : parts.reverse()));
        assert.deepEqual(onePart(partsOf(type, body), 'meta'), Buffer.from(meta));
        assert.deepEqual(
          onePart(partsOf('multipart/form-data; charset=utf-8; boundary="b"', body), 'meta'),
          Buffer.from(meta),
        );
      }),
    );
  });

  it('without a meta, with two, or without a boundary is refused', () => {
    const meta = part('name="meta"', '{}');
    refused(type, message(part('name="file"', 'x')));
    refused(type, message(part('name="metadata"', '{}')));
    refused(type, message(part('filename="meta"', '{}')));
    refused(type, message(meta, part('name=meta', '{}')));
    refused(type, meta.subarray(0, -2));
    refused('multipart/form-data', message(meta));
    refused('multipart/form-data; boundary=c', message(meta));
    refused(type, Buffer.alloc(0));
  });

  it('whose type names no boundary has that of its first line, and one that names it keeps it', () => {
    const body = message(part('name="meta"', '{}'));
    assert.equal(withBoundary('multipart/form-data', body), type);
    assert.equal(withBoundary('multipart/form-data;', body), type);
    for (const kept of [type, 'multipart/form-data; boundary="c"', 'application/json', undefined])
      assert.equal(withBoundary(kept, body), kept);
    for (const odd of ['', '-', '--', '--\r\n', '--b', 'x--b\r\n', '--b;c\r\n', '--b"\r\n', `--${'b'.repeat(71)}\r\n`])
      assert.equal(withBoundary('multipart/form-data', Buffer.from(odd)), 'multipart/form-data', odd);
  });

  it('of any bytes is read or refused, and never throws anything else', () => {
    const piece = fc.constantFrom(
      '--b',
      '\r\n',
      '\r\n\r\n',
      '--b--',
      'Content-Disposition: form-data; name="meta"',
      '{}',
      'x',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        try {
          onePart(partsOf(type, Buffer.from(pieces.join(''))), 'meta');
        } catch (error) {
          assert.ok(error instanceof PaycertError);
        }
      }),
    );
  });
});
