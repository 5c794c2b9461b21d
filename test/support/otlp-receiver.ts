// A collector of OpenTelemetry on loopback: takes OTLP/HTTP JSON of the published shape alone, and responds as the test says.
import { type IncomingHttpHeaders, type RequestListener, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import Type, { type Static } from 'typebox';
import { validator } from '../../src/validation.ts';
import { listenFor } from './listening.ts';

const closed = { additionalProperties: false };
const Id = (digits: number) => Type.String({ pattern: `^(?!0+$)[0-9a-f]{${digits}}$` });
/** 64 bits are text in JSON. */
const Fixed64 = Type.String({ pattern: '^[0-9]{1,20}$' });
const Value = Type.Union([
  Type.Object({ stringValue: Type.String() }, closed),
  Type.Object({ boolValue: Type.Boolean() }, closed),
  Type.Object({ intValue: Type.String({ pattern: '^-?[0-9]{1,19}$' }) }, closed),
  Type.Object({ doubleValue: Type.Number() }, closed),
]);
const Attributes = Type.Array(Type.Object({ key: Type.String({ minLength: 1 }), value: Value }, closed));

const Span = Type.Object(
  {
    traceId: Id(32),
    spanId: Id(16),
    parentSpanId: Type.Optional(Id(16)),
    traceState: Type.Optional(Type.String()),
    name: Type.String({ minLength: 1 }),
    kind: Type.Integer({ minimum: 1, maximum: 5 }),
    startTimeUnixNano: Fixed64,
    endTimeUnixNano: Fixed64,
    attributes: Attributes,
    status: Type.Object({ code: Type.Optional(Type.Integer({ minimum: 0, maximum: 2 })) }, closed),
  },
  closed,
);

const LogRecord = Type.Object(
  {
    timeUnixNano: Fixed64,
    observedTimeUnixNano: Type.Optional(Fixed64),
    severityNumber: Type.Integer({ minimum: 1, maximum: 24 }),
    body: Value,
    attributes: Attributes,
  },
  closed,
);

const of = (names: readonly [resources: string, scopes: string, items: string], item: Type.TSchema) => {
  const [resources, scopes, items] = names;
  const scope = Type.Object({ name: Type.String(), version: Type.Optional(Type.String()) }, closed);
  const scoped = Type.Object({ scope, [items]: Type.Array(item, { minItems: 1 }) }, closed);
  const resource = Type.Object({ attributes: Attributes }, closed);
  const one = Type.Object({ resource, [scopes]: Type.Array(scoped, { minItems: 1 }) }, closed);
  return Type.Object({ [resources]: Type.Array(one, { minItems: 1 }) }, closed);
};

const requests = {
  '/v1/traces': validator(of(['resourceSpans', 'scopeSpans', 'spans'], Span), 'request-invalid'),
  '/v1/logs': validator(of(['resourceLogs', 'scopeLogs', 'logRecords'], LogRecord), 'request-invalid'),
};

type AttributeList = Static<typeof Attributes>;

export interface ReceivedItem {
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Of what exports. */
  readonly resource: Readonly<Record<string, unknown>>;
}

export interface ReceivedSpan extends ReceivedItem, Omit<Static<typeof Span>, 'attributes'> {}
export interface ReceivedLog extends ReceivedItem {
  readonly body: string;
  readonly severityNumber: number;
}

/** Ends the response; what it is when nothing else is said: taken. */
export type Respond = (response: ServerResponse) => void;
const take: Respond = (response) => void response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}');

export interface OtlpReceiver {
  /** `http://127.0.0.1:PORT`, without a path. */
  readonly origin: string;
  /** Those that came in, whatever they got. */
  readonly requests: readonly { readonly url: string; readonly headers: IncomingHttpHeaders; readonly text: string }[];
  readonly spans: readonly ReceivedSpan[];
  readonly logs: readonly ReceivedLog[];
  /** From now on. */
  respond(how: Respond): void;
  /** Once that is so; it is looked at after each request. */
  until(isSo: (receiver: OtlpReceiver) => boolean): Promise<void>;
}

export async function startOtlpReceiver(t: TestContext): Promise<OtlpReceiver> {
  let respond = take;
  const waiting = new Set<() => void>();
  const receiver = {
    requests: [] as { url: string; headers: IncomingHttpHeaders; text: string }[],
    spans: [] as ReceivedSpan[],
    logs: [] as ReceivedLog[],
    respond: (how: Respond) => void (respond = how),
    async until(isSo: (receiver: OtlpReceiver) => boolean) {
      while (!isSo(whole)) await new Promise<void>((resolve) => waiting.add(resolve));
    },
  };
  const listener: RequestListener = (request, response) => {
    const { url = '', headers } = request;
    void json(request).then((content) => {
      receiver.requests.push({ url, headers, text: JSON.stringify(content) });
      const items = read(url, headers, content);
      receiver.spans.push(...(items.filter((item) => 'spanId' in item) as unknown as ReceivedSpan[]));
      receiver.logs.push(...(items.filter((item) => 'body' in item) as unknown as ReceivedLog[]));
      respond(response);
      for (const look of [...waiting]) {
        waiting.delete(look);
        look();
      }
    });
  };
  const origin = await listenFor(t, listener);
  const whole: OtlpReceiver = { ...receiver, origin };
  return whole;
}

/** @throws what is wrong with it: the test ends by it */
function read(url: string, headers: IncomingHttpHeaders, content: unknown): readonly ReceivedItem[] {
  const validate = Object.entries(requests).find(([path]) => path === url)?.[1];
  if (validate === undefined || headers['content-type'] !== 'application/json') throw new TypeError(`${url}: not OTLP/HTTP JSON`); // prettier-ignore
  validate(content);
  return Object.values(content as Record<string, Nested[]>).flat().flatMap(({ resource, ...scoped }) =>
    Object.values(scoped as unknown as Record<string, Record<string, unknown>[]>).flat().flatMap(({ scope: _, ...items }) =>
      (Object.values(items).flat() as { attributes: AttributeList; body?: { stringValue?: string } }[]).map((item) => ({
        ...item,
        ...(item.body && { body: item.body.stringValue }),
        attributes: recordOf(item.attributes),
        resource: recordOf(resource.attributes),
      })),
    ),
  ); // prettier-ignore
}

interface Nested {
  readonly resource: { readonly attributes: AttributeList };
}

export const recordOf = (attributes: AttributeList): Record<string, unknown> =>
  Object.fromEntries(
    attributes.map(({ key, value }) => {
      const [[kind, content] = []] = Object.entries(value);
      return [key, kind === 'intValue' ? Number(content) : content];
    }),
  );
