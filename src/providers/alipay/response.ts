// A synchronous response of Alipay's v2 gateway: what in it is signed, by which certificate, and whether it may come unsigned.
import { PaycertError } from '../../errors.ts';
import { readText, sliceText, type Text } from './charsets.ts';
import { scanMembers, type Span } from './scanner.ts';

export interface Response {
  /** The bytes that are signed: the value of the response's own member, as they came. */
  readonly content: Uint8Array;
  /** The same with bare slashes, where some are escaped. */
  readonly bare: Uint8Array | undefined;
  readonly signature?: string;
  /** Where it stands in the body, with its quotes. */
  readonly signatureAt?: Span | undefined;
  /** The SN of the certificate that signed it. */
  readonly certificateSerial?: string;
  /** What it reports. Errors may come unsigned, a success never. */
  readonly report: () => Report;
}

export interface Report {
  readonly isFailure: boolean;
  /** Absent from a few successes, such as the exchange of tokens, and from what is encrypted. */
  readonly code?: string;
  readonly subCode?: string;
}

/** `alipay.trade.query` is answered under `alipay_trade_query_response`, and a mini program's `my.getPhoneNumber` under `response`. */
const memberOf = (apiMethod: string): string =>
  apiMethod.startsWith('my.') ? 'response' : `${apiMethod.replaceAll('.', '_')}_response`;

/** What the gateway answers before it knows the method. */
const errorMember = 'error_response';

const malformed = (message: string) => new PaycertError('message-malformed', message, { field: 'body' });

/**
 * @param charset as the response declares it
 * @throws PaycertError `message-malformed`: no JSON object, or no response, or two, to that method
 */
export function readResponse(body: Uint8Array, apiMethod: string, charset?: string): Response {
  const text = readText(body, charset);
  if (text === undefined) throw malformed('the body is text in neither UTF-8 nor GB18030');
  const members = scanMembers(text);
  const [own, error] = [members.get(memberOf(apiMethod)), members.get(errorMember)];
  const span = own ?? error;
  if (span === undefined || (own !== undefined && error !== undefined)) {
    throw malformed('the body does not hold one response to `apiMethod`');
  }
  const content = sliceText(text, span);
  const [signature, certificateSerial] = [
    textAt(text, members.get('sign')),
    textAt(text, members.get('alipay_cert_sn')),
  ];
  return {
    content: content.bytes,
    bare: withBareSlashes(content),
    ...(signature !== undefined && { signature, signatureAt: members.get('sign') }),
    ...(certificateSerial !== undefined && { certificateSerial }),
    report: () => {
      const report = reportOf(content);
      return own === undefined ? { ...report, isFailure: true } : report;
    },
  };
}

/** Empty counts as absent: some proxies blank what they do not understand. Both texts are ASCII. */
function textAt({ structure }: Text, span: Span | undefined): string | undefined {
  if (span === undefined || structure[span.start] !== '"') return undefined;
  const value = JSON.parse(structure.slice(span.start, span.end)) as string;
  return value === '' ? undefined : value;
}

/** `code` is 10000 for a success; a few methods, such as the exchange of tokens, answer a success without one. */
function reportOf(content: Text): Report {
  const members = content.structure.startsWith('{') ? scanMembers(content) : undefined;
  const valueOf = (name: string) => {
    const span = members?.get(name);
    const value = span && content.structure.slice(span.start, span.end);
    return value !== undefined && /^["\d-]/.test(value) ? value.replaceAll('"', '') : undefined;
  };
  const [code, subCode] = [valueOf('code'), valueOf('sub_code')];
  return {
    isFailure: code !== undefined && code !== '10000',
    ...(code !== undefined && { code }),
    ...(subCode !== undefined && { subCode }),
  };
}

const [backslash, slash] = [0x5c, 0x2f];

/**
 * With every `\/` as `/`, but for one whose backslash is itself escaped: `\\/` is a backslash and a slash. Undefined where
 * there is none.
 */
function withBareSlashes({ bytes, structure }: Text): Uint8Array | undefined {
  if (!structure.includes('\\/')) return undefined;
  const bare = Buffer.allocUnsafe(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    if (structure.charCodeAt(at) === backslash) {
      if (structure.charCodeAt(at + 1) !== slash) bare[length++] = backslash;
      at += 1;
    }
    bare[length++] = bytes[at] ?? 0;
  }
  return length === bytes.length ? undefined : bare.subarray(0, length);
}
