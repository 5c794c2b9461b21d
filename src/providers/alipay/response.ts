// A synchronous answer of Alipay's v2 gateway: what in it is signed, by which certificate, and whether it may come unsigned.
import { PaycertError } from '../../errors.ts';
import { scanMembers, type Span } from './scanner.ts';

export interface Answer {
  /** The bytes that are signed: the value of the answer's own member, as they came. */
  readonly content: Uint8Array;
  readonly signature?: string;
  /** The SN of the certificate that signed it. */
  readonly certificateSerial?: string;
  /** Whether it reports an error. Errors may come unsigned, a success never. */
  readonly isFailure: boolean;
}

/** `alipay.trade.query` is answered under `alipay_trade_query_response`. */
const memberOf = (apiMethod: string): string => `${apiMethod.replaceAll('.', '_')}_response`;

/** What the gateway answers before it knows the method. */
const errorMember = 'error_response';

/** @throws PaycertError `message-malformed`: no JSON object, or no answer, or two, to that method */
export function readResponse(body: Uint8Array, apiMethod: string): Answer {
  const members = scanMembers(body);
  const [own, error] = [members.get(memberOf(apiMethod)), members.get(errorMember)];
  const span = own ?? error;
  if (span === undefined || (own !== undefined && error !== undefined)) {
    const message = 'the body does not hold one answer to `apiMethod`';
    throw new PaycertError('message-malformed', message, { field: 'body' });
  }
  const content = body.subarray(span.start, span.end);
  const [signature, certificateSerial] = [
    textAt(body, members.get('sign')),
    textAt(body, members.get('alipay_cert_sn')),
  ];
  return {
    content,
    ...(signature !== undefined && { signature }),
    ...(certificateSerial !== undefined && { certificateSerial }),
    isFailure: own === undefined || isFailure(content),
  };
}

const parse = (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString());

/** Empty counts as absent: some proxies blank what they do not understand. */
function textAt(body: Uint8Array, span: Span | undefined): string | undefined {
  const value = span && parse(body.subarray(span.start, span.end));
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** `code` is 10000 for a success; a few methods, such as the exchange of tokens, answer a success without one. */
function isFailure(content: Uint8Array): boolean {
  const value = parse(content);
  const code = typeof value === 'object' && value !== null && 'code' in value ? value.code : undefined;
  return (typeof code === 'string' || typeof code === 'number') && String(code) !== '10000';
}
