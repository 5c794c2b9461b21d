// A request to the v2 gateway that an SDK has built: its signature, certificates and time are replaced, and all else stays as it was written.
import { requestInvalid } from '../../errors.ts';
import { defaultHeaders, header, type Headers, splitUrl, withoutHeaders } from '../shared/http.ts';
import { isMultipart, partsOf } from '../shared/multipart.ts';
import { fewPairs, joinPairs, type Pair } from '../shared/parameters.ts';
import { percentDecode } from '../shared/percent.ts';
import { fieldsOf, formatForm, type Parameters, signedText } from './form.ts';

/** Where all v2 requests go. */
export const gatewayPath = '/gateway.do';

interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers?: Headers | undefined;
  readonly body?: Uint8Array | undefined;
}

/** Its parameters, which the gateway reads as one set, wherever they are. */
export interface Written {
  /** As written. */
  readonly query: readonly Pair[];
  readonly form: readonly Pair[];
  /** Decoded once: names and values as bytes, whatever their charset. Files are not among them, and are not signed. */
  readonly fields: ReadonlyMap<string, string>;
  readonly isUpload: boolean;
}

/** What says who signed, when, and with what. */
const replaced: ReadonlySet<string> = new Set([
  ...['sign', 'sign_type', 'timestamp', 'app_cert_sn', 'alipay_root_cert_sn'],
]);

const isForm = /^application\/x-www-form-urlencoded\s*(?:;|$)/i;

/** @throws PaycertError `request-invalid`: a body of another kind, or a parameter that is there twice */
export function readWritten({ url, headers = {}, body = Buffer.alloc(0) }: HttpRequest): Written {
  const type = header(headers, 'content-type');
  const isUpload = isMultipart(type);
  if (body.byteLength > 0 && !isUpload && !isForm.test(type ?? ''))
    throw requestInvalid('headers.content-type', 'is neither a form nor an upload');
  const query = fewPairs(splitUrl(url).query, 'request-invalid', 'url');
  const form = isUpload ? [] : fewPairs(latin1(body), 'request-invalid', 'body');
  const parts = isUpload ? partsOf(type, body).filter((part) => !part.isFile) : [];
  const sent = parts.find(({ name }) => replaced.has(name));
  if (sent !== undefined) throw requestInvalid(`body.${sent.name}`, 'of an upload has its place in the query');
  const pairs = [
    ...query.map((pair) => decodePair(pair, 'url')),
    ...form.map((pair) => decodePair(pair, 'body')),
    ...parts.map(({ name, content }): Pair => [name, content.toString('latin1')]),
  ];
  const fields = new Map<string, string>();
  for (const [name, value] of pairs) {
    if (fields.has(name)) throw requestInvalid(name, 'is there twice, in the query, the body or both');
    fields.set(name, value);
  }
  return { query, form, fields, isUpload };
}

const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');

function decodePair(pair: Pair, field: string): Pair {
  const decode = (text: string): string => {
    const bytes = percentDecode(Buffer.from(text, 'latin1'), { isForm: true });
    if (bytes === undefined) throw requestInvalid(field, 'is not percent-encoded as forms are');
    return bytes.toString('latin1');
  };
  return [decode(pair[0]), decode(pair[1])];
}

/** Whether a pair, as it is written, is one of those that are replaced. */
const isReplaced = (pair: Pair): boolean => replaced.has(decodePair(pair, 'url')[0]);

export interface Resigned {
  readonly url: string;
  readonly headers: Record<string, string>;
  /** Absent: as it was. */
  readonly body?: Buffer;
}

/**
 * The request with the parameters of its real signer, which stand in the query, and the signature over all that is sent.
 * @throws PaycertError `request-invalid`
 */
export async function resign(
  request: HttpRequest,
  own: Parameters,
  signText: (message: Uint8Array) => Promise<string>,
): Promise<Resigned> {
  const { query, form, fields } = readWritten(request);
  const kept = [...fields].filter(([name, value]) => !replaced.has(name) && value !== '');
  const sign = await signText(signedText([...kept, ...fieldsOf(own)]));
  const written = query.filter((pair) => !isReplaced(pair));
  const [left, { headers = {}, body = Buffer.alloc(0) }] = [form.filter((pair) => !isReplaced(pair)), request];
  return {
    url: `${gatewayPath}?${[joinPairs(written), formatForm({ ...own, sign })].filter((text) => text !== '').join('&')}`,
    headers: { ...defaultHeaders(headers, body), ...withoutHeaders(headers, ['authorization']) },
    ...(left.length < form.length && { body: Buffer.from(joinPairs(left), 'latin1') }),
  };
}
