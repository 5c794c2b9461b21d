// An upload to WeChat Pay (multipart/form-data): what is signed of it is the JSON text of its part `meta`, and nothing else.
import { requestInvalid } from '../../errors.ts';

const isUploadType = /^multipart\/form-data\s*(?:;|$)/i;
const boundaryOf = /;\s*boundary=(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70}))/i;
const isMeta = /^content-disposition:\s*form-data\s*;.*(?:;|\s)name="?meta"?\s*(?:;|$)/im;

export const isUpload = (contentType: string | undefined): contentType is string =>
  contentType !== undefined && isUploadType.test(contentType);

/**
 * The bytes of the part `meta`.
 * @throws PaycertError `request-invalid` where there is none, or more than one: the platform could read another than is signed
 */
export function metaOf(contentType: string, body: Uint8Array): Buffer {
  const [, quoted, plain] = boundaryOf.exec(contentType) ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) throw requestInvalid('headers.content-type', 'names no boundary');
  const metas = [...partsOf(Buffer.from(body.buffer, body.byteOffset, body.byteLength), `--${boundary}`)]
    .filter(({ head }) => isMeta.test(head))
    .map(({ content }) => content);
  const [meta] = metas;
  if (meta === undefined || metas.length > 1)
    throw requestInvalid('body', `has ${meta === undefined ? 'no part' : 'more than one part'} called meta`);
  return meta;
}

interface Part {
  readonly head: string;
  readonly content: Buffer;
}

/** What is between two delimiters, each at the start of a line (RFC 2046 §5.1.1). */
function* partsOf(body: Buffer, delimiter: string): Generator<Part> {
  const next = `\r\n${delimiter}`;
  let at = body.indexOf(`${delimiter}\r\n`) + delimiter.length;
  if (at < delimiter.length) return;
  for (let end = body.indexOf(next, at); end >= 0; end = body.indexOf(next, at)) {
    const blank = body.indexOf('\r\n\r\n', at);
    if (blank >= 0 && blank < end)
      yield { head: body.toString('latin1', at, blank).trim(), content: body.subarray(blank + 4, end) };
    at = end + next.length;
  }
}
