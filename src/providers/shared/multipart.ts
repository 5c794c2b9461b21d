// An upload (multipart/form-data): its parts, since platforms sign the parts that are text and leave the file out.
import { requestInvalid } from '../../errors.ts';

const isMultipartType = /^multipart\/form-data\s*(?:;|$)/i;
const boundaryOf = /;\s*boundary=(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70}))/i;
const disposition = /^content-disposition:\s*form-data\s*;(.*)$/im;

/** More than any upload has. */
const maxParts = 100;

export const isMultipart = (contentType: string | undefined): boolean => isMultipartType.test(contentType ?? '');

export interface Part {
  readonly name: string;
  readonly isFile: boolean;
  readonly content: Buffer;
}

/**
 * The type with its boundary, where it names none: wechatpayv3 sends uploads so, and their first line says it.
 * Unchanged where that line is no delimiter that can stand in a header as it is.
 */
export function withBoundary(contentType: string | undefined, body: Uint8Array): string | undefined {
  if (contentType === undefined || !isMultipart(contentType) || boundaryOf.test(contentType)) return contentType;
  const start = Buffer.from(body.buffer, body.byteOffset, Math.min(body.byteLength, 74)).toString('latin1');
  const [, boundary] = /^--([\w'+.-]{1,70})\r\n/.exec(start) ?? [];
  if (boundary === undefined) return contentType;
  return `${contentType}${contentType.trimEnd().endsWith(';') ? ' ' : '; '}boundary=${boundary}`;
}

/**
 * The parts, in their order.
 * @throws PaycertError `request-invalid`: no boundary, no name, or more parts than any upload has
 */
export function partsOf(contentType: string | undefined, body: Uint8Array): readonly Part[] {
  const [, quoted, plain] = boundaryOf.exec(contentType ?? '') ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) throw requestInvalid('headers.content-type', 'names no boundary');
  const parts: Part[] = [];
  for (const { head, content } of split(Buffer.from(body.buffer, body.byteOffset, body.byteLength), `--${boundary}`)) {
    if (parts.length === maxParts) throw requestInvalid('body', `has more than ${maxParts} parts`);
    const [, parameters = ''] = disposition.exec(head) ?? [];
    const name = parameterOf(parameters, 'name');
    if (name === undefined) throw requestInvalid('body', 'has a part without a name');
    parts.push({ name, isFile: parameterOf(parameters, 'filename') !== undefined, content });
  }
  return parts;
}

/** The one part of that name. @throws PaycertError `request-invalid`: the platform could read another of two than is signed */
export function onePart(parts: readonly Part[], name: string): Buffer {
  const [part, ...more] = parts.filter((one) => one.name === name);
  if (part === undefined || more.length > 0)
    throw requestInvalid('body', `has ${part === undefined ? 'no part' : 'more than one part'} called ${name}`);
  return part.content;
}

/** Read from left to right, so that what stands in quotes is a value and nothing else. */
function parameterOf(parameters: string, name: string): string | undefined {
  for (const [, found = '', quoted, plain] of parameters.matchAll(/(?<![\w-])([\w-]+)\*?=(?:"([^"]*)"|([^\s;"]*))/g))
    if (found.toLowerCase() === name) return quoted ?? plain;
  return undefined;
}

/** What is between two delimiters, each at the start of a line (RFC 2046 §5.1.1). */
function* split(body: Buffer, delimiter: string): Generator<{ readonly head: string; readonly content: Buffer }> {
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
