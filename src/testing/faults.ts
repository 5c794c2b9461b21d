// How a platform double misbehaves when a test asks for it: the same few faults for every platform.
import { Readable } from 'node:stream';
import type { ServerResponse } from 'node:http';
import type { Answer, ReceivedRequest } from './answer.ts';

/**
 * What a double does in place of what its platform does.
 *
 * - `unsign`, `forge`: responds without its signature, or with another one. Aliyun and partners sign none.
 * - `probe`: WeChat Pay's own test, a signature that looks like one and must be refused.
 * - `respond`: with that status, such as 429, 500 or a redirect; signed by nobody.
 * - `date`: says in `Date` that its clock is that many milliseconds ahead; negative: behind.
 * - `late`: responds once that promise resolves.
 * - `reset`: ends the connection without a byte. `truncate`: in the middle of the response. `hang`: responds never.
 * - `huge`: a success with that many bytes.
 */
export type Fault =
  | { readonly do: 'unsign' | 'forge' | 'probe' | 'reset' | 'truncate' | 'hang' }
  | {
      readonly do: 'respond';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  | { readonly do: 'date'; readonly milliseconds: number }
  | { readonly do: 'late'; readonly until: Promise<unknown> }
  | { readonly do: 'huge'; readonly bytes: number };

/** Which requests meet a fault, and what the platform has done by then. */
export interface FaultOptions {
  /** How many requests; 1 unless given. */
  readonly times?: number;
  /** Which; all unless given. */
  readonly when?: (request: Pick<ReceivedRequest, 'method' | 'url'>) => boolean;
  /** Whether it does what it was asked for, such as place the order, before that. Unless given: yes, but for `respond`. */
  readonly acts?: boolean;
}

/** Those that are to come, in the order in which they were asked for. */
export class Faults {
  #waiting: { readonly fault: Fault; readonly options: FaultOptions; left: number }[] = [];

  add(fault: Fault, options: FaultOptions): void {
    this.#waiting.push({ fault, options, left: options.times ?? 1 });
  }

  clear(): void {
    this.#waiting = [];
  }

  /** The first that is meant for that request, which is then used once. */
  next(request: ReceivedRequest): { readonly fault: Fault; readonly acts: boolean } | undefined {
    const found = this.#waiting.find(({ options: { when }, left }) => left > 0 && (when?.(request) ?? true));
    if (found === undefined) return undefined;
    found.left -= 1;
    const { fault, options } = found;
    return { fault, acts: options.acts ?? fault.do !== 'respond' };
  }
}

const nothing: Answer = { status: 200, headers: {}, body: new Uint8Array() };

/** Sends what the fault leaves of that answer; undefined: the platform did nothing, and has none. */
export async function sendFaulty(response: ServerResponse, fault: Fault, good: Answer | undefined): Promise<void> {
  const { status, headers, body } = good ?? nothing;
  switch (fault.do) {
    case 'respond':
      return void response.writeHead(fault.status, fault.headers).end(fault.body);
    case 'reset':
      return void response.destroy();
    case 'truncate':
      response.writeHead(status, { ...headers, 'Content-Length': String(body.byteLength + 1) });
      return void response.write(body, () => response.destroy());
    case 'hang':
      return;
    case 'huge':
      response.writeHead(200, headers);
      return void Readable.from(spaces(fault.bytes)).pipe(response);
    case 'late':
      await fault.until;
      return void end(response, { status, headers, body });
    case 'date':
      return void end(response, { status, headers: { ...headers, Date: dateIn(fault.milliseconds) }, body });
    case 'unsign':
      return void end(response, { status, ...withSignature({ headers, body }, () => undefined) });
    case 'forge':
      return void end(response, { status, ...withSignature({ headers, body }, (value) => `${value.startsWith('A') ? 'B' : 'A'}${value.slice(1)}`) }); // prettier-ignore
    case 'probe':
      return void end(response, { status, ...withSignature({ headers, body }, (value) => `WECHATPAY/SIGNTEST/${value.slice(19)}`) }); // prettier-ignore
  }
}

export function end(response: ServerResponse, { status, headers, body }: Answer): ServerResponse {
  return response.writeHead(status, { ...headers, 'Content-Length': String(body.byteLength) }).end(body);
}

const dateIn = (milliseconds: number): string => new Date(Date.now() + milliseconds).toUTCString();

function* spaces(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= 65_536) yield Buffer.alloc(Math.min(left, 65_536), ' ');
}

/** In a header, as WeChat Pay and Alipay v3 have it; in the JSON, as Alipay v2; in the XML, as WeChat Pay v2. */
function withSignature({ headers, body }: Pick<Answer, 'headers' | 'body'>, change: (value: string) => string | undefined): Pick<Answer, 'headers' | 'body'> {
  const changed = Object.entries(headers).flatMap(([name, value]) => {
    const other = /-signature$/i.test(name) ? change(value) : value;
    return other === undefined ? [] : [[name, other] as const];
  });
  const text = Buffer.from(body).toString();
  const other = text.replace(/(,"sign":"|<sign><!\[CDATA\[)([^"\]]*)("|\]\]><\/sign>)/, (_, before: string, value: string, after: string) => {
    const next = change(value);
    return next === undefined ? '' : `${before}${next}${after}`;
  });
  return { headers: Object.fromEntries(changed), body: other === text ? body : Buffer.from(other) };
} // prettier-ignore
